# Which changes of internal/domain the tests would notice. See docs/decisions/0014-mutants-share-one-binary.md.
.PHONY: mutants
mutants: ## Change internal/domain in small ways and run its tests: PKG=ledger SAMPLE=200 SEED=1 ONLY=regexp RECHECK=1; NAMED=1: the named ones.
	$(GO) run ./hack/mutants $(if $(NAMED),-named) $(if $(PKG),-pkg $(PKG)) $(if $(SAMPLE),-sample $(SAMPLE) -seed $(or $(SEED),1)) $(if $(ONLY),-only '$(ONLY)') $(if $(RECHECK),-recheck)
