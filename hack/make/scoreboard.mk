# Our limiter beside others, before judges of our own and of others.
.PHONY: scoreboard
scoreboard: ## Spend a licence beside other limiters, judged by crmsim, HAProxy, nginx and Python's limits (a minute; LONG=1: four).
	$(GO) run ./test/scoreboard -img docs/img $(if $(LONG),-long)
