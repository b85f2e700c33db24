# Tuan: everything from a fresh clone with Python 3.11+ and make. `make help` tells the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# Without PORT, what starts a stack takes 4566, and what uses one takes the one brought up last.
PORT ?=
export PORT
run up down replay: export PORT := $(or $(PORT),4566)
DAYS ?= 1
OPERATIONS ?= 1000000
SEED ?=
PROCESSES ?=
STAGE ?=

VENV := .venv
PYTHON := $(VENV)/bin/python
# Python would answer a Ctrl-C while it starts with a traceback: it hears none until it is ready.
RUN := trap '' INT; $(PYTHON) -m infra.local.stoppable
NEEDS_PYTHON := Tuan needs Python 3.11 or newer. Install it (with your package manager, or pyenv install 3.12), or name one: make PYTHON3=/path/to/python3.12 ...

NEW_ENOUGH := -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))'

# The first Python that is new enough; PYTHON3= names another.
PYTHON3 ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p $(NEW_ENOUGH) 2>/dev/null && echo $$p && break; done)
CHECK = "$(PYTHON3)" $(NEW_ENOUGH) 2>/dev/null || { echo "$(NEEDS_PYTHON)" >&2; exit 1; }

.PHONY: help run up down test lint format bench soak replay year token pay logs deploy clean python

help: ## Tell what can be made
	@echo "Usage: make TARGET [NAME=value ...]; PORT=4567 moves the local cloud off 4566"
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "  %-9s %s\n", $$1, $$2}'

run: $(VENV)/ready ## Clear the stack on PORT, then play the whole journey on an empty one
	@$(RUN) infra.demo.play --new-stack

up: $(VENV)/ready ## The local stack, without the demo; again keeps the data; PARAMETERS="Name=value ..."
	@$(RUN) infra.local.deploy up $(PARAMETERS)

down: $(VENV)/ready ## The local stack away, data and all
	@$(RUN) infra.local.deploy down

test: $(VENV)/replay ## All tests, side by side in three processes, or those that ARGS= names to pytest
	@$(PYTHON) -m pytest $(or $(ARGS),--numprocesses 3 --dist loadscope)

lint: $(VENV)/ready ## Style, types, and the arrows between layers
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo

format: $(VENV)/ready ## Put the code into the usual form
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/ready ## What an order, a cold start and a settlement cost, as a table
	@$(RUN) tests.bench

soak: $(VENV)/ready ## OPERATIONS= random operations over the use cases, the books checked after each; SEED= repeats them
	@export PYTHONHASHSEED=0; $(RUN) tests.soak --operations "$(OPERATIONS)" $(if $(SEED),--seed "$(SEED)")

replay: $(VENV)/replay ## Clear the stack on PORT, then DAYS= real days of shopping, compared with pandas to the cent
	@$(RUN) infra.demo.replay --new-stack --days "$(DAYS)"

year: $(VENV)/replay ## The whole real year in memory, refunds, runs and payouts too, compared with pandas; DAYS= for less
	@export PYTHONHASHSEED=0; $(RUN) tests.year $(if $(filter-out file,$(origin DAYS)),--days "$(DAYS)") $(if $(SEED),--seed "$(SEED)") $(if $(PROCESSES),--processes "$(PROCESSES)") $(if $(MARKETS),--markets "$(MARKETS)")

token: $(VENV)/ready ## Print a local token: ROLE=operator|customer SUB=any-name, or ROLE=leader SUB=ldr_...
	@$(RUN) infra.local.token "$(ROLE)" "$(SUB)"

pay: $(VENV)/ready ## Play the payment provider: PAYMENT=pay_... is paid; EVENT=evt_... of an earlier call sends that again
	@$(RUN) infra.local.pay "$(PAYMENT)" "$(EVENT)"

logs: $(VENV)/ready ## All that the local functions wrote, oldest first; FUNCTION=DispatchCreate for one of them
	@$(RUN) infra.local.logs $(FUNCTION)

deploy: $(VENV)/ready ## Deploy to AWS: STAGE=dev|prod, with infra/stages/ and PARAMETERS="Name=value ..."
	@$(RUN) infra.deploy "$(STAGE)" $(PARAMETERS)

clean: ## Stop the local stacks and remove everything that was built, environments too
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m infra.local.deploy down-all; fi
	@rm -rf $(VENV) .local .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Also where the environment is there already, so that a Python that will not do is never ignored.
ifneq ($(origin PYTHON3),file)
$(VENV)/ready: | python
endif
python:
	@$(CHECK)

# A group of its own hears no Ctrl-C, which pip and venv would answer with tracebacks.
# Meanwhile a dot every two seconds says that it goes on.
define stoppable
set -m; \
(while sleep 2; do printf . >&2; done) & ticks=$$!; \
trap 'kill -- -$$ticks; echo >&2' EXIT; \
trap 'kill -- -$$!; wait $$! 2>/dev/null || :; echo "Stopped while installing; the next make goes on." >&2; exit 130' INT; \
$(1) & set +m; wait $$!
endef
PIP := $(PYTHON) -m pip install -qq --disable-pip-version-check

$(VENV)/ready: requirements.txt requirements-dev.txt
	@$(CHECK)
	@echo "installing requirements-dev.txt into $(VENV) ..." >&2
	@$(call stoppable,"$(PYTHON3)" -m venv $(VENV)) || { echo "No environment could be made: on Debian and Ubuntu, apt install python3-venv." >&2; exit 1; }
	@$(call stoppable,$(PIP) -r requirements-dev.txt)
	@touch $@

$(VENV)/replay: $(VENV)/ready requirements-replay.txt
	@echo "installing requirements-replay.txt into $(VENV) ..." >&2
	@$(call stoppable,$(PIP) -r requirements-dev.txt -r requirements-replay.txt)
	@touch $@
