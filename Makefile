# make demo   a report about real fMRI, EEG, iEEG and spikes, and a model of spikes, from nothing
# make test   lint, types, import layers, and every test, from nothing
# make slow   the tests marked slow
# make clean  remove the environment and caches

PYTHON ?= python3
# torch first and pinned: an unpinned install may bring gigabytes of CUDA libraries.
TORCH  ?= torch==2.13.0
JOBS   ?= 2

VENV := .venv
BIN  := $(VENV)/bin
UV   := $(shell command -v uv 2>/dev/null)

# uv does not read pip's setting for folders of wheels; it means the same.
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif

ifneq ($(UV),)
CREATE  = $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
CREATE  = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

# One thread a process: two test processes with two threads each would fight for two cores.
ONE_THREAD = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: demo test slow lint clean

demo: $(VENV)/.core
	$(BIN)/neurokit demo
	$(ONE_THREAD) $(BIN)/neurokit run neuroformer-tiny

test: lint
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow"

slow: $(VENV)/.test
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS) -m slow

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "neurokit needs Python 3.11 or newer; give one with make PYTHON=python3.12"; exit 1; }
	$(CREATE)
	@touch $@

$(VENV)/.torch: | $(VENV)/.python
	@echo "Installing $(TORCH) ..."
	$(INSTALL) $(TORCH)
	@touch $@

$(VENV)/.core: pyproject.toml | $(VENV)/.torch
	@echo "Installing neurokit ..."
	$(INSTALL) -e . $(TORCH)
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.core
	@echo "Installing the test tools ..."
	$(INSTALL) -e '.[test]' $(TORCH)
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist
