# The commands a person needs: make demo, make test. Everything installs into .venv from the lock file.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS := $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))  # of the tests; many wait for a server or a child more than they compute
.PHONY: venv demo test coverage check model lock clean

venv: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "Installing what triaged needs into $(VENV), every package checked against its hash …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: --no-binary authres -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

demo: venv
	@$(BIN)/triaged demo

test: venv
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

# Branches of the pure core that the unit tests take; those that count their own seconds are left out, tracing is slow.
coverage: venv
	@$(BIN)/pytest -q -n auto --dist worksteal tests/unit -k "not in_time and not quickly" --cov --cov-report=term:skip-covered

check: venv
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

model: venv
	@$(BIN)/python -m triaged.classify.starter

lock:
	@$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv
	@build/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --extra exchange --extra graph --extra oauth --extra postgres --group dev -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build
