#!/usr/bin/env bash
# Installs what this machine lacks. If nothing is missing, it exits at once and prints nothing.
#   scripts/setup.sh wasm   the tools that build the frontend: wasm32 target, trunk, wasm-bindgen, wasm-opt, esbuild
#   scripts/setup.sh run    the same, and PostgreSQL's programs unless DATABASE_URL names a server
#   scripts/setup.sh test   the same, PostgreSQL's programs in any case, Chromium with its driver, and programs that read
#                           exported files: LibreOffice, and Python with openpyxl, pyarrow and duckdb
# Tools are installed in a cache in the user's home (see scripts/env.sh). Only system packages need root.
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
# shellcheck source=scripts/setup/python-tools.sh
. "$ROOT/scripts/setup/python-tools.sh"

# All packages are installed first and together, so that a missing one is reported before minutes of building.
want_build_tools
case ${1:-run} in
  wasm) ;;
  run)
    if ! names_a_server; then want_postgresql; fi
    ;;
  test)
    want_postgresql
    want_browser
    want_readers
    want_php
    ;;
  *)
    say "usage: scripts/setup.sh wasm|run|test"
    exit 2
    ;;
esac
need_wanted_packages
need_frontend_tools
if [ "${1:-run}" = test ]; then need_python_tools; fi
