# One profile and one set of features for everything: what `make demo` has built, `make test` does not build again.
# `make demo` builds what it runs, and no tests or benchmarks. `make features` holds that this chooses the same features
# as the whole workspace; `-p` of any other package may choose others.

CARGO ?= cargo
RELEASE := --release --workspace --locked
PROGRAM := --release --locked --package tallow --package tallow-functions-build
ARGS ?=
BUILT := $(or $(CARGO_TARGET_DIR),target)/release
DIST := $(dir $(BUILT))dist
PREFIX ?= /usr/local

.DEFAULT_GOAL := help
.PHONY: help demo demo-swap build functions gateways plugin test bench check features fix release install doctor

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: build ## Run the demo: trades to candles, on this machine alone (ARGS="--help" lists its options)
	$(BUILT)/tallow demo $(ARGS)

demo-swap: build ## Change functions of a running market: shadow, promote, refuse, roll back
	$(BUILT)/tallow-functions-build tests
	scripts/demo-swap.sh $(BUILT)/tallow $(dir $(BUILT))functions

build: doctor ## Build the host and the functions
	$(CARGO) build $(PROGRAM)
	$(BUILT)/tallow-functions-build

functions: build ## Build the functions into target/functions

gateways: build ## Build the HTTP gateways into target/functions, alone and composed with the functions
	$(BUILT)/tallow-functions-build gateways
	$(CARGO) build --release --locked --package tallow-functions-compose
	$(BUILT)/tallow-functions-compose

plugin: build ## Pack the host as Spin's trigger for Kafka, and say how to install it
	@scripts/plugin.sh $(BUILT)/tallow $(dir $(BUILT))plugin

# Most tests wait: for a broker, a process, a deadline.
test: export RUST_TEST_THREADS ?= 4
test: export PATH := $(abspath $(dir $(BUILT))tools):$(PATH)
test: doctor-test build gateways serve ## Run all tests; those on real services say so where they are skipped
	$(BUILT)/tallow-functions-build tests
	$(CARGO) test $(RELEASE)

bench: build gateways serve ## Measure the functions, a whole run, and Spark beside it (ARGS="--help" lists its options)
	$(CARGO) build $(RELEASE)
	$(BUILT)/tallow-bench $(ARGS)

check: export TALLOW_INSTALL = 0
check: features ## Check format, lints, features and tests; writes nothing but target/
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(RELEASE) --all-targets -- -D warnings
	$(MAKE) test

features: ## Check that program, workspace and tests have the same features: much would be built twice
	scripts/same-features.sh

fix: ## Format, and mend what clippy can mend
	$(CARGO) fmt --all
	$(CARGO) clippy $(RELEASE) --all-targets --fix --allow-dirty --allow-staged
	$(CARGO) fmt --all

release: export PATH := $(abspath $(dir $(BUILT))tools/bin):$(PATH)
release: build ## Pack the program, its functions and the licences of what is in them into target/dist
	@scripts/doctor.sh release
	mkdir -p $(DIST)
	$(CARGO) fetch --locked
	$(CARGO) about generate --workspace --frozen --fail --config deploy/about.toml --output-file $(DIST)/NOTICES deploy/about.hbs
	scripts/release.sh $(BUILT)/tallow $(dir $(BUILT))functions $(DIST)/NOTICES $(DIST)

install: build ## Install the program and its functions into PREFIX (/usr/local)
	install -D -m 755 $(BUILT)/tallow $(DESTDIR)$(PREFIX)/bin/tallow
	install -d $(DESTDIR)$(PREFIX)/share/tallow
	install -m 644 $(dir $(BUILT))functions/*.wasm $(DESTDIR)$(PREFIX)/share/tallow

doctor: ## Check that the compilers and libraries are there; as root, install them (TALLOW_INSTALL=0: do not)
	@scripts/doctor.sh

.PHONY: doctor-test
doctor-test:
	@scripts/doctor.sh test

# What serves the gateways to tests and benchmarks; it has a build of wasmtime of its own.
.PHONY: serve
serve:
	$(CARGO) build --release --locked --manifest-path tests/serve/Cargo.toml --target-dir $(dir $(BUILT))
