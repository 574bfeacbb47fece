#!/usr/bin/env bash
# Runs the benchmarks, each beside its reference:  bench.sh [WHICH [ARGUMENT...]]
# Without arguments all of them; what there is to choose from, `bench.sh --help` says.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" run
"$scripts/build-frontend.sh"
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT"

cargo build --release --locked -p backend --bin dataporter
exec cargo run --release --locked -p benches -- "$@"
