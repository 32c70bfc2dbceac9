# Hours of the properties that `make test` tries for seconds. CHECKS: how many worlds of each, FUZZ: how long each fuzz test, e.g. make soak CHECKS=100000 FUZZ=1m.
CHECKS ?= 1000000
FUZZ ?= 1h

# What a property is, and in which package.
SOAKED = ledger/TestRandomWorlds ledger/TestLedgerAgainstModel ledger/TestPaceSurvivesEdits ledger/TestRecordsAgainstModel fairshare/TestRandomWorlds
FUZZED = ledger/FuzzLedgerWorlds fairshare/FuzzShareWorlds forecast/FuzzRestore

.PHONY: soak
soak: ## A million random worlds of ledger and shares, and an hour of each fuzz test (hours in all): CHECKS=100000 FUZZ=10m.
	@set -e; for one in $(SOAKED); do \
		echo "soak: $$one, $(CHECKS) worlds"; \
		$(GO) test -count=1 -timeout 0 -v -run "^$${one#*/}\$$" ./internal/domain/$${one%/*} -rapid.checks=$(CHECKS) | grep -v '^=== '; \
	done
	@set -e; for one in $(FUZZED); do \
		echo "soak: $$one for $(FUZZ)"; \
		$(GO) test -run '^$$' -fuzz "^$${one#*/}\$$" -fuzztime $(FUZZ) -fuzzminimizetime 10x ./internal/domain/$${one%/*}; \
	done
