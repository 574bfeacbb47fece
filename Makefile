# Commands for working with this checkout. Every target runs a script in scripts/, which explains what it does.
#   make run [LISTEN=127.0.0.1:8080] [DATA_DIR=data]    make sync-demo [LISTEN=127.0.0.1:8080]
#   make test [T=part of a test's name]    make chaos [SEEDS=500]    make oulad DATA=folder
#   make fuzz [SECONDS=60]

.PHONY: setup run sync-demo frontend test chaos fuzz lint bench bench-export soak oulad

setup:
	@scripts/setup.sh test

run:
	@scripts/run.sh

sync-demo:
	@scripts/sync-demo.sh

frontend:
	@scripts/build-frontend.sh

test:
	@scripts/test.sh "$(T)"

chaos:
	@scripts/chaos.sh "$(or $(SEEDS),500)"

fuzz:
	@scripts/fuzz.sh "$(or $(SECONDS),60)"

lint:
	@scripts/lint.sh

bench:
	@scripts/bench.sh

bench-export:
	@scripts/bench.sh export

soak:
	@scripts/bench.sh soak

oulad:
	@scripts/bench.sh oulad "$(DATA)"
