# make demo: system packages, build, run the showcase, print its summary. make test: everything that is tested.
SHELL := /bin/bash
PACKAGES := gcc make pkg-config libnetcdf-dev python3 python3-venv
VENV := .venv
OUT := out
# Passed on to the Rust test runner, e.g. --show-output.
TEST_FLAGS :=

.PHONY: demo test packages build venv bench clean

packages:
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi

build: packages
	cargo build --release --locked -p anlan-cli

demo: build
	./target/release/anlan run data/jinhua/project.toml --out $(OUT)

test: packages
	cargo test --locked --workspace --exclude anlan-python -- $(TEST_FLAGS)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -q -r python/requirements-test.txt -r data/requirements.txt
	cd python && VIRTUAL_ENV=$(CURDIR)/$(VENV) CARGO_TARGET_DIR=$(CURDIR)/target $(CURDIR)/$(VENV)/bin/maturin develop --locked
	$(VENV)/bin/python -m pytest -q -rs python/tests data/test_build.py

bench: packages
	cargo bench --locked -p anlan

clean:
	rm -rf $(OUT) $(VENV)
