# Everything is installed under .venv (this program and its tools) and weft's own data directory (compilers, Envoy).
.DEFAULT_GOAL := help
.PHONY: help setup parts demo test quick compiled dist check format lock bench docs clean

PYTHON ?= python3
VENV := .venv
UV := $(VENV)/uv/bin/uv
STAMP := $(VENV)/.installed
export UV_LINK_MODE ?= copy

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(UV):
	@$(PYTHON) -m venv $(VENV)/uv
	@$(VENV)/uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'

$(STAMP): $(UV) pyproject.toml requirements.lock
	@test -x $(VENV)/bin/python || $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --no-deps --editable .
	@touch $@

setup: $(STAMP) ## Install weft and its development tools (the program is .venv/bin/weft)

parts: setup ## Fetch the real parts of the tests: Envoy and the compilers
	@bash scripts/parts

demo: setup ## From an empty folder to a header through a real Envoy
	@$(VENV)/bin/weft demo --yes

test: check parts ## Run every check and every test, real Envoy and compilers included
	@bash scripts/test
	@$(MAKE) --no-print-directory compiled

quick: setup ## Run the tests that need no Envoy and no compiler
	@$(VENV)/bin/pytest -q -n auto -m "not real"

compiled: setup ## Run the tests of the test host on its machine code (docs/adr/0006)
	@scripts/compiled $(CURDIR)/$(VENV)/compiled
	@PYTHONPATH=$(VENV)/compiled $(VENV)/bin/pytest -q -n auto $(addprefix tests/unit/,testhost testing fuzzing workflows/testing)

dist: setup ## Build what is published: sources, a wheel for everywhere, a faster one for this platform
	@rm -rf dist
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) build --quiet --no-build-isolation
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) HATCH_BUILD_HOOK_ENABLE_MYPYC=1 $(UV) build --quiet --no-build-isolation
	@ls -1 dist

check: setup ## Lint, format, types and layer contracts
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@$(VENV)/bin/mypy --no-error-summary
	@PYTHONPATH=. $(VENV)/bin/lint-imports --no-logo > $(VENV)/lint-imports.txt || (cat $(VENV)/lint-imports.txt; exit 1)

format: setup ## Rewrite the code the way `make check` wants it
	@$(VENV)/bin/ruff check --quiet --fix . ; $(VENV)/bin/ruff format --quiet .

lock: $(UV) ## Resolve the dependencies anew into requirements.lock
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --group dev pyproject.toml -o requirements.lock

bench: parts ## Measure what the README claims
	@bash bench/run

docs: setup ## Write the reference pages that are made from the program
	@$(VENV)/bin/python scripts/reference.py

clean: ## Remove what `make` made here (not weft's data directory)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
