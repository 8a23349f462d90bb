# Everything a newcomer or CI needs, in one word each. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
SMOKE_DIR ?= .cache/smoke
.DEFAULT_GOAL := help
.PHONY: help demo install dev test test-all lint format image agents smoke smoke-agents bench clean

help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mlebench needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(DEV_STAMP): $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(STAMP) ## Make .venv with mlebench in it.
dev: $(DEV_STAMP) ## The same with the test tools.

demo: $(STAMP) ## Prepare bundled real data, run the baseline agent, grade it, write an HTML report (no Docker).
	$(BIN)/mlebench demo

test: $(DEV_STAMP) ## Run the tests (Docker tests only where an engine answers).
	$(BIN)/pytest -n auto

test-all: $(DEV_STAMP) ## The same with the slow tests.
	$(BIN)/pytest -n auto --run-slow

lint: $(DEV_STAMP) ## Lint, check the format and the types.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(DEV_STAMP) ## Format the code.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

image: $(STAMP) ## Build the container image that agents run in (BASE_IMAGE=... for another base, NETWORK=host).
	$(BIN)/mlebench agents build mlebench-agent $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) \
		$(if $(NETWORK),--network $(NETWORK))

smoke: $(STAMP) ## Lite split on synthetic data: prepare, run, report (SANDBOX=docker or process).
	BIN=$(BIN) SMOKE_DIR=$(SMOKE_DIR) bash scripts/smoke.sh

agents: $(STAMP) ## Build the images of all shipped agents (on a machine without registry: scripts/build_agents.sh).
	$(BIN)/mlebench agents build --all

smoke-agents: $(STAMP) ## aide, openhands, mlab-style (and mlab where its image is) with a scripted model, to verified bundles.
	BIN=$(BIN) SMOKE_DIR=$(SMOKE_DIR) bash scripts/smoke_agents.sh

bench: $(DEV_STAMP) ## Measure what docs/benchmarks.md states.
	$(BIN)/python scripts/bench_grading.py

clean: ## Remove what the targets above made.
	rm -rf $(VENV) demo .cache/smoke build dist
