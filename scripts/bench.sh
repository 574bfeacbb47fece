#!/usr/bin/env bash
# Runs the benchmarks, each beside its reference:  bench.sh [WHICH [ARGUMENT...]]
# Without arguments all that need no data of their own; what there is to choose from, `bench.sh --help` says.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Speed is measured on release builds. The real data only has to get through, so what the tests have built will do.
need=run
profile=(--release)
if [ "${1:-}" = oulad ]; then
  folder=${2:-}
  if [ -z "$folder" ]; then
    echo "Which folder is the data set in? make oulad DATA=folder" >&2
    exit 2
  fi
  for file in courses.json lessons.json users.json student_activity_snapshots.csv; do
    if [ ! -f "$folder/$file" ]; then
      echo "There is no $folder/$file, which is part of the data set" >&2
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
