# Hours of the properties that `make test` tries for seconds.
.PHONY: soak
soak: ## A million random worlds of ledger and shares, and an hour of fuzzing (hours in all).
	$(GO) test -count=1 -timeout 24h -run 'TestRandomWorlds|Model|TestPaceSurvivesEdits' -rapid.checks 1000000 ./internal/domain/ledger ./internal/domain/fairshare
	$(GO) test -run '^$$' -fuzz FuzzRestore -fuzztime 1h ./internal/domain/forecast
