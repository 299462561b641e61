# `make run` and `make test` set up what they need. `make run` asks for Python 3.11 to 3.13 alone;
# `make test` and `make extension` for Node 20 or later, too.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# in this environment `pip` must not ask for a newer self, nor tests for a terminal
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# most of the suite's time is waiting, so that three processes keep two cores busy
PARALLEL ?= -n 3 --dist loadscope

.PHONY: run test test-whole test-all lint format lock images extension train evaluate benchmark example screenshots clean
.DEFAULT_GOAL := run

INSTALLED_FROM := pyproject.toml constraints.txt requirements.lock scripts/install.sh scripts/locked.py

$(VENV)/serving: $(INSTALLED_FROM)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PYTHON=$(BIN)/python scripts/install.sh --editable server
	touch $@

$(VENV)/developing: $(INSTALLED_FROM)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PYTHON=$(BIN)/python scripts/install.sh --editable server,bot,train,openvino,dev
	touch $(VENV)/serving $@

extension/node_modules/installed: extension/package.json extension/package-lock.json
	cd extension && npm ci --no-audit --no-fund
	touch $@

## make run: the whole service; make run PHOTO=some.jpg: check that photo, results in out/
run: $(VENV)/serving
ifdef PHOTO
	$(BIN)/unmask check "$(PHOTO)" --out out
else
	$(BIN)/unmask up
endif

## make test: lint, then the tests that need no whole services: run it while you work
test: lint
	cd extension && npm test
	$(BIN)/python -m pytest $(PARALLEL) -m "not whole and not slow"

## make test-whole: those that start services, bots, browsers and training runs; CI runs both
test-whole: $(VENV)/developing extension/node_modules/installed
	sh tests/browser/install.sh
	$(BIN)/python -m pytest $(PARALLEL) -m "whole and not slow"

## make test-all: all of them, the slow ones too, and more fuzzing: each night
test-all: lint
	cd extension && npm test
	sh tests/browser/install.sh
	FUZZ_PROFILE=nightly $(BIN)/python -m pytest $(PARALLEL)

lint: $(VENV)/developing extension/node_modules/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd extension && npm run lint

## make extension: zip files for both stores, in extension/build
extension: extension/node_modules/installed
	cd extension && npm run package

format: $(VENV)/developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

## make lock: requirements.lock, after a change of pyproject.toml or constraints.txt
lock: $(VENV)/developing
	$(BIN)/python -m scripts.lock

## make images: each image of docker/Dockerfile, built and started until its health check passes
images:
	$(PYTHON) -m scripts.images

# DATA is a folder with faces.csv, or with train|valid|test/real|fake, or several that make one set
train: $(VENV)/developing
	$(BIN)/python -m model_training train --data $(DATA) $(ARGS)

# of each copy for robustness, so many pictures a source and class: all of them take hours
MOST ?= 30
MEASURE = --data $(DATA) --cache runs/cache

evaluate: $(VENV)/developing
	$(BIN)/python -m model_training evaluate $(MEASURE) $(ARGS)
	$(BIN)/python -m model_training robustness $(MEASURE) --most $(MOST)
	$(BIN)/python -m model_training crowds $(MEASURE)
	$(BIN)/python -m model_training layers $(MEASURE)
	$(BIN)/python -m model_training compare $(MEASURE)
	$(BIN)/python -m model_training left-out $(MEASURE)
	$(BIN)/python -m model_training heads $(MEASURE)
	$(BIN)/python -m model_training views $(MEASURE) --most $(MOST)
	$(BIN)/python -m model_training goals $(MEASURE)
	$(BIN)/python -m model_training gallery $(MEASURE) --out runs/gallery \
		--record docs/evaluation/gallery.json
	$(BIN)/python -m model_training modelcard
	$(BIN)/python -m model_training results

# benchmarks/README.md names the others
benchmark: $(VENV)/developing extension
	$(BIN)/python benchmarks/check.py
	$(BIN)/python -m benchmarks.bot
	$(BIN)/python -m benchmarks.extension

# the pictures of the README
example: $(VENV)/developing
	$(BIN)/python -m model_training example

# the pictures of the pages on the extension and on the desk
screenshots: $(VENV)/developing extension
	sh tests/browser/install.sh
	$(BIN)/python -m scripts.extension_screenshots
	$(BIN)/python -m scripts.desk_screenshots

clean:
	rm -rf $(VENV) build out *.egg-info extension/build extension/node_modules
