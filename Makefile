# `make run` and `make test` set up what they need; Python 3.11 to 3.13 is all they ask for.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# in this environment `pip` must not ask for a newer self, nor tests for a terminal
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint format train evaluate benchmark example clean
.DEFAULT_GOAL := run

INSTALLED_FROM := pyproject.toml constraints.txt scripts/install.sh

$(VENV)/serving: $(INSTALLED_FROM)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PYTHON=$(BIN)/python scripts/install.sh --editable server
	touch $@

$(VENV)/developing: $(INSTALLED_FROM)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PYTHON=$(BIN)/python scripts/install.sh --editable server,bot,train,dev
	touch $(VENV)/serving $@

## make run: the whole service; make run PHOTO=some.jpg: check that photo, results in out/
run: $(VENV)/serving
ifdef PHOTO
	$(BIN)/unmask check "$(PHOTO)" --out out
else
	$(BIN)/unmask up
endif

## make test: lint, then every test
test: lint
	sh tests/browser/install.sh
	$(BIN)/python -m pytest

lint: $(VENV)/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# DATA is a folder with faces.csv, or with train|valid|test/real|fake
train: $(VENV)/developing
	$(BIN)/python -m model_training train --data "$(DATA)" $(ARGS)

evaluate: $(VENV)/developing
	$(BIN)/python -m model_training evaluate --data "$(DATA)" $(ARGS)
	$(BIN)/python -m model_training denoise --data "$(DATA)"
	$(BIN)/python -m model_training modelcard

benchmark: $(VENV)/developing
	$(BIN)/python benchmarks/check.py

# the pictures of the README
example: $(VENV)/developing
	$(BIN)/python -m model_training example

clean:
	rm -rf $(VENV) build out *.egg-info
