TIMEOUT   ?= 10m
COUNT     ?= 1
FUZZTIME  ?= 60s
BENCHTIME ?= 1s
RUN       ?= .
COVERED   := ./store ./store/memstore ./store/redisstore ./worker ./ginasync ./ginasync/client ./ginasync/webhook ./ginasync/internal/outbound
LINT      := .bin/golangci-lint-v2.15.0

.PHONY: help test chaos contract cover fuzz bench benchtest microbench lint example redis node

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: redis ## Run all tests with the race detector (COUNT, TIMEOUT)
	@printf '#include <stdlib.h>\n' | $$(go env CC) -E - >/dev/null 2>&1 || { \
		echo 'make test: the race detector needs a C compiler: apt-get install gcc libc6-dev (Debian, Ubuntu), dnf install gcc (Fedora), apk add gcc musl-dev (Alpine) or xcode-select --install (macOS)' >&2; \
		exit 1; }
	CGO_ENABLED=1 go test -race -shuffle=on -count=$(COUNT) -timeout $(TIMEOUT) $$(go list ./... | grep -v /chaos)
	@# By themselves: they measure how soon work goes on.
	CGO_ENABLED=1 go test -race -shuffle=on -count=$(COUNT) -timeout $(TIMEOUT) ./chaos/...

chaos: redis ## Kill, pause and cut off workers and Redis at length (RUN)
	CHAOS=long CGO_ENABLED=1 go test -race -count=1 -timeout 30m -run '$(RUN)' ./chaos/...

contract: node $(LINT) ## Hold the HTTP contract against programs that others wrote, and lint that
	cd contract && $(CURDIR)/$(LINT) run ./... && go mod tidy -diff
	cd contract && go test -count=1 -shuffle=on -timeout $(TIMEOUT) ./...

cover: redis ## Fail when the own tests of a package cover less than 90 % of it
	@out=$$(go test -count=1 -shuffle=on -timeout $(TIMEOUT) -cover $(COVERED)) || { echo "$$out"; exit 1; }; \
	echo "$$out" | awk -v want=$(words $(COVERED)) '{ print } \
		match($$0, /coverage: [0-9.]+%/) { seen++; if (substr($$0, RSTART + 10) + 0 < 90) low = 1 } \
		END { if (low || seen != want) { print "make cover: below 90 %"; exit 1 } }'

fuzz: ## Run each fuzz target for FUZZTIME (60s)
	@list=$$(go test -list '^Fuzz' ./...) || { echo "$$list"; exit 1; }; \
	targets=$$(echo "$$list" | awk '/^Fuzz/ { t[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2 ":" t[i]; n = 0 }'); \
	test -n "$$targets" || { echo 'make fuzz: no fuzz targets found'; exit 1; }; \
	for target in $$targets; do \
		echo "$$target"; \
		go test -run='^$$' -fuzz="^$${target##*:}\$$" -fuzztime=$(FUZZTIME) "$${target%:*}" || exit 1; \
	done

bench: redis ## Measure beside peers, about eight minutes (ARGS, such as '-rounds 1 -only ^jobs/')
	@mkdir -p .bin
	cd bench && go build -o ../.bin/bench .
	@.bin/bench $(ARGS)

benchtest: redis $(LINT) ## Test what make bench runs, each row once, and lint it
	cd bench && $(CURDIR)/$(LINT) run ./... && go mod tidy -diff
	cd bench && go test -count=1 -shuffle=on -timeout $(TIMEOUT) ./...

microbench: redis ## Run all Go benchmarks (BENCHTIME)
	go test -run='^$$' -bench=. -benchmem -benchtime=$(BENCHTIME) ./...

lint: $(LINT) ## Check the rules of .golangci.yml, and that go.mod is tidy
	$(LINT) run ./...
	go mod tidy -diff

# Named by its version: another version is another file, so it is built only once.
$(LINT):
	GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT:.bin/golangci-lint-%=%)
	mv .bin/golangci-lint $@

redis: ## Find redis-server for the tests, or install it
	@bash .github/install-redis

node: ## Find node for the tests, or install it, and fetch their packages
	@bash .github/install-node

example: ## Start the example on 127.0.0.1:8080
	go run ./examples/gin-app
