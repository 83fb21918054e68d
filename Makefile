# Two commands do everything on a fresh machine with Python 3.11-3.13 and make:
#   make run     the main job, end to end, with a verdict
#   make test    all checks and tests
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run serve install fix check test docs reference bench bench-peers clean

VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
SUPPORTED := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c '$(SUPPORTED)' 2>/dev/null && echo $$p && break; done)
SOURCES := spikerack api cluster chip router network tests $(wildcard benchmarks)

help:                        ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

run: $(VENV)/.ready          ## the main job: serve, deploy, run, stream, compare with NEST, draw the raster
	$(BIN)/python -m spikerack.demo

serve: $(VENV)/.ready        ## serve on http://127.0.0.1:8787 until ctrl-C (ARGS="--port 9000")
	$(BIN)/spikerack serve $(ARGS)

install: $(VENV)/.ready-test ## make .venv with everything that the other targets need

fix: $(VENV)/.ready-test     ## format, and mend what can be mended
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

check: $(VENV)/.ready-test   ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check                  ## check, then all tests (ARGS="-k router")
	$(BIN)/python -m pytest $(ARGS)

docs: $(VENV)/.ready         ## write docs/language.md from the language's models
	$(BIN)/python -m network.reference > docs/language.md

reference: $(PEERS)/.ready  ## make the committed NEST numbers anew
	$(PEERS)/bin/python -m tests.reference.generate $(ARGS)

bench: $(VENV)/.ready-test   ## all benchmarks
	$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(PEERS)/.ready ## make .venv-peers, for benchmarks with --peer nest, brian2 or sanafe

clean:                       ## remove what the other targets made
	rm -rf $(VENV) $(PEERS) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp says that an environment holds what pyproject.toml asks for; editing pyproject.toml makes it stale.
$(VENV)/.ready: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --editable .
	touch $@

$(VENV)/.ready-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --editable ".[test]"
	touch $@ $(VENV)/.ready

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "make: needs Python 3.11 to 3.13 with venv, found none;" \
		"install it (Debian: apt-get install python3-venv) or name one: make PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# NEST and its peers live in an environment of their own: CI needs none of them.
$(PEERS)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: needs Python 3.11 to 3.13 with venv, found none"; exit 1; }
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --editable ".[peers]"
	touch $@
