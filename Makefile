.DEFAULT_GOAL := site
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq install
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade --no-header --no-annotate --quiet
SOURCES := onemg_kg tests benchmarks
NPM_TESTS := tests/npm
VENDOR := onemg_kg/assets/vendor
FRONTEND := $(wildcard frontend/*.js frontend/*.json frontend/.npmrc frontend/MIT.txt frontend/src/*)
NPM_CI := npm ci --ignore-scripts --silent --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-timeout=20000

.PHONY: site test check frontend bench lock clean help

site: $(VENV)/.installed frontend ## build the graph, its dumps, its views and its web site into build/
	@$(BIN)/onemg-kg build

test: check frontend $(NPM_TESTS)/node_modules ## run the linters and every test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.installed $(VENV)/.dev ## run the linters: style, format, types, layers of the modules
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# What the program needs is compiled as it is installed: it starts fast even where Python may not write what it compiles.
# setuptools and hatchling come first and build owlready2 and this project without isolation: so they are pinned and hashed
# like everything else, and owlready2, which is pure Python where Cython is missing, takes a second and no C compiler.
$(VENV)/.runtime: requirements-build.lock requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "onemg-kg needs Python 3.11 or newer, but '$(PYTHON) --version' says: $$($(PYTHON) --version 2>&1). Name another, as in 'make PYTHON=python3.11'." >&2; \
	  exit 1; }
	@echo "Installing requirements.lock into $(VENV)/ (only when it changes) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(INSTALL) --require-hashes -r requirements-build.lock
	@$(INSTALL) --require-hashes --no-build-isolation -r requirements.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.runtime pyproject.toml
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q onemg_kg
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing requirements-dev.lock into $(VENV)/ (only when it changes) ..."
	@$(INSTALL) --no-compile --require-hashes -r requirements-dev.lock
	@touch $@

# The query editor of the question pages. Without Node, or without its packages, the site is built without it: that is said,
# and is no failure.
frontend: $(VENDOR)/query.js ## bundle the in-browser query editor, where Node is

$(VENDOR)/query.js: $(FRONTEND)
	@if ! { command -v npm && node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)'; } >/dev/null 2>&1; then \
	  echo "The in-browser query editor is left out, or as it was, because Node 18 or newer with npm is not here."; \
	elif ! (cd frontend && $(NPM_CI) && npm run --silent build); then \
	  echo "The in-browser query editor is left out, or as it was, because its packages could not be installed or bundled."; \
	fi

# Validators and Comunica, which only tests use: without them those tests are skipped, aloud.
$(NPM_TESTS)/node_modules: $(NPM_TESTS)/package-lock.json
	@if ! command -v npm >/dev/null; then \
	  echo "Accessibility, HTML and federation are not tested, because npm is not here."; \
	elif ! (cd $(NPM_TESTS) && $(NPM_CI)); then \
	  echo "Accessibility, HTML and federation are not tested, because what they need could not be installed."; \
	else touch $@; fi

bench: $(VENV)/.installed $(VENV)/.dev ## repeat every figure of docs/benchmarks.md: half an hour; BENCH=full takes many hours
	$(BIN)/python benchmarks/bench.py $(BENCH)

lock: $(VENV)/.runtime ## bring the lock files up to date with pyproject.toml
	@$(INSTALL) uv
	@$(LOCK) --group build --output-file requirements-build.lock
	@$(LOCK) --constraints requirements-build.lock --output-file requirements.lock pyproject.toml
	@$(LOCK) --constraints requirements-build.lock --constraints requirements.lock --group dev --output-file requirements-dev.lock

clean: ## remove everything that make has made
	rm -rf build dist .bench $(VENV) $(VENDOR) frontend/node_modules $(NPM_TESTS)/node_modules .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(SOURCES) -type d -name __pycache__ -prune -exec rm -rf {} +

help: ## list what make can do
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 8
