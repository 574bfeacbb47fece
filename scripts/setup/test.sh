#!/usr/bin/env bash
# A quick test of the setup: a second run does nothing, prints nothing and takes hardly any time.
# scripts/setup/selftest.sh tests the setup on a fresh machine, which takes minutes.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Far more than a second run takes, so that a busy machine does not fail the test, but repeated work does.
seconds_allowed=10

began=$SECONDS
said=$("$scripts/setup.sh" test 2>&1)
took=$((SECONDS - began))
if [ -n "$said" ]; then
  echo "setup.sh printed something on a second run: $said" >&2
  exit 1
fi
if [ "$took" -gt "$seconds_allowed" ]; then
  echo "setup.sh took $took s although there was nothing to do" >&2
  exit 1
fi
