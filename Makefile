# Two commands matter to most people: `make demo` and `make test`. Both make .venv first, from pinned and hashed wheels.
# Needed: make, and Python 3.11 or newer with venv. Another one than the first found: make PYTHON=/path/to/python demo

PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet install
LOCK = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
	--custom-compile-command 'make requirements'

WORKERS ?= 2

.PHONY: help venv demo soak test check bench limits accuracy aa schema image swarm test-swarm requirements clean

help:
	@echo 'make demo           a server, the three scenarios against it, a verdict (a minute)'
	@echo 'make soak           all scenarios for an hour (MOP_SOAK_MINUTES), and what drifts; SOAK="-u 15" for options of the run'
	@echo 'make test           the whole test suite; PYTEST="-k name" for a part of it'
	@echo 'make check          style, types and the direction of imports'
	@echo 'make bench          CPU an operation beside k6, wrk and Locust itself (half an hour); BENCH="--only a,d --rounds 2" for less'
	@echo 'make limits         start-up, TLS, a second worker, the master, added latency, memory and pauses at 5,000 users (15 minutes)'
	@echo 'make accuracy       reported latencies beside the true ones, over all transports (5 minutes, a quiet machine)'
	@echo 'make aa             how often identical runs are called different (8 minutes, a quiet machine)'
	@echo 'make schema         docs/summary.schema.json again, after a change of the summary'
	@echo 'make swarm          master, workers and reference server in containers; WORKERS=4, MOP_SCENARIO=... (see .env.example)'
	@echo 'make image          the image, and build/sbom.cdx.json; BASE_IMAGE=... to build on another Python'
	@echo 'make test-swarm     the tests of the image and the swarm (minutes; they need a Docker engine)'
	@echo 'make venv           only the environment'
	@echo 'make requirements   pins and hashes again, after a change of pyproject.toml (needs uv)'
	@echo 'make clean          removes what make made, but no report'

venv: .venv/made-dev

demo: .venv/made
	@scripts/demo

soak: .venv/made
	@.venv/bin/mop-locust soak $(SOAK)

test: .venv/made-dev
	$(if $(PYTEST),.venv/bin/python -m pytest $(PYTEST),.venv/bin/python scripts/run_tests.py $(if $(JUNIT),--junit $(JUNIT)))

check: .venv/made-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/made-dev
	.venv/bin/python -m benchmarks.compare $(BENCH)

limits: .venv/made-dev
	@status=0; for part in startup tls workers master latency memory; do \
		echo "benchmarks.$$part"; .venv/bin/python -m benchmarks.$$part || status=1; echo; \
	done; exit $$status

accuracy: .venv/made
	.venv/bin/python -m benchmarks.accuracy

aa: .venv/made
	.venv/bin/python -m benchmarks.aa

schema: .venv/made
	.venv/bin/python -m mop_locust.report.schema > docs/summary.schema.json

image: .venv/made-dev
	scripts/image $(IMAGE_OPTIONS)

swarm:
	@scripts/swarm $(WORKERS)

test-swarm: image
	.venv/bin/python -m pytest tests/swarm $(PYTEST)

# Each stamp is newer than what its packages were installed from. The build backend is one of them, so nothing is fetched
# to install the project itself. The locks are whole, so nothing is resolved again (--no-deps): pip would look for a newer
# release of what is wanted with an extra, and refuse it for its hash.
.venv/made: requirements.txt pyproject.toml
	test -x .venv/bin/python || "$$(PYTHON='$(PYTHON)' scripts/find-python)" -m venv .venv
	$(PIP) --require-hashes --no-deps --only-binary :all: -r requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/made-dev: .venv/made requirements-dev.txt
	$(PIP) --require-hashes --no-deps --only-binary :all: -r requirements-dev.txt
	@touch $@

requirements:
	$(LOCK) --group build --output-file requirements.txt
	$(LOCK) --group dev --constraints requirements.txt --output-file requirements-dev.txt

clean:
	rm -rf .venv build dist .coverage htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
