# Every target in one line: make help
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help venv lock lint test oracles demo demo-embedded cluster-up cluster-status cluster-down e2e e2e-all figures soak crds manifests calibrate bench mutants faults image clean docs browser transcript
PY := .venv/bin/python

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/' | expand -t 18

venv: ## Make the project's virtual environment from the hash-pinned lock
	@scripts/venv.sh

lock: venv ## Renew the hash-pinned requirements files
	scripts/lock.sh

lint: venv ## Formatting, ruff, mypy strict and the import contracts
	.venv/bin/ruff format --check -q operator tests e2e bench
	.venv/bin/ruff check -q operator tests e2e bench
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

test: lint ## Lint, then every test that needs no cluster
	$(PY) -m e2e.chart --tools
	$(PY) -m pytest -q -n auto --dist loadfile -m "not slow and not cluster and not browser" tests

oracles: venv ## Our estimators against other people's, with the largest differences; pyfixest in an environment of its own
	$(PY) -m pytest -v tests/oracles
	.venv/bin/uv run -q --no-project --isolated -p $(PY) --with-requirements requirements/oracles.txt python tests/oracles/pyfixest_numbers.py --check

demo: venv ## The main job on a real cluster: a bad and a good release, gated; writes demo-out/report.html
	$(PY) -m e2e.story

demo-embedded: venv ## The same story over an in-process API and simulated telemetry, under a minute
	$(PY) -m e2e.story --embedded

cluster-up: venv ## Bring the local cluster up (KUBECONFIG, else kind, else made here on Debian as root)
	$(PY) -m e2e.cluster up

cluster-status: venv ## What of the cluster runs
	$(PY) -m e2e.cluster status

cluster-down: venv ## Take it down and leave nothing behind
	$(PY) -m e2e.cluster down

e2e: cluster-up ## Core scenarios on the cluster, after the demo service's own tests
	$(PY) -m e2e.demo test
	$(PY) -m pytest -q -m "cluster and core" e2e/scenarios

e2e-all: cluster-up ## Every scenario on the cluster
	$(PY) -m e2e.demo test
	$(PY) -m pytest -q -m cluster e2e/scenarios
	$(PY) -m pytest -q -m cluster e2e/api e2e/chart tests

figures: cluster-up ## The figures of docs/measurements.md again: harms, 20 harmless releases in a row, shares, rest (80 minutes)
	$(PY) -m e2e.figures

soak: cluster-up ## 200 rollouts for 20 minutes on the cluster: the operator's memory must stay flat
	$(PY) -m e2e.soak

crds: venv ## Render crds/, docs/api.md and docs/reasons.md from the code
	$(PY) -m causal_rollouts.api.schema
	cp crds/*.yaml charts/causal-rollouts/files/crds/
	$(PY) -m causal_rollouts.api.reference
	$(PY) -m causal_rollouts.cli.meanings_page

transcript: venv ## docs/walkthrough.md again: a release by the command line alone, over an in-process API
	$(PY) -m e2e.transcript

browser: venv ## Reports in a headless browser: contrast, names, clipped words, keys, paper; installs what it lacks
	@scripts/browser.sh

docs: venv ## The pages of docs/ as a site in site/, every link checked; the generator in an environment of its own
	@NO_MKDOCS_2_WARNING=1 .venv/bin/uv run -q --no-project --isolated -p $(PY) --with-requirements requirements/docs.txt python -m mkdocs build -q --strict

manifests: venv ## Write the dashboards, and render config/ and dist/install.yaml from the chart
	$(PY) -m e2e.chart

calibrate: venv ## False reverts and detections of the whole gate in simulation (minutes)
	$(PY) -m pytest -q -m slow tests/calibration

bench: venv ## A tick beside statsmodels, a replay, and what it takes to start
	$(PY) -m bench

mutants: venv ## Mutation tests of the safety argument (decision/); at least 95% must be killed
	$(PY) -m bench.mutants

faults: venv ## Every fault that is tried, and the table of docs/failure-modes.md
	$(PY) -m bench.faults

image: ## Build the operator's image with docker or buildah (BASE= names another base image)
	scripts/image.sh

clean: ## Remove what was built here (not the cache of cluster parts)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache demo-out dist site
