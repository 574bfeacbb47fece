#!/usr/bin/env bash
# Runs the benchmarks, each next to its reference:  bench.sh [WHICH [ARGUMENT...]]
# Without arguments, it runs all benchmarks that need no data set. `bench.sh --help` lists them.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Speed is measured on release builds. The real data set only checks correctness, so the tests' debug build is enough.
need=run
profile=(--release)
if [ "${1:-}" = oulad ]; then
  folder=${2:-}
  if [ -z "$folder" ]; then
    echo "The folder of the data set is missing. Usage: make oulad DATA=folder" >&2
    exit 2
  fi
  for file in courses.json lessons.json users.json student_activity_snapshots.csv; do
    if [ ! -f "$folder/$file" ]; then
      echo "The data set is incomplete: $folder/$file does not exist" >&2
      exit 2
    fi
  done
  set -- oulad "$(cd "$folder" && pwd)"
  need="test"
  profile=()
fi
"$scripts/setup.sh" "$need"
"$scripts/build-frontend.sh"
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT"

if [ -n "$POSTGRESQL_BIN" ]; then PATH=$PATH:$POSTGRESQL_BIN; fi # psql
cargo build "${profile[@]}" --locked -p backend --bin dataporter
exec cargo run "${profile[@]}" --locked -p benches -- "$@"
