#!/usr/bin/env bash
# Runs all tests, or those whose names match:  test.sh [PART OF A TEST'S NAME]
# The last line sums up the results of all test binaries, in the format of a single result.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" test
"$scripts/setup/test.sh"
"$scripts/build-frontend.sh"
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
# shellcheck source=scripts/test-env.sh
. "$scripts/test-env.sh"
cd "$ROOT"

name=${1:-}
began=$SECONDS
output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0
cargo test --workspace --locked --no-fail-fast ${name:+"$name"} | tee "$output" || status=$?

awk -v status="$status" -v seconds=$((SECONDS - began)) '
  /^test result: / { passed += $4; failed += $6; ignored += $8; filtered += $12 }
  END {
    printf "\ntest result: %s. %d passed; %d failed; %d ignored; %d filtered out; finished in %d s\n",
      status == 0 ? "ok" : "FAILED", passed, failed, ignored, filtered, seconds
  }' "$output"
exit "$status"
