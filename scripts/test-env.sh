# shellcheck shell=bash
# The environment of the tests. Sourced by bash, after env.sh.

# Tests mostly wait for PostgreSQL and for timeouts, so one more than the cores can take turns.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$(($(nproc) + 1))}

# The tests create and delete hundreds of databases, each of a few hundred files. That is faster in memory, if there is
# enough of it and programs may be started there.
memory=/dev/shm
if [ -z "${TMPDIR:-}" ] && [ -w "$memory" ] &&
  [ "$(df --output=avail --block-size=M "$memory" | tr -dc '0-9')" -ge 4096 ]; then
  probe=$(mktemp -p "$memory")
  printf '#!/bin/sh\n' >"$probe"
  chmod +x "$probe"
  if "$probe" 2>/dev/null; then export TMPDIR=$memory; fi
  rm -f "$probe"
fi
unset memory probe
