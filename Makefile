# Two commands do everything on a fresh machine: `make demo` (the main job) and `make test` (all tests).
# What is missing is installed inside the project: .venv, the server's jar, the drawing tool's npm packages.
SHELL := /bin/bash
PY := .venv/bin/python
JAR := server/target/order-route-server.jar
ORDERS ?= 12
SEED ?= 1
MONTHS ?= 24
# Three at a time on two cores: engine tests wait more than they work. A file stays together, each has its own engine.
# In the order of the folders: the long files come first, so that the many quick ones fill the end.
TOGETHER := -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: audit demo history test test-quick soak bench growth mutants lint pictures server browser containers lock clean help

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: .venv/ready $(JAR)  ## the main job: real engine, sandbox portal, worker, 12 orders (ORDERS=40 SEED=7)
	@$(PY) -m app demo --orders $(ORDERS) --seed $(SEED)

history: .venv/ready $(JAR)  ## two years of orders on the real engine with its clock set, into data/history; minutes (MONTHS=6 SEED=7)
	@$(PY) -m app demo --history $(MONTHS) --seed $(SEED)

test: .venv/ready $(JAR) diagram/node_modules/.ready browser containers  ## all tests: real engine, browser, containers
	@$(PY) -m pytest $(TOGETHER) -m "not soak"

test-quick: .venv/ready $(JAR) diagram/node_modules/.ready  ## all tests but those that need a browser or containers
	@$(PY) -m pytest $(TOGETHER) -m "not soak and not browser and not containers"

soak: .venv/ready $(JAR) diagram/node_modules/.ready browser containers  ## faults at the counts that are promised: kills, stops, outages, full disks
	@$(PY) -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m soak tests/faults tests/acceptance tests/engine tests/unit

bench: .venv/ready $(JAR)  ## our worker beside its peers on one engine (ARGS="--n 500 --seed 7")
	@$(PY) tests/bench/run.py $(ARGS)

growth: .venv/ready $(JAR) containers  ## what work costs in a shop of 10,000 running and 50,000 finished orders, on PostgreSQL; an hour (ARGS="--levels 100:200,1000:2000")
	@PYTHONPATH=tests $(PY) -m growth $(ARGS)

mutants: .venv/ready $(JAR)  ## remove each protecting mechanism once: a test has to fail (NAMES="intent lease")
	@PYTHONPATH=tests $(PY) -m mutants $(NAMES)

lint: .venv/ready  ## ruff and mypy
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

pictures: .venv/ready diagram/node_modules/.ready browser  ## draw the SVG of every plane of the route anew
	@$(PY) -m diagram.render

server: $(JAR)  ## build the Operaton server's jar

.venv/ready: requirements.lock pyproject.toml
	@command -v python3.11 >/dev/null || command -v python3 >/dev/null || { echo "Нужен Python 3.11: apt-get install python3 python3-venv"; exit 2; }
	@set -e; py=$$(command -v python3.11 || command -v python3); \
	  $$py -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Нужен Python 3.11 или новее: apt-get install python3.11 python3.11-venv"; exit 2; }; \
	  $$py -m venv .venv || { echo "Нужен модуль venv: apt-get install python3-venv"; exit 2; }; \
	  .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	  .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(JAR): server/pom.xml $(shell find server/src -type f 2>/dev/null) diagram/node_modules/.ready
	@command -v java >/dev/null && command -v javac >/dev/null || { echo "Нужна Java 17: apt-get install openjdk-17-jdk-headless"; exit 2; }
	@command -v mvn >/dev/null || { echo "Нужен Maven: apt-get install maven"; exit 2; }
	@echo "Собирается сервер (в первый раз с загрузкой, минута-две)…"
	@mvn -q -B -f server/pom.xml -DskipTests package
	@touch $@

diagram/node_modules/.ready: diagram/package-lock.json
	@command -v npm >/dev/null || { echo "Нужен Node.js с npm: apt-get install nodejs npm"; exit 2; }
	@npm ci --silent --no-audit --no-fund --prefix diagram
	@touch $@

# The browser is a system package: installed only where we are root, named otherwise.
browser:
	@if ! command -v chromium >/dev/null || [ -z "$$(fc-list 2>/dev/null | grep -i liberation | head -1)" ]; then \
	  if [ "$$(id -u)" = 0 ]; then echo "Ставятся chromium и шрифты…"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-liberation fontconfig >/dev/null; \
	  else echo "Нужны системные пакеты: apt-get install chromium fonts-liberation fontconfig"; exit 2; fi; fi

# Containers and PostgreSQL, likewise. Where Docker runs, it is used.
PODMAN := podman runc mmdebstrap netavark aardvark-dns iptables
containers:
	@if { ! docker info >/dev/null 2>&1 && ! { command -v podman && command -v runc && command -v mmdebstrap; } >/dev/null; } || [ ! -d /usr/lib/postgresql ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then echo "Ставятся podman и PostgreSQL…"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PODMAN) postgresql >/dev/null; \
	  else echo "Нужны Docker (или apt-get install $(PODMAN)) и apt-get install postgresql"; exit 2; fi; fi

# Both lock files from pyproject.toml; the image holds only what runs.
LOCK := --generate-hashes --no-emit-index-url --no-annotate --no-header
lock: .venv/ready
	@.venv/bin/pip show -q uv 2>/dev/null || .venv/bin/pip install --quiet uv
	@.venv/bin/uv pip compile -q pyproject.toml --extra dev $(LOCK) -o requirements.lock
	@.venv/bin/uv pip compile -q pyproject.toml -c requirements.lock $(LOCK) -o requirements-image.lock

audit: .venv/ready  ## known vulnerabilities, licences, lists of parts (SBOM) into build/audit; needs the network
	@$(PY) deploy/audit.py

clean:  ## remove what was built
	@rm -rf .venv server/target diagram/node_modules build *.egg-info
