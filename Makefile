PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 0
DATA ?= ocrelay-data
TORCH ?= torch==2.13.0
TRAINING ?= build/training
PROCESSES ?= auto
SMOKE ?= build/training-smoke
MINUTES ?= 90
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest --numprocesses $(PROCESSES) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-training vendor words lock up demo test test-fast chaos check audit-dependencies bench train train-smoke export train-detector export-detector

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready ## Make .venv with the command `ocrelay` in it, and the stronger models (none: OCRELAY_MODELS=crnn-zh-en)

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ocrelay needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv || { echo "Python has no venv module here; on Debian: apt-get install python3-venv"; exit 1; }
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/ocrelay models install --optional
	@touch $@

setup-dev: .venv/ready-dev ## Add what tests and checks need

.venv/ready-dev: .venv/ready requirements-dev.lock
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@

setup-training: .venv/ready-training ## Add PyTorch (large: name a CPU build with TORCH=... where there is one)

.venv/ready-training: .venv/ready-dev
	$(PIP) install "$(TORCH)"
	@touch $@

vendor: .venv/ready-dev ## Take the libraries of the pages anew from their npm packages, by the hashes in api/web/vendor.json
	$(BIN)/python -m api.web.vendor

words: .venv/ready-dev ## Bring the catalogues of the pages up to date with their strings
	$(BIN)/python -m api.web.catalogues

lock: ## Resolve the lock files anew
	$(PYTHON) -m venv build/lock && build/lock/bin/pip --quiet install uv
	build/lock/bin/uv pip compile -q pyproject.toml --group build --extra postgres --universal --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements.lock
	build/lock/bin/uv pip compile -q pyproject.toml --group build --group dev --extra postgres --extra otel --universal --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -c requirements.lock -o requirements-dev.lock

up: setup ## Run everything on this machine, in the foreground
	$(BIN)/ocrelay up --data $(DATA) --port $(PORT) --workers $(WORKERS)

demo: setup ## Start everything, read the sample images through the real queue, show what came out, stop
	$(BIN)/ocrelay demo docs/samples

test: setup-dev ## Run all tests, on PROCESSES cores (some need Debian's postgresql, redis-server, nginx and prometheus)
	$(PYTEST)

test-fast: setup-dev ## Run the tests that start no server, train nothing and open no browser (under 90 seconds)
	$(PYTEST) tests/unit tests/docs

chaos: setup-dev ## Kill everything at random while clients work, on both databases, and account for every job (SEED=1 repeats one)
	$(BIN)/python -m tests.e2e.chaos $(if $(SEED),--seed $(SEED))

check: setup-dev ## Lint, format, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit-dependencies: ## Compare the lock file with PyPI's advisories (needs the internet)
	$(PYTHON) -m venv build/audit && build/audit/bin/pip --quiet install pip-audit
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

bench: setup-dev ## Speed through the service against the same work in-process, and memory; recognition on real data
	$(BIN)/python -m tests.bench.throughput
	$(BIN)/python -m tests.bench.recognition
	$(BIN)/python -m tests.bench.overhead
	$(BIN)/python -m tests.bench.cost

train: setup-training ## Train the recogniser for MINUTES (Debian only; goes on from the last weights)
	$(BIN)/python -m models.training.fetch_packages $(TRAINING)
	$(BIN)/python -m models.training.corpus $(TRAINING)
	$(BIN)/python -m models.training.train $(TRAINING) --minutes $(MINUTES) --resume --head-rate 0.1

train-smoke: setup-training ## Train for half a minute with few fonts, export, and read with what came out (under 3 minutes)
	$(BIN)/python -m models.training.fetch_packages $(SMOKE) --list models/training/packages-smoke.txt
	$(BIN)/python -m models.training.corpus $(SMOKE)
	rm -f $(SMOKE)/checkpoint.pt
	$(BIN)/python -m models.training.train $(SMOKE) --minutes 0.5 --learning-rate 2e-4 --guard-lines 50 --resume
	$(BIN)/python -m models.training.export $(SMOKE) smoke --out $(SMOKE)/weights
	$(BIN)/python -m models.training.evaluate $(SMOKE) --model $(SMOKE)/weights/smoke --plain --most 0.05

train-detector: setup-training ## Train the line detector for MINUTES (after `make train` has fetched fonts and texts)
	$(BIN)/python -m models.training.detector.train $(TRAINING) --minutes $(MINUTES) --resume

export-detector: setup-training ## Export the detector's last checkpoint as the shipped one
	$(BIN)/python -m models.training.detector.export $(TRAINING) --version $$(date +%Y%m%d).1

export: setup-training ## Export the mean of the shipped weights and the last checkpoint as the shipped model
	$(BIN)/python -m models.training.average $(TRAINING) models/weights/crnn-zh-en/weights.pt $(TRAINING)/checkpoint.pt
	$(BIN)/python -m models.training.export $(TRAINING) crnn-zh-en --checkpoint averaged.pt --version $$(date +%Y%m%d).1
	$(BIN)/python -m models.training.calibrate $(TRAINING) models/weights/crnn-zh-en
	$(BIN)/python -m models.training.ngram $(TRAINING) models/weights/crnn-zh-en
