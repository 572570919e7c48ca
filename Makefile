# Every target sets up what it needs in .venv; Python >= 3.11 and git >= 2.38 must be there.
# Another interpreter: make PYTHON=/path/to/python3. More arguments for a tool: make test ARGS="-k lease".

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=

.PHONY: help
help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

$(STAMP): pyproject.toml constraints.txt
	@python="$(PYTHON)"; test -n "$$python" || python=$$(scripts/find-python) || exit 1; \
	test -x $(BIN)/python || "$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: --requirement constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(STAMP) ## Make .venv with the pinned tools and git-cto itself.

.PHONY: test
test: $(STAMP) ## Run every test.
	$(BIN)/python -m pytest --numprocesses auto --dist loadgroup $(ARGS) </dev/null

.PHONY: check
check: $(STAMP) ## Check style, format and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --scripts-are-modules $(wildcard scripts/check-demo scripts/failure-matrix scripts/generate-docs scripts/imports scripts/isolation scripts/providers scripts/reliability) scripts/pin
	$(BIN)/mypy --explicit-package-bases --follow-untyped-imports conftest.py tests \
		$(filter-out plugins/_example/%,$(wildcard plugins/*/tests))

.PHONY: format
format: $(STAMP) ## Rewrite the sources in the house format.
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

.PHONY: demo
demo: $(STAMP) ## Run a team on a scratch repository, then check what it says independently.
	@rm -rf .demo
	$(BIN)/git-cto demo --directory .demo $(ARGS)
	$(BIN)/python scripts/check-demo .demo/result.json

.PHONY: chaos
chaos: $(STAMP) ## Break things on scratch repositories, and see what holds.
	$(BIN)/git-cto chaos $(ARGS)

.PHONY: bench
bench: $(STAMP) ## Measure, and print ratios to a baseline of the same run.
	$(BIN)/python -m bench $(ARGS)

.PHONY: docs
docs: $(STAMP) ## Write the generated pages: command line, events, man page.
	$(BIN)/python scripts/generate-docs

.PHONY: isolation
isolation: $(STAMP) ## Attack every sandbox of this machine and write the table of what held.
	$(BIN)/python scripts/isolation

.PHONY: providers
providers: $(STAMP) ## Run the real agents' CLIs and write the page of what was verified.
	$(BIN)/python scripts/providers $(ARGS)

.PHONY: reliability
reliability: $(STAMP) ## Measure all that proves reliability, and write the page about it.
	$(BIN)/python scripts/reliability $(ARGS)

.PHONY: imports
imports: $(STAMP) ## Write the lists of modules that each command may load.
	$(BIN)/python scripts/imports --write

.PHONY: hooks
hooks: $(STAMP) ## Install this repository's own pre-commit hooks.
	$(BIN)/pre-commit install

# The lock covers every platform and carries the hash of each published file. It is made by a tool
# of its own, so that nothing of it gets into .venv.
.PHONY: pin
pin: ## Choose the newest versions that pyproject.toml allows and write constraints.txt.
	@python="$(PYTHON)"; test -n "$$python" || python=$$(scripts/find-python) || exit 1; \
	"$$python" scripts/pin

.PHONY: clean
clean: ## Remove everything that the other targets made.
	rm -rf $(VENV) .demo .bench build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
