# Everything a person or a build machine does with the desk. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
# One more than the two processors of a small machine: journeys wait for most of their time.
PYTEST := $(BIN)/pytest -n 3
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := uv pip compile --universal --generate-hashes --no-header --no-annotate --no-strip-extras --quiet

# Or each of the many processes that tests start compiles the whole desk anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset run migrate test test-sqlite test-postgresql journeys model chaos coverage lint types format bench lock clean

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME) ## Start a desk to try out, with a practice Billsby; Ctrl-C stops it
	@exec $(BIN)/canceldesk demo

demo-reset: $(RUNTIME) ## Start the demo over, forgetting what was done in it
	@exec $(BIN)/canceldesk demo --reset

run: $(RUNTIME) ## Serve the real thing, set up by CANCELDESK_... variables
	@exec $(BIN)/canceldesk serve

migrate: $(RUNTIME) ## Create the database, or bring it up to date
	@$(BIN)/canceldesk migrate

test: test-sqlite test-postgresql ## Run all tests on both databases, browser journeys included

test-sqlite: $(DEVELOPMENT) programs ## Run all tests on SQLite
	CANCELDESK_TEST_DATABASE=sqlite $(PYTEST) -m "not chaos"

test-postgresql: $(DEVELOPMENT) programs ## Run the tests that use a database on PostgreSQL
	CANCELDESK_TEST_DATABASE=postgresql $(PYTEST) -m "not chaos"

journeys: $(DEVELOPMENT) programs ## Run only the browser journeys
	$(BIN)/pytest -m journey -p no:randomly

model: $(DEVELOPMENT) ## Make up 300 stories in which anything happens in any order, and judge each
	CANCELDESK_MODEL_EXAMPLES=300 $(BIN)/pytest tests/model/test_model.py

chaos: $(DEVELOPMENT) programs ## Break everything on purpose and judge what became of it
	$(BIN)/pytest -m chaos
	$(BIN)/python -m tests.chaos --seeds 1 --cases 500 --kills 200 --database both

coverage: $(DEVELOPMENT) ## Run the tests without a browser and show what they miss
	$(PYTEST) -m "not chaos and not journey" --cov --cov-report=term

lint: $(DEVELOPMENT) ## Check style, format and the arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(DEVELOPMENT) ## Check the types
	$(BIN)/mypy

format: $(DEVELOPMENT) ## Put the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEVELOPMENT) ## Measure, and print the figures
	@for one in bench/*.py; do echo "== $$one"; $(BIN)/python $$one || exit 1; done
	@echo "== bench/growth.py --of open"; $(BIN)/python bench/growth.py --of open

lock: ## Make both lock files anew (needs uv)
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.lock

clean: ## Remove what tests and tools leave behind
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* htmlcov

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/pip
	@echo "Installing what the desk needs into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.lock pyproject.toml | $(BIN)/pip
	@echo "Installing what development needs into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(RUNTIME)

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "The desk needs Python 3.11 or newer; this is $$($(PYTHON) --version 2>&1)." \
			"Say which to use: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "Python cannot make environments here. On Debian: apt-get install python3-venv"; exit 1; }

.PHONY: programs
programs: # Debian's own programs that tests drive
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v soffice >/dev/null || missing="$$missing libreoffice-calc-nogui"; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing$$missing for the tests ..."; \
		apt-get update -qq && apt-get install -y -qq $$missing >/dev/null && exit 0; \
	fi; \
	echo "MISSING:$$missing, so the tests that need this cannot run here: the browser journeys" \
		"need chromium, opening workbooks in LibreOffice needs libreoffice-calc-nogui." \
		"Install (Debian: apt-get install$$missing) to run all tests."
