PYTHON ?= python3
BIN := .venv/bin
CORE_PYTHON ?= $(PYTHON)
CORE := .venv-core/bin
# What needs an extra is left out of the bare environment; everything else must pass there.
NEEDS_EXTRA := nn neural_network plotting
CORE_IGNORES := $(foreach folder,$(NEEDS_EXTRA),--ignore=tests/$(folder) --ignore=skrecall/$(folder)) --ignore=tests/test_backends.py --ignore=tests/test_docs.py --ignore=docs/guide/images.rst --ignore=docs/guide/networks.rst --ignore=docs/guide/rare_class_ensembles.rst --ignore=tests/label_space/test_communities.py --ignore=skrecall/label_space/_communities.py --ignore=tests/multilabel/test_label_space_communities.py --ignore=tests/multilabel/test_skmultilearn_inside.py --ignore=docs/guide/from_scikit_multilearn.rst

export PYTHONHASHSEED := 0
export MPLBACKEND := Agg

.PHONY: demo test test-core lint docs bench clean

demo: .venv/.installed
	$(BIN)/python examples/quickstart.py

test: .venv/.installed
	$(BIN)/python -m pytest -n 2 -q

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m numpydoc lint $$(find skrecall -name '*.py')

docs: .venv/.installed
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

# DATA=DIR adds those that measure on real data sets.
bench: .venv/.installed
	for script in promise cascade threshold search network multilabel_scale; do $(BIN)/python benchmarks/$$script.py || exit 1; done
	$(if $(DATA),for script in oracles multilabel resampling imbalance hard_negatives long_tail; do $(BIN)/python benchmarks/$$script.py --data "$(DATA)" || exit 1; done)

test-core: .venv-core/.installed
	$(CORE)/python -m pytest -n 2 -q $(CORE_IGNORES)

# One environment with every extra, reused until pyproject.toml changes.
.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[all,test,lint,docs,bench]"
	touch $@

# The lowest versions pyproject.toml allows, and no extra.
.venv-core/.installed: pyproject.toml
	@$(CORE_PYTHON) -c 'import sys; v = sys.version_info[:2]; v in {(3, 11), (3, 12)} or sys.exit("make test-core: the lowest versions have wheels for Python 3.11 and 3.12 only, and this is %d.%d; call it with CORE_PYTHON=python3.12." % v)'
	$(CORE_PYTHON) -m venv .venv-core
	$(CORE)/python -m pip install --quiet uv
	$(CORE)/python -m uv pip install --quiet --python $(CORE)/python --resolution lowest-direct --editable ".[test]"
	touch $@

clean:
	rm -rf .venv .venv-core docs/_build docs/api docs/auto_examples
