# Two commands: `make demo` shows the whole thing running; `make test` proves it.
# Everything is installed into .venv from the pinned lists in requirements/; nothing else on the machine changes.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed

.PHONY: setup demo test bench lock clean

setup: $(STAMP)

$(STAMP): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Pileus needs Python 3.11 or later; point PYTHON at one: make setup PYTHON=python3.12" >&2; exit 2; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned dependencies into $(VENV) …"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements/lock.txt
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: setup
	@$(VENV)/bin/python tools/demo.py $(if $(DEMO_EXIT),--exit)

test: setup
	@./check

bench: setup
	@$(VENV)/bin/python -m benchmarks

# Writes the pinned list anew from pyproject.toml and requirements/dev.in.
lock:
	@$(PYTHON) -m venv build/lock-venv && build/lock-venv/bin/pip install --quiet uv
	@build/lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header pyproject.toml requirements/dev.in -o requirements/lock.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache
