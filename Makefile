# Everything a person types: run, test, check. Works on a machine with Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH ?= data/benchmark
VECTORS ?= data/bench-vectors
# Four test processes, which wait for servers and clocks half of their time; each holds a whole bot (up to a gigabyte). A file's tests stay together.
PARALLEL ?= -n 4 --dist loadfile --no-loadscope-reorder

.PHONY: run test check test-long test-transformers transformers soak bench fit vectors browser clean

run: $(VENV)/.installed
	$(BIN)/yui serve

test: $(VENV)/.dev browser check
	$(BIN)/python -m pytest -m "not transformers and not long and not timed" $(PARALLEL)
	$(BIN)/python -m pytest -m timed

# Every question and number, the desk in a browser, in every width and language, random histories, a backup killed in the middle, the whole interface against its description.
test-long: $(VENV)/.dev
	$(BIN)/python -m pytest -m long $(PARALLEL)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m knowledge.corpus

test-transformers: $(VENV)/.dev transformers
	$(BIN)/python -m pytest -m transformers

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Yui needs Python 3.11 or newer: set PYTHON=python3.12, for example." >&2; exit 1)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# sentence-transformers, with a build of torch for the CPU. On x86-64 Linux the plain package brings several GB of CUDA; see docs/operating.md.
transformers: $(VENV)/.installed
	$(BIN)/python -c 'import torch' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-transformers.txt

TORCH ?= torch==2.13.0

# The tests drive a real Chromium. Where there is none and none can be installed, they say so and are skipped.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| (test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null) \
	|| echo "No Chromium here: install it, or the browser tests are skipped."

soak: $(VENV)/.dev
	$(BIN)/python -m bench.soak
	$(BIN)/python -m bench.audience
	$(BIN)/python -m bench.fan_out
	$(BIN)/python -m bench.announcements --seeds 100

bench: $(VENV)/.dev
	$(BIN)/python -m bench.retrieval $(BENCH) $(VECTORS)

fit: $(VENV)/.dev
	$(BIN)/python -m bench.fit_weights $(BENCH) $(VECTORS)

vectors: $(VENV)/.installed
	$(BIN)/python -m knowledge.corpus --embed

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
