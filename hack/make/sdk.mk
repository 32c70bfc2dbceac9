# Real client packages through a dispatcher: docs/switching.md. npm's packages are kept in the user's cache, by what package-lock.json pins.
SDK_LOCK := test/sdk/node/package-lock.json
SDK_CACHE = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/crm-quota-operator/sdk/$(shell sha256sum $(SDK_LOCK) | cut -c1-16)
SDK_DEBIAN := python3-requests ruby ruby-faraday
export SDK_NODE_PATH = $(SDK_CACHE)/node_modules

.PHONY: sdk
sdk: sdk-packages ## Real client packages (npm, Python, Ruby) through a dispatcher: does a request of theirs go round it?
	SDK=required $(GO) test -count=1 -v ./test/sdk

.PHONY: sdk-packages
sdk-packages: ## Install the client packages: npm's into the user's cache, Debian's as root. Without npm or root it says what is missing.
	@if [ -e $(SDK_CACHE)/installed ]; then :; \
	elif ! command -v npm >/dev/null; then echo "sdk: npm is missing; the tests of npm's packages are skipped"; \
	else mkdir -p $(SDK_CACHE) && cp test/sdk/node/package.json $(SDK_LOCK) $(SDK_CACHE)/ \
		&& (cd $(SDK_CACHE) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) && touch $(SDK_CACHE)/installed \
		|| (rm -rf $(SDK_CACHE) && echo "sdk: npm ci failed; the tests of npm's packages are skipped"); fi
	@if dpkg -s $(SDK_DEBIAN) >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then echo "sdk: install $(SDK_DEBIAN); the tests of what is missing are skipped"; \
	else (apt-get install -y -q --no-install-recommends $(SDK_DEBIAN) || (apt-get update -q && apt-get install -y -q --no-install-recommends $(SDK_DEBIAN))) >/dev/null \
		|| echo "sdk: apt-get failed; the tests of what is missing are skipped"; fi
