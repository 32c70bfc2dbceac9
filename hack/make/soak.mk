# Hours of the properties that `make test` tries for seconds. CHECKS: how many worlds of each, FUZZ: how many inputs (or for how long) each fuzz test tries, e.g.
# make soak CHECKS=100000 FUZZ=10000x. Fuzzing by time can fail at its end without a finding: a world that runs then is cut off.
CHECKS ?= 1000000
FUZZ ?= 1000000x

# What a property is, and in which package.
SOAKED = ledger/TestRandomWorlds ledger/TestLedgerAgainstModel ledger/TestPaceSurvivesEdits ledger/TestRecordsAgainstModel fairshare/TestRandomWorlds
FUZZED = ledger/FuzzLedgerWorlds fairshare/FuzzShareWorlds forecast/FuzzRestore

.PHONY: soak
soak: ## A million random worlds of ledger and shares, and a million inputs of each fuzz test (hours): CHECKS=100000 FUZZ=10000x.
	@set -e; for one in $(SOAKED); do \
		echo "soak: $$one, $(CHECKS) worlds"; \
		$(GO) test -count=1 -timeout 0 -v -run "^$${one#*/}\$$" ./internal/domain/$${one%/*} -rapid.checks=$(CHECKS) | grep -v '^=== '; \
	done
	@set -e; for one in $(FUZZED); do \
		echo "soak: $$one, $(FUZZ)"; \
		$(GO) test -run '^$$' -fuzz "^$${one#*/}\$$" -fuzztime $(FUZZ) -fuzzminimizetime 10x ./internal/domain/$${one%/*}; \
	done
