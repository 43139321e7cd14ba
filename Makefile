# The commands a newcomer and CI need. Everything is installed into .venv from hash-locked requirements.
PORT ?= 8000
PYTHON ?= python3
BIN := .venv/bin
export ASSAY_PUBLIC_URL ?= http://127.0.0.1:$(PORT)

.PHONY: help run test test-slow check format openapi interop schemas lock clean-demo clean

.DEFAULT_GOAL := help

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: .venv/installed ## make what is needed, load the demonstration program, serve it
	@ASSAY_LOG_FORMAT=console ASSAY_LOG_LEVEL=$${ASSAY_LOG_LEVEL:-warning} $(BIN)/assay demo

test: .venv/installed-dev tests/interop/node_modules/.package-lock.json ## the whole suite, on SQLite and PostgreSQL
	@env -u ASSAY_PUBLIC_URL $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow"

test-slow: .venv/installed-dev tests/interop/node_modules/.package-lock.json ## what takes longer
	@env -u ASSAY_PUBLIC_URL $(BIN)/python -m pytest -q -m slow

check: .venv/installed-dev ## style, types, layers, migrations drift, OpenAPI snapshot
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@env -u ASSAY_PUBLIC_URL $(BIN)/python -m pytest -q -p no:cacheprovider tests/house/test_migrations.py tests/house/test_openapi.py

format: .venv/installed-dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: .venv/installed-dev ## write docs/openapi.json (with recorded examples), docs/problems.md and docs/settings.md anew
	@env -u ASSAY_PUBLIC_URL $(BIN)/python -m tests.house.record_examples
	@env -u ASSAY_PUBLIC_URL $(BIN)/python -m tests.house.openapi_snapshot
	@env -u ASSAY_PUBLIC_URL $(BIN)/python -m tests.house.record_problems
	@env -u ASSAY_PUBLIC_URL $(BIN)/python -m tests.house.problems_page
	@env -u ASSAY_PUBLIC_URL $(BIN)/python -m tests.house.settings_page

interop: .venv/installed-dev ## write docs/interop.md anew
	@$(BIN)/python -m tests.interop.table

schemas: .venv/installed-dev ## write schemas/json anew
	$(BIN)/python -m tests.house.published_schemas

lock: .venv/installed-dev ## resolve the dependencies of pyproject.toml anew
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--extra build --extra dev pyproject.toml -o requirements-dev.lock

clean-demo: ## forget the demonstration: its database, its keys' key and var/demo.json
	rm -rf var keys/development.key

clean: clean-demo
	rm -rf .venv tests/interop/node_modules .pytest_cache .mypy_cache .ruff_cache

.venv/installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what the service needs …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

# Other people's verifiers. Without node the interop tests are skipped with a reason (and fail under CI=true).
tests/interop/node_modules/.package-lock.json: tests/interop/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --ignore-scripts --prefix tests/interop; \
		else echo "npm is not installed: the interop tests will be skipped"; fi
