.DEFAULT_GOAL := site
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq install --no-compile
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade --no-header --no-annotate --quiet
SOURCES := onemg_kg tests

.PHONY: site test check lock clean help

site: $(VENV)/.installed ## build the graph, its dumps and its views into build/
	@$(BIN)/onemg-kg build

test: check ## run the linters and every test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4

check: $(VENV)/.installed $(VENV)/.dev ## run the linters: style, format, types, layers of the modules
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

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
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing requirements-dev.lock into $(VENV)/ (only when it changes) ..."
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

lock: $(VENV)/.runtime ## bring the lock files up to date with pyproject.toml
	@$(INSTALL) uv
	@$(LOCK) --group build --output-file requirements-build.lock
	@$(LOCK) --constraints requirements-build.lock --output-file requirements.lock pyproject.toml
	@$(LOCK) --constraints requirements-build.lock --constraints requirements.lock --group dev --output-file requirements-dev.lock

clean: ## remove everything that make has made
	rm -rf build dist $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(SOURCES) -type d -name __pycache__ -prune -exec rm -rf {} +

help: ## list what make can do
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 8
