# The commands of the project. `make run` and `make test` set everything up themselves; running them twice is harmless.

PYTHON ?= python3
BIN := .venv/bin
EVAL ?= ../shared/eval
SECONDS ?= 600
SOAK ?= 1800
PEERS ?= ../shared/bench

.PHONY: run test check bench bench-search bench-telegram bench-broadcast bench-zalo bench-counts bench-holdout bench-scale bench-soak fuzz gallery eval translations lock clean help

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: .venv/.runs ## Set up and start the bot: web chat on http://127.0.0.1:8080
	$(BIN)/python -m bot run

# Tests often wait for a process or the disk: one more at a time than there are cores keeps these busy.
test: .venv/.tests ## Set up and run all tests, several at a time
	$(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal

check: .venv/.tests ## Lint, types, content, translations, house
	$(BIN)/ruff check bot handlers tests bench
	$(BIN)/ruff format --check bot handlers tests bench
	$(BIN)/mypy
	BOT_DATABASE=sqlite:///build/check.db $(BIN)/python -m bot check --on $$(git log -1 --format=%cs 2>/dev/null || date +%F)
	$(BIN)/python -m pytest tests/repository/test_layers.py

bench: bench-search bench-counts bench-zalo bench-telegram ## Measure everything that has a benchmark

bench-search: .venv/.tests ## Measure the search beside FTS5, rapidfuzz and TF-IDF
	$(BIN)/python bench/search.py --questions $(EVAL)/questions.jsonl

bench-telegram: .venv/.tests ## Measure the real bot on Telegram beside PTB, aiogram, telebot and bare aiohttp (10 min)
	$(BIN)/python bench/telegram_peers.py --peers $(PEERS)

bench-broadcast: .venv/.tests ## Measure broadcasts with their ledger beside PTB, aiogram and bare aiohttp, planning of 100,000, replies meanwhile
	$(BIN)/python bench/broadcast.py --peers $(PEERS)
	$(BIN)/python bench/broadcast_replies.py --peers $(PEERS)

bench-zalo: .venv/.tests ## Time the webhook of the Official Account at 200 events a second
	$(BIN)/python bench/zalo_hook.py

bench-counts: .venv/.tests ## Time every count on ten million reports (builds 2 GB, about 15 min the first time)
	PYTHONPATH=. $(BIN)/python bench/counts.py

bench-holdout: .venv/.tests ## Does the interval of a broadcast that holds people back cover a known effect (10,000 runs each)
	PYTHONPATH=. $(BIN)/python bench/holdout.py

bench-scale: .venv/.tests ## Measure 1, 2 and 4 processes on one PostgreSQL by webhook, then reckon a nation from it
	PYTHONPATH=. $(BIN)/python bench/scale.py
	$(BIN)/python bench/scale_model.py

bench-soak: .venv/.tests ## Mixed load at 70 % of what the bot takes: memory, latency, nothing lost (30 min; SOAK=180 for three)
	PYTHONPATH=. $(BIN)/python bench/soak.py --seconds $(SOAK)

fuzz: .venv/.tests ## Feed the readers of foreign input with wild bytes (10 min; SECONDS=60 for a minute), then try ten times the examples of every property test, new ones
	$(BIN)/pip install -q --disable-pip-version-check atheris==3.0.0
	@mkdir -p build/fuzz
	PYTHONPATH=. $(BIN)/python bench/fuzz.py $(SECONDS)
	FUZZ=true $(BIN)/python -m pytest -m hypothesis -n $$(getconf _NPROCESSORS_ONLN) --dist worksteal

gallery: .venv/.tests ## Make the pictures of docs/gallery anew (needs Chromium and LibreOffice)
	PYTHONPATH=. $(BIN)/python bench/gallery.py

eval: .venv/.tests ## Answer the development questions, conversations and emergencies, and score them
	@mkdir -p build/eval
	BOT_DATA=build $(BIN)/python -m bot ask --jsonl < $(EVAL)/questions.jsonl > build/eval/questions.jsonl
	$(PYTHON) $(EVAL)/score.py $(EVAL)/questions.jsonl build/eval/questions.jsonl
	BOT_DATA=build $(BIN)/python -m bot talk --jsonl < $(EVAL)/dialogues.jsonl > build/eval/dialogues.jsonl
	$(PYTHON) $(EVAL)/talk_score.py $(EVAL)/dialogues.jsonl build/eval/dialogues.jsonl
	$(PYTHON) $(EVAL)/talk_score.py --as-talk $(EVAL)/danger.jsonl | BOT_DATA=build $(BIN)/python -m bot talk --jsonl > build/eval/danger.jsonl
	$(PYTHON) $(EVAL)/talk_score.py --danger $(EVAL)/danger.jsonl build/eval/danger.jsonl

translations: .venv/.tests ## Compile the catalogues after a change in locale/
	$(BIN)/pybabel -q compile -d locale

lock: .venv/.tests ## Pin the dependencies again
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --extra dev pyproject.toml -o requirements-dev.lock

clean: ## Remove what the commands made; data/ stays
	rm -rf .venv build .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# A catalogue or lock file that changed runs its step again, nothing else does.
.venv/.runs: .venv/bin/python requirements.lock $(wildcard locale/*/LC_MESSAGES/*.po)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pybabel -q compile -d locale
	@touch $@

.venv/.tests: .venv/bin/python requirements-dev.lock $(wildcard locale/*/LC_MESSAGES/*.po)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pybabel -q compile -d locale
	@mkdir -p build
	@touch $@ .venv/.runs
