# Everything below sets up .venv by itself; PYTHON names another interpreter.
PYTHON ?= python3
PYTHON_LOWEST ?= python3.10
BIN := .venv/bin
export MPLBACKEND := Agg

.PHONY: demo test test-browser test-lowest faults fuzz soak lint docs linkcheck bench clean

demo: .venv/installed
	$(BIN)/python examples/demo.py

test: lint
	$(BIN)/python -m pytest -q -n 2

# Pages of reports in Chromium, which is installed by Debian's package if it is missing.
test-browser: .venv/installed
	@command -v chromium || command -v chromium-browser || command -v google-chrome || { \
		as=$$( [ "$$(id -u)" = 0 ] || echo sudo ); \
		$$as apt-get update -q && $$as apt-get install -q -y --no-install-recommends chromium; }
	$(BIN)/python -m pytest -q tests/test_browser.py

# With the lowest versions that pyproject.toml allows. On Linux, PyTorch of that version
# comes from PyPI with libraries for GPUs, several gigabytes of them. ONNX needs a newer
# PyTorch.
test-lowest: .venv-lowest/installed
	.venv-lowest/bin/python -m pytest -q -n 2 --ignore tests/test_onnx.py --ignore skae/_onnx --deselect "tests/test_benchmarks.py::test_a_question_is_answered[deploy]"

# What tests of faults do a few times, many times: processes killed, workers lost.
faults: .venv/installed
	$(BIN)/python -m pytest -q -m faults --timeout 1800

# A million files, mutated: an hour on two idle cores.
fuzz: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/python tools/fuzz.py --count 1000000

# 200 fits and a million rows in one process, whose memory is to stay as it is.
soak: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/python tools/soak.py

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The code on the pages is run by `make test`, the pictures are drawn here.
docs: .venv/installed-docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html
	$(BIN)/python tools/links.py docs/_build/html

# Links to elsewhere, for which a network is needed.
linkcheck: .venv/installed-docs
	$(BIN)/python -m sphinx -b linkcheck -D plot_gallery=0 docs docs/_build/linkcheck

# DATA names a directory of data sets; without it, SKAE_DATA does.
bench: .venv-bench/installed
	.venv-bench/bin/python -m benchmarks all $(if $(DATA),--data '$(DATA)')

clean:
	rm -rf .venv .venv-lowest .venv-bench demo_output docs/_build docs/auto_examples docs/generated

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@

# scikit-learn before 1.7 takes tensors as arrays with the help of array-api-compat.
.venv-lowest/installed: pyproject.toml constraints-lowest.txt
	$(PYTHON_LOWEST) -m venv .venv-lowest
	.venv-lowest/bin/pip install -q --disable-pip-version-check -c constraints-lowest.txt -e '.[test]' array-api-compat
	touch $@

.venv-bench/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install -q --disable-pip-version-check -c constraints.txt -e '.[bench]'
	touch $@
