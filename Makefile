# Every target works on a fresh machine with Python 3.11+, make and a package index.
# The environment is made by uv where it is installed, else by venv + pip from the same locked versions.
PYTHON ?= python3
HOMES  ?= 12000
PORT   ?= 8000
BIN    := .venv/bin
READY  := .venv/.ready
PEERS  := .venv/.peers

.PHONY: demo serve check docs format test test-slow bench env peers lock

demo: env            ## make the synthetic city, judge its season and serve it
	$(BIN)/nuan demo --homes $(HOMES)
	@echo "http://127.0.0.1:$(PORT)"
	$(BIN)/nuan serve --port $(PORT)

serve: env           ## serve what is in NUAN_HOME (./var)
	$(BIN)/nuan serve --port $(PORT)

check: peers           ## format, lint, types, the street, then the fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -q -n 2 -m "not slow and not browser" tests/terms tests/rules tests/policies tests/facts tests/network tests/buildings tests/house

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: env            ## write the pages of docs/ that are made from tables
	$(BIN)/python -c "from nuan.facts.nomenclature import page; open('docs/nomenclature.md', 'w', encoding='utf-8').write(page())"
	$(BIN)/python -c "from nuan.policies.clause_page import page; open('docs/clauses.md', 'w', encoding='utf-8').write(page())"
	$(BIN)/python -c "from nuan.operations.import_page import page; open('docs/import.md', 'w', encoding='utf-8').write(page())"
	$(BIN)/python -c "from pathlib import Path; from nuan.telemetry.alarms.machine import in_document; p = Path('docs/alarms.md'); p.write_text(in_document(p.read_text('utf-8')), 'utf-8')"
	DJANGO_SETTINGS_MODULE=nuan.site.settings $(BIN)/python -c "import django; django.setup(); from pathlib import Path; from nuan.web.role_documents import write; write(Path('docs/roles'))"

test: peers          ## everything, five minutes of soak included; only what is slow is left out
	$(BIN)/pytest -n 2 -m "not slow"

test-slow: peers
	$(BIN)/pytest -m slow

bench: peers
	$(BIN)/python -m bench

env: $(READY)

$(READY): pyproject.toml uv.lock requirements.txt
	@if command -v uv >/dev/null 2>&1; then \
	  uv sync --frozen --quiet --inexact; \
	else \
	  $(PYTHON) -m venv .venv && $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt \
	  && $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@touch $(READY)

peers: $(PEERS)      ## what tests and benchmarks compare with: other people's clients, decoders, engines and solvers

$(PEERS): $(READY)
	@if command -v uv >/dev/null 2>&1; then \
	  uv sync --frozen --quiet --all-groups; \
	else \
	  $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.txt; \
	fi
	@touch $(PEERS)

lock:                ## after a change of dependencies
	uv lock
	uv export --frozen --quiet --no-emit-project --no-header --no-annotate -o requirements.txt
	uv export --frozen --quiet --no-emit-project --all-groups --no-header --no-annotate -o requirements-peers.txt
