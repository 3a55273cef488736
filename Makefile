# What people type. Each target installs what it needs first; `scripts/install` says what and why.

.PHONY: quick-start test install setup-hsm setup-approval-workflows create-test-wallets bench help

help:
	@echo "make quick-start            run everything here, with one real withdrawal on each chain"
	@echo "make quick-start ONESHOT=1  the same, then stop; exits 0 only if every step held"
	@echo "make test                   run every test"
	@echo "make setup-hsm              against a running quick-start: a key inside the HSM"
	@echo "make setup-approval-workflows   ... destinations on the allowlist, by quorum"
	@echo "make create-test-wallets    ... a wallet, account and address on each network"
	@echo "make bench                  the benchmarks of docs/performance.md"

install:
	@scripts/install

QUICKSTART = target/debug/quickstart --root .strongroom

build: install
	cargo build --locked --workspace --bins

quick-start: build
	$(QUICKSTART) run $(if $(ONESHOT),--oneshot)

setup-hsm setup-approval-workflows create-test-wallets: build
	$(QUICKSTART) $@

test: install
	scripts/test

bench: install
	scripts/bench
