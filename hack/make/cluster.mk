# The local cluster and the API server for envtest, built from pinned Go modules. See hack/README.md.

LOCALCLUSTER := bin/localcluster
LOCALCLUSTER_SOURCES := $(shell find hack/localcluster -type f ! -name '*_test.go' ! -path '*/testdata/*')

# CLUSTER=kind uses kind and docker instead of the built node.
export CLUSTER

# With these flags Go's build cache is shared with the pinned binaries' builds.
$(LOCALCLUSTER): $(LOCALCLUSTER_SOURCES)
	cd hack/localcluster && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o ../../$@ .

.PHONY: envtest-assets cluster-build cluster-up cluster-down cluster-load cluster-status cluster-test

envtest-assets: $(LOCALCLUSTER) ## Build kube-apiserver, etcd and kubectl into bin/k8s, for envtest.
	$(LOCALCLUSTER) build envtest

cluster-build: $(LOCALCLUSTER) ## Build everything the local cluster runs (10 minutes once, then cached).
	$(LOCALCLUSTER) build cluster

cluster-up: $(LOCALCLUSTER) ## Start the local cluster and print its KUBECONFIG (needs root).
	$(LOCALCLUSTER) up

cluster-down: $(LOCALCLUSTER) ## End the local cluster; nothing of it stays behind.
	$(LOCALCLUSTER) down

cluster-load: $(LOCALCLUSTER) ## Import images into the local cluster: make cluster-load IMAGES="a.tar b.tar".
	$(LOCALCLUSTER) load $(IMAGES)

cluster-status: $(LOCALCLUSTER) ## Show the local cluster's node and pods.
	$(LOCALCLUSTER) status

cluster-test: ## Test the local cluster's tool; as root with built binaries it starts a cluster of its own.
	cd hack/localcluster && go test ./...
