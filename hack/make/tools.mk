# Tools, each pinned by a go.mod of its own and rebuilt when that changes.
bin/controller-gen bin/crd-ref-docs: hack/tools/go.mod
	@mkdir -p bin
	$(GO) -C hack/tools build -o ../../bin/ sigs.k8s.io/controller-tools/cmd/controller-gen github.com/elastic/crd-ref-docs

bin/golangci-lint: hack/tools/golangci-lint/go.mod
	@mkdir -p bin
	$(GO) -C hack/tools/golangci-lint build -o ../../../bin/golangci-lint sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter
