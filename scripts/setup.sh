#!/usr/bin/env bash
# Makes this machine ready, and does nothing, at once and without a word, where it is ready already.
#   scripts/setup.sh wasm   what builds the frontend: wasm32 target, trunk, wasm-bindgen, wasm-opt
#   scripts/setup.sh run    that, and PostgreSQL's programs, unless DATABASE_URL names a server
#   scripts/setup.sh test   that, and PostgreSQL's programs in any case, and Chromium with its driver
# Tools go into a cache in the user's home (scripts/env.sh says where); only missing system packages need root.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ROOT"
# shellcheck source=scripts/setup/report.sh
. "$ROOT/scripts/setup/report.sh"
# shellcheck source=scripts/setup/packages.sh
. "$ROOT/scripts/setup/packages.sh"
# shellcheck source=scripts/setup/frontend-tools.sh
. "$ROOT/scripts/setup/frontend-tools.sh"

# All packages come first and in one go, so that nobody learns after minutes of building that one more is missing.
want_build_tools
case ${1:-run} in
  wasm) ;;
  run)
    if ! names_a_server; then want_postgresql; fi
    ;;
  test)
    want_postgresql
    want_browser
    ;;
  *)
    say "usage: scripts/setup.sh wasm|run|test"
    exit 2
    ;;
esac
need_wanted_packages
need_frontend_tools
