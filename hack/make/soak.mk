# Hours of the properties that `make test` tries for seconds. CHECKS: how many random worlds of each, SEEDS: which worlds of the whole dispatcher, N: how many kills
# of the process, FUZZ: how many inputs (or for how long) each fuzz test tries, e.g. make soak CHECKS=100000 SEEDS=1-1000 N=100 FUZZ=60s. Fuzzing by time can fail at
# its end without a finding: a world that runs then is cut off.
CHECKS ?= 1000000
SEEDS  ?= 1-10000
FUZZ   ?= 1000000x
N      ?= 1000

# What a property is, and in which package.
SOAKED = ledger/TestRandomWorlds ledger/TestLedgerAgainstModel ledger/TestPaceSurvivesEdits ledger/TestRecordsAgainstModel fairshare/TestRandomWorlds

.PHONY: soak
soak: soak-worlds soak-sim crash fuzz race ## All of it, for hours: CHECKS=100000 SEEDS=1-1000 N=100 FUZZ=60s.

.PHONY: soak-worlds
soak-worlds: ## A million random worlds of ledger and shares: CHECKS=100000.
	@set -e; for one in $(SOAKED); do \
		echo "soak: $$one, $(CHECKS) worlds"; \
		$(GO) test -count=1 -timeout 0 -v -run "^$${one#*/}\$$" ./internal/domain/$${one%/*} -rapid.checks=$(CHECKS) | grep -v '^=== '; \
	done

.PHONY: soak-sim
soak-sim: ## Ten thousand worlds of the whole dispatcher: SEEDS=1-1000. It says what they bore and what came of it.
	SEEDS=$(SEEDS) $(GO) test -count=1 -timeout 0 -v -run TestSimulation ./internal/dispatcher/sim | grep -vE '^( *--- PASS|=== )'

.PHONY: crash
crash: ## Kill the real dispatcher under load, N times (1000): make crash N=100.
	KILLS=$(N) $(GO) test -count=1 -timeout 0 -v -run TestKilledUnderLoad ./test/crash

# Fuzz tests are found by their names.
.PHONY: fuzz
fuzz: ## Each fuzz test, with a million inputs: make fuzz FUZZ=60s.
	@set -e; grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z]+' api cmd controllers internal | sort | while IFS=: read -r file name; do \
		echo "fuzz: $$(dirname $$file) $${name#func }, $(FUZZ)"; \
		$(GO) test -run '^$$' -fuzz "^$${name#func }\$$" -fuzztime $(FUZZ) -fuzzminimizetime 10x ./$$(dirname $$file) </dev/null; \
	done

.PHONY: race
race: envtest-assets ## All tests with the race detector, package by package.
	$(GO) test -race -p 1 -timeout 60m ./...
