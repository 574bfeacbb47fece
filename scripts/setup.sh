#!/usr/bin/env bash
# Makes this machine ready, and does nothing, at once and without a word, where it is ready already.
#   scripts/setup.sh wasm   what builds the frontend: wasm32 target, trunk, wasm-bindgen, wasm-opt
#   scripts/setup.sh run    that, and PostgreSQL's programs
#   scripts/setup.sh test   that, and Chromium with its driver
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

need() {
  case $1 in
    wasm) need_frontend_tools ;;
    run)
      need wasm
      need_postgresql
      ;;
    test)
      need run
      need_browser
      ;;
    *)
      say "usage: scripts/setup.sh wasm|run|test"
      exit 2
      ;;
  esac
}
need "${1:-run}"
