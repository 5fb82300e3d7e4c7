# waferviz from a checkout: `make lab` to look, `make test` before you send a change.

PYTHON ?= python3
PORT ?= 8888

BIN := .venv/bin
READY := .venv/.ready
SYSTEM := $(shell uname -s)
NOTEBOOKS = $(shell find notebooks lab -name '*.ipynb' -not -path '*/.ipynb_checkpoints/*' 2>/dev/null)
# A browser window can be opened where there is a screen; root needs Jupyter's word for it.
NO_BROWSER := $(if $(filter Linux,$(SYSTEM)),$(if $(DISPLAY)$(WAYLAND_DISPLAY),,--no-browser))
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help setup lab test style types notebooks-clean tests bench format lock clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup: $(READY)  ## the environment in .venv, from requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "waferviz needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	  echo "Install a newer one, then name it: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments: its venv or ensurepip is missing." >&2; \
	  echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Installing into .venv, once; this takes about a minute."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q tests $(wildcard waferviz lab)
	@# JupyterLab asks its makers for news at every start; this lab works offline.
	@mkdir -p .venv/share/jupyter/lab/settings
	@cp binder/overrides.json .venv/share/jupyter/lab/settings/
	@touch $@

lab: $(READY)  ## JupyterLab on the notebooks (PORT=8888)
	@echo "JupyterLab starts; open the address printed below (port $(PORT))."
	@exec $(BIN)/python -m jupyterlab $(wildcard notebooks) --ServerApp.port=$(PORT) $(NO_BROWSER) $(AS_ROOT)

test: style types notebooks-clean tests  ## every check there is

style: $(READY)  ## ruff: rules and layout
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

notebooks-clean: $(READY)  ## notebooks are stored without outputs
	$(if $(NOTEBOOKS),$(BIN)/nbstripout --verify $(NOTEBOOKS),@echo "no notebooks yet")

tests: $(READY)  ## pytest: tests and the examples in docstrings, with a browser where one can be had
	browser="$$($(BIN)/python tests/find_browser.py)" && \
	WAFERVIZ_BROWSER="$$browser" $(BIN)/python -m pytest --doctest-modules tests waferviz

bench: $(READY)  ## the speed table
	$(BIN)/python -m pytest -o addopts= --benchmark-columns=min,median,max,rounds tests/benchmarks

format: $(READY)  ## lay out code and notebooks, repair what can be repaired
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(if $(NOTEBOOKS),$(BIN)/nbstripout $(NOTEBOOKS))

LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
  --no-config --no-emit-index-url --custom-compile-command "make lock" --quiet

lock:  ## newest versions into requirements.lock and binder/requirements.txt (needs uv)
	$(LOCK) --upgrade --extra lab --group dev --output-file requirements.lock
	$(LOCK) --upgrade --extra lab --group build --constraint requirements.lock --output-file binder/requirements.txt

clean:  ## remove the environment, caches and builds
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks dist build
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
