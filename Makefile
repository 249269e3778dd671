# make install   .venv with the locked packages          make demo    the whole story on real data
# make test      everything, machine included            make unit    the fast part
# make lint      ruff, mypy, zizmor, actionlint, schemas make image   the actions' image, both stages
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install lint unit test demo image lock down clean

BIN := .venv/bin
WORKFLOWS := $(wildcard .github/workflows/*.yml workflows-templates/*.yml)
ACTIONS := $(wildcard action.yml actions/*/action.yml)
PYTEST := $(BIN)/python -m pytest --durations=10 $(PYTEST_OPTIONS)

help:
	@sed -n 's/^# //p' Makefile | head -3

install:
	@scripts/venv.sh >/dev/null

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet $(WORKFLOWS) $(ACTIONS)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	@if [ -n "$(ACTIONS)" ]; then $(BIN)/check-jsonschema --builtin-schema vendor.github-actions $(ACTIONS); fi
	@if command -v go >/dev/null; then "$$(scripts/actionlint.sh)" $(WORKFLOWS); \
	  else echo "actionlint left out: it is built with Go, and Go is not installed"; fi

unit: install
	$(PYTEST) -q -n 2 tests/unit tests/contract

# Files two at a time, the longest first; those that would be in each other's way go together: see
# tests/conftest.py. All parts run, so that one answer tells all that is wrong.
FILES := $(addprefix tests/,e2e integration/ship machine integration)

test: install
	@status=0; \
	$(MAKE) --no-print-directory unit || status=1; \
	$(PYTEST) -q -n 2 --dist loadfile --no-loadscope-reorder $(FILES) || status=1; \
	$(MAKE) --no-print-directory lint || status=1; \
	exit $$status

demo: install
	@if [ -x scripts/demo.sh ]; then exec scripts/demo.sh; else exec $(BIN)/python -m demo; fi

image: install
	scripts/action_images.sh

lock: install
	scripts/lock.sh --upgrade

# Ends what the demo and the scripts started and left running.
down:
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m demo --end; fi
	scripts/registry.sh stop 5000
	scripts/docker_engine.sh stop

clean:
	rm -rf .venv dist build demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
