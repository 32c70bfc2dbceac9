# The two commands of the README are `make demo` and `make test`. A fresh machine needs Go, make, git and a C compiler; everything else is built from
# pinned Go modules (see hack/README.md).
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
IMG     ?= localhost/crm-quota-operator:dev
GO      ?= go

include hack/make/*.mk

##@ Main
.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*##"} /^[a-zA-Z0-9_-]+:.*?##/ {printf "  \033[36m%-18s\033[0m %s\n", $$1, $$2} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)}' $(MAKEFILE_LIST)

.PHONY: demo
demo: cluster-build images ## The whole thing on this machine: a cluster, the operator, the samples, a load, a summary (root).
	$(GO) run ./test/demo

.PHONY: test
test: envtest-assets sdk-packages ## All tests that need no root.
	$(GO) test -timeout 30m ./...
	$(GO) -C hack/localcluster test ./...

.PHONY: e2e
e2e: cluster-build images ## End-to-end tests on a real kubelet; with KUBECONFIG set they use that cluster (root otherwise).
	$(GO) test -tags e2e -count=1 -timeout 45m ./test/e2e/...

.PHONY: sim
sim: ## Replay one seed of the whole-dispatcher simulation: make sim SEED=7.
	SEED=$(or $(SEED),1) $(GO) test -count=1 -v -run TestSimulation ./internal/dispatcher/sim

.PHONY: bench
bench: ## Benchmarks; figures are ratios against a named peer or limit in the same run.
	$(GO) test -run '^$$' -bench . -benchmem ./internal/domain/...
	$(GO) test -run '^$$' -bench . -benchmem -benchtime 5s -timeout 30m ./test/bench/...

.PHONY: bench-cluster
bench-cluster: ## How fast an edit is enforced on the local cluster, after make demo (or on that of KUBECONFIG).
	KUBECONFIG=$${KUBECONFIG:-$$(bin/localcluster kubeconfig)} $(GO) test -tags e2e -run '^$$' -bench Edit -benchtime 30x ./test/bench

##@ Build
.PHONY: build
build: ## Build manager, dispatcher and crmsim into bin/.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

.PHONY: images
images: build bin/localcluster ## Pack FROM-scratch images without Docker: operator, crmsim, load generator.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/load ./test/load
	bin/localcluster image -o bin/operator.tar -t $(IMG) bin/manager=/manager bin/dispatcher=/dispatcher
	bin/localcluster image -o bin/crmsim.tar -t localhost/crmsim:dev bin/crmsim=/crmsim
	bin/localcluster image -o bin/load.tar -t localhost/load:dev bin/load=/load

.PHONY: docker-build
docker-build: ## Build the operator's image with Docker.
	docker build --build-arg VERSION=$(VERSION) -t $(IMG) .

##@ Generate and check
.PHONY: generate
generate: bin/controller-gen bin/crd-ref-docs ## Regenerate deepcopy, apply configurations and the pages that come from code and data.
	bin/controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...
	rm -rf internal/applyconfiguration
	bin/controller-gen applyconfiguration:headerFile=hack/boilerplate.go.txt paths=./api/...
	bin/crd-ref-docs --log-level=ERROR --config=hack/crd-ref-docs.yaml --renderer=markdown --source-path=api/v1alpha1 --output-path=docs/api.md
	$(GO) run ./hack/conditionsdoc > docs/conditions.md
	$(GO) run ./hack/metricsdoc > docs/metrics.md
	$(GO) run ./hack/cataloguedoc > docs/catalogue.md

.PHONY: manifests
manifests: bin/controller-gen ## Regenerate CRDs and RBAC.
	bin/controller-gen crd paths=./api/... output:crd:dir=config/crd/bases
	bin/controller-gen rbac:roleName=crm-quota-manager paths=./controllers/... output:rbac:dir=config/rbac

.PHONY: lint
lint: bin/golangci-lint ## Run the linters, layering rules and API conventions included.
	bin/golangci-lint run
	bin/golangci-lint run --config .golangci-api.yml ./api/...
	cd hack/localcluster && ../../bin/golangci-lint run --config ../../.golangci.yml ./...

.PHONY: tidy
tidy: ## go mod tidy in every module.
	@for m in $$(git ls-files '*go.mod'); do echo "tidy $$m"; (cd $$(dirname $$m) && $(GO) mod tidy) || exit 1; done

.PHONY: verify
verify: generate manifests ## Fail when generated files or go.mod are not what is committed.
	@for m in $$(git ls-files '*go.mod'); do (cd $$(dirname $$m) && $(GO) mod tidy -diff) || { echo "verify: $$m is not tidy; run make tidy" >&2; exit 1; }; done
	@git diff --exit-code || { echo "verify: generated files differ; commit what 'make generate manifests' made" >&2; exit 1; }
	@test -z "$$(git status --porcelain)" || { echo "verify: not everything is committed:" >&2; git status --short >&2; exit 1; }
