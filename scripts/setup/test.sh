#!/usr/bin/env bash
# Tests the set-up where it is cheap to: a second run does nothing, says nothing and takes no time.
# What it does on a fresh machine, scripts/setup/selftest.sh tests, in minutes.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
milliseconds_allowed=300

# The fastest of some runs, since a busy machine may hold up any one of them.
fastest=
for _ in 1 2 3 4 5; do
  began=${EPOCHREALTIME/[.,]/}
  said=$("$scripts/setup.sh" test 2>&1)
  took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
  if [ -n "$said" ]; then
    echo "setup.sh has something to say on a second run: $said" >&2
    exit 1
  fi
  if [ -z "$fastest" ] || [ "$took" -lt "$fastest" ]; then fastest=$took; fi
  if [ "$fastest" -le "$milliseconds_allowed" ]; then exit 0; fi
done
echo "setup.sh takes $fastest ms where there is nothing to do, $milliseconds_allowed allowed" >&2
exit 1
