#!/usr/bin/env bash
# Tests the set-up where it is cheap to: a second run does nothing, says nothing and takes hardly any time.
# What it does on a fresh machine, scripts/setup/selftest.sh tests, in minutes.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Much more than it takes, so that it tells work that is done again from a machine that is busy.
seconds_allowed=10

began=$SECONDS
said=$("$scripts/setup.sh" test 2>&1)
took=$((SECONDS - began))
if [ -n "$said" ]; then
  echo "setup.sh has something to say on a second run: $said" >&2
  exit 1
fi
if [ "$took" -gt "$seconds_allowed" ]; then
  echo "setup.sh takes $took s where there is nothing to do" >&2
  exit 1
fi
