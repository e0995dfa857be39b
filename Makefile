.DEFAULT_GOAL := help
SHELL := bash
export PYTHONUNBUFFERED := 1
RUN := .venv/bin
SUITE := tests/cluster/suite

.PHONY: help run test lint lint-charts snapshots format lock crd bench cluster cluster-down test-cluster clean

help:  ## What can be made
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run:  ## The whole platform on this machine; ARGS="--port 9000 --state DIR"
	@scripts/environment local .venv-local
	@exec .venv-local/bin/mediaplatform up examples/local.yaml $(ARGS)

.PHONY: environment
environment:
	@scripts/environment dev

lint: environment  ## Style, types, layers, locks
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	$(RUN)/lint-imports --no-cache
	scripts/check-tree

lint-charts: environment  ## helm lint, schemas of Kubernetes, checkov, tables of values
	scripts/lint-charts

snapshots: environment  ## What the charts render, for tests/charts to compare with
	$(RUN)/python -m tests.charts.snapshots

format: environment  ## Let ruff write the style
	$(RUN)/ruff check --fix
	$(RUN)/ruff format

test: lint lint-charts  ## Everything but the cluster, installing what it needs
	scripts/install-test-tools
	$(RUN)/python -m pytest --cov --cov-report= --durations=15 tests --ignore=tests/cluster
	$(RUN)/coverage report --skip-covered --include='services/core/*' --fail-under=90
	$(RUN)/coverage report --skip-covered --include='operator/mediaplatform_operator/wiring/*' --fail-under=90

bench: environment  ## Figures: one table, and JSON in bench-results/; ARGS="images feed"
	scripts/install-test-tools
	$(RUN)/python -m tests.bench $(ARGS)

cluster: environment  ## A Kubernetes of three zones on this machine, with the product's images
	@$(RUN)/python -m tests.cluster up

cluster-down: environment  ## Nothing of it is left but caches
	@$(RUN)/python -m tests.cluster down

test-cluster: cluster  ## What must hold on a real cluster; what it leaves of a failure is in cluster-results/; SUITE="FILES"
	@$(RUN)/python -m pytest --timeout=900 --durations=0 --durations-min=1 $(SUITE) $(ARGS)

crd: environment  ## crds/ and its copy in the chart, from the typed resource
	$(RUN)/python -m mediaplatform_operator.resource.schema > crds/mediaplatforms.yaml
	cp crds/mediaplatforms.yaml charts/mediaplatform-operator/files/

lock:  ## requirements/*.txt from pyproject.toml
	scripts/lock

clean:  ## Environments and caches inside the tree
	rm -rf .venv .venv-local .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
