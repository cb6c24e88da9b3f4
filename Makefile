# One command for each chore. `make demo` and `make test` set up everything they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Two workers; tests/conftest.py says which tests stay together.
SIDE_BY_SIDE := -n 2 --dist loadscope

.PHONY: help setup demo test test-all test-real lint types imports shape bench wheel clean constraints

help:
	@echo 'make demo       the whole story on the embedded lab: build, use, break, mend, roll back'
	@echo 'make test       the tests (under five minutes)'
	@echo 'make test-all   the tests, the slow ones too'
	@echo 'make test-real  the tests on really booted systems (root; the first time builds their image)'
	@echo 'make lint       ruff, mypy --strict, import-linter'
	@echo 'make bench      how fast, beside plain alternatives, on the embedded lab'
	@echo 'make wheel      build the wheel and try it in an empty virtual environment'

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt tools/setup.sh
	PYTHON=$(PYTHON) VENV=$(VENV) sh tools/setup.sh
	@touch $@

demo: setup
	$(BIN)/provision lab demo

test: setup
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'not slow and not real'

test-all: setup
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'not real'

test-real: setup
	sh tests/real/setup.sh
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --no-loadscope-reorder -m real tests/real

lint: setup
	$(BIN)/ruff check provision tests
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python tools/bench.py

wheel: setup
	sh tools/try-wheel.sh $(BIN)/python

constraints:
	sh tools/constraints.sh $(PYTHON) > constraints.txt.new && mv constraints.txt.new constraints.txt

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
