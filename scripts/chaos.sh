#!/usr/bin/env bash
# Runs the sync under random faults and kills:  chaos.sh [SEEDS]
# SEEDS is the number of seeds (default 500), or a range such as 17..18 to repeat a seed that failed.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" test
"$scripts/build-frontend.sh"
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
# shellcheck source=scripts/test-env.sh
. "$scripts/test-env.sh"
cd "$ROOT"

CHAOS_SEEDS=${1:-500} exec cargo test --locked -p backend --test api sync::chaos::
