# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test fmt lint typecheck assets fast slow wheel pythons clean

demo: $(VENV)/installed
	$(BIN)/siman-synth generate --n 200 --out demo/words --seed 7 --overwrite
	$(BIN)/siman-synth inspect demo/words --sheet demo/words.png
	$(BIN)/siman-synth verify demo/words --for parseq
	@echo "Look at demo/words.png; train from demo/words (LMDB)."

test: $(VENV)/installed-dev lint typecheck assets fast slow wheel

# The pinned CPU build first: whatever else asks for torch is then satisfied.
$(VENV)/installed: pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install -q -c constraints.txt -e ".[dev,dask,ray,evaluate,fit]"
	touch $@

fmt: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

typecheck: $(VENV)/installed-dev
	$(BIN)/mypy

assets: $(VENV)/installed-dev
	$(BIN)/python fonts/check_fonts.py
	$(BIN)/python corpora/check_corpora.py

fast: $(VENV)/installed-dev
	$(BIN)/pytest -n 2 --durations=15

slow: $(VENV)/installed-dev
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || echo "NO BROWSER: the tests of \
the studio's page are skipped. Install one: apt-get install chromium"
	$(BIN)/pytest -n 2 --runslow -m slow --durations=30

wheel: $(VENV)/installed-dev
	PYTHON=$(PYTHON) BIN=$(BIN) bash tests/install/wheel_elsewhere.sh

# Not part of "test": another Python costs minutes and gigabytes.
pythons: $(VENV)/installed-dev
	BIN=$(BIN) bash tests/install/other_pythons.sh

clean:
	rm -rf $(VENV) dist build demo .pytest_cache .mypy_cache .ruff_cache
