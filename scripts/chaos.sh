#!/usr/bin/env bash
# Weathers the sync through random faults and kills:  chaos.sh [SEEDS]
# SEEDS is a number of seeds, or a range such as 17..18 for one that failed; 500 unless told.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" test
"$scripts/build-frontend.sh"
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT"

CHAOS_SEEDS=${1:-500} exec cargo test --locked -p backend --test api sync::chaos::
