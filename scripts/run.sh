#!/usr/bin/env bash
# Builds the product and serves it with a private PostgreSQL. An empty database is filled with the demo academy.
#   LISTEN    the address, by default 127.0.0.1:8080
#   DATA_DIR  the directory of the database, by default ./data; read by the server itself
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" run
"$scripts/build-frontend.sh"
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT"

exec cargo run --release --locked -p backend --bin dataporter -- \
  serve --demo-if-empty --listen "${LISTEN:-127.0.0.1:8080}"
