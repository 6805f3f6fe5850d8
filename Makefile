# Two commands set everything up: `make run` and `make test`. Both make .venv from the pinned lock if it is not there.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test test-install test-slow check bench docs docs-serve lock clean
.DELETE_ON_ERROR:

run: $(VENV)/.installed  ## Train and evaluate MSG-Flow on the generated stand-in data, with table and plots.
	$(BIN)/vadbench run msgflow

# A file goes to one process, whose tests share what they train.
test: $(VENV)/.installed-dev  ## The tests, without the slow ones.
	$(BIN)/python -m pytest -m "not slow" --numprocesses auto --maxprocesses 4 --dist loadfile

test-slow: $(VENV)/.installed-dev  ## The slow tests: runs killed in each stage, coverage of the intervals, processes side by side.
	$(BIN)/python -m pytest -m slow

test-install: $(VENV)/.installed-dev  ## From a wheel in an empty environment to a third party's component of each kind.
	$(BIN)/python -m pytest -m slow -s tests/install

check: $(VENV)/.installed-dev  ## Style, types, import contract.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev  ## The benchmarks.
	$(BIN)/python -m pytest tests/bench --benchmark-enable --benchmark-only

docs: $(VENV)/.installed-dev  ## The documentation as a site, in build/site.
	$(BIN)/mkdocs build --strict

docs-serve: $(VENV)/.installed-dev  ## The same at http://127.0.0.1:8000, built anew as pages change.
	$(BIN)/mkdocs serve

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vadbench needs Python 3.11 or newer; name one with PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	touch $@

lock:  ## Write constraints.txt anew from an empty environment, after changing a requirement.
	rm -rf .lock && $(PYTHON) -m venv .lock
	.lock/bin/python -m pip install --quiet 'torch==2.13.0' --editable '.[dev]'
	.lock/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > constraints.txt
	rm -rf .lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
