# Two commands do everything: make demo, make test. See README.md.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.requirements
MESSAGES := config/locale/ko/LC_MESSAGES/django.mo
SERVE ?= 1
PORT ?= 8000
# Processes that share the tests between them; each starts servers of its own.
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
export PORT

.PHONY: help demo multinational test bench storm lint mutation fuzz sbom audit run setup messages format clean

help:
	@echo "make demo [SERVE=0] [PORT=8000]  set up, replay the cases of 2025, leave their PDFs, serve the site"
	@echo "make multinational               play an invented case of six companies: every filing due, and an index of them"
	@echo "make test                        set up and run all tests"
	@echo "make bench                       ratios measured in one run, ours against the plain library"
	@echo "make storm [SEED=n]              a busy hour in which everything is killed again and again, and an account of it"
	@echo "make run                         serve your own data in var/"
	@echo "make lint                        format, lint, types, import ladder"
	@echo "make fuzz [EXAMPLES=100]         made-up requests to the API, as every role, by the thousand"
	@echo "make sbom [SBOM=var/sbom.json]   the list of components, as CycloneDX"
	@echo "make audit                       known holes in the pinned components (asks PyPI)"
	@echo "make mutation [WORKERS=2]        break the engine in one place at a time: do its tests notice?"

$(BIN)/python:
	@python=$$(sh config/setup/find-python.sh) && echo "Making $(VENV) with $$python" && "$$python" -m venv $(VENV)

$(STAMP): requirements.txt | $(BIN)/python
	@echo "Installing Python packages"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(MESSAGES): config/locale/ko/LC_MESSAGES/django.po $(STAMP)
	@$(BIN)/pybabel -q compile -D django -d config/locale -l ko

messages: $(MESSAGES)

# The big files of others, sent compressed; ours are small and change, so that a stale copy would be worse than none.
SMALL := config/static/vendor/tabler/tabler.min.css.gz
$(SMALL): config/static/vendor/tabler/tabler.min.css $(STAMP)
	@$(BIN)/python -m whitenoise.compress -q config/static/vendor

setup: $(STAMP) $(MESSAGES) $(SMALL)
	@sh config/setup/packages.sh app

demo: setup
	@rm -rf var/demo.previous && if [ -d var/demo ]; then mv var/demo var/demo.previous; fi
	@echo "Making the demo's database"
	@BREACHCLOCK_VAR=var/demo $(BIN)/python manage.py migrate -v 0
	@BREACHCLOCK_VAR=var/demo $(BIN)/python manage.py demo
	@if [ "$(SERVE)" != 0 ]; then \
		echo "\nServing http://127.0.0.1:$(PORT)/ (Ctrl-C stops)"; \
		export PATH="$(CURDIR)/$(BIN):$$PATH" BREACHCLOCK_VAR=var/demo BREACHCLOCK_SECOND_FACTOR=offered SITE_URL="http://127.0.0.1:$(PORT)"; \
		exec $(BIN)/honcho -f config/Procfile -d . start; \
	fi

# Every filing of six companies and all states, with an index: some minutes.
multinational: setup
	$(BIN)/python manage.py replay incidents/scenarios/multinational-2026.yaml --out var/multinational
	@echo "See var/multinational/index.html"

run: setup
	@$(BIN)/python manage.py migrate -v 0
	@echo "Serving http://127.0.0.1:$(PORT)/ (Ctrl-C stops). First time? $(BIN)/python manage.py setup_company --help"
	@export PATH="$(CURDIR)/$(BIN):$$PATH" SITE_URL="$${SITE_URL:-http://127.0.0.1:$(PORT)}"; exec $(BIN)/honcho -f config/Procfile -d . start

test: setup
	@sh config/setup/packages.sh test
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile
	@echo "Once more on SQLite, what must hold on both databases"
	BREACHCLOCK_TEST_DATABASE=sqlite $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m both_databases

bench: setup
	$(BIN)/python -m tests.bench_law
	$(BIN)/python -m tests.bench_review
	$(BIN)/python -m tests.bench_clocks
	$(BIN)/python -m tests.bench_filings
	$(BIN)/python -m tests.bench_desk

storm: setup
	@sh config/setup/packages.sh test
	$(BIN)/python -m tests.storm $(if $(SEED),--seed $(SEED))

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -c pyproject.toml -r compliance config incidents reports manage.py

# Takes the better part of an hour; what survives and why is in docs/mutation.md.
mutation: setup
	$(BIN)/python -m tests.mutation $(WORKERS)

# So many made-up requests for each role and operation; make test makes a few.
EXAMPLES ?= 100
fuzz: setup
	@sh config/setup/packages.sh test
	BREACHCLOCK_FUZZ=$(EXAMPLES) $(BIN)/python -m pytest -q -n $(WORKERS) tests/security/test_roles_fuzzed.py

SBOM ?= var/sbom.json
sbom: setup
	@$(BIN)/python config/setup/sbom.py $(SBOM) && echo "$(SBOM)"

# In an environment of its own: it needs PyPI's own service, which a mirror may not have. What could not be looked up fails.
AUDIT := var/audit
audit:
	@test -x $(AUDIT)/bin/pip-audit || { python3 -m venv $(AUDIT) && $(AUDIT)/bin/pip install -q pip-audit==2.10.1; }
	$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip -r requirements.txt

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis mutants
