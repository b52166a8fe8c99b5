# make run: open Pilothouse. make test: the whole suite against a real engine. Both set up what they need.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Tests mostly wait for engines and timers: more of them at once than there are processors is still faster.
JOBS ?= 3
SOURCES := $(shell find backend tui widgets themes -name '*.py' -not -path '*/__pycache__/*')
# Without this, some packages' sources would be compiled again at every start.
export PYTHONDONTWRITEBYTECODE :=
.PHONY: run test check format fuzz bench screenshots lock clean engine

run: $(VENV)/.compiled engine
	@$(BIN)/pilothouse $(ARGS)

engine: $(VENV)/.runtime
	@$(BIN)/python backend/commands/engine_setup.py

test: $(VENV)/.dev $(VENV)/.compiled check
	@tests/engine/with_engine.sh $(BIN)/pytest -n $(JOBS) --dist loadfile $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

fuzz: $(VENV)/.dev
	@$(BIN)/python -m tests.widgets.terminal.fuzz $(ARGS)

bench: $(VENV)/.bench $(VENV)/.compiled
	@tests/engine/with_engine.sh $(BIN)/python -m benchmarks $(ARGS)

screenshots: $(VENV)/.dev $(VENV)/.compiled
	@tests/engine/with_engine.sh $(BIN)/python -m screenshots

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Pilothouse needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  rm -rf $(VENV); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing python3-venv"; apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; \
	  else echo "please install your system's python3-venv package"; exit 1; fi; \
	  $(PYTHON) -m venv $(VENV); }

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what Pilothouse needs into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "installing what its tests need"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.bench: requirements-bench.lock $(VENV)/.dev
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

$(VENV)/.compiled: $(SOURCES) $(VENV)/.runtime
	@$(BIN)/python -m compileall -q backend tui widgets themes
	@touch $@

lock: $(VENV)/bin/python
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
	  --extra build -o requirements.lock pyproject.toml
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
	  --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
	  --extra bench -c requirements-dev.lock -o requirements-bench.lock pyproject.toml

clean:
	@tests/engine/with_engine.sh --down || true
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
