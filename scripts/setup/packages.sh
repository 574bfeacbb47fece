# shellcheck shell=bash
# Packages of the system's package manager: compiler, npm, PostgreSQL, browser, PHP, and programs that read exported files.
# Sourced. Supports apt only. On other systems, or without permission to install, it reports what is missing.

wanted=()   # descriptions of what is missing
packages=() # the packages that provide it

# want WHAT PACKAGE...: adds something missing to the list.
want() {
  wanted+=("$1")
  shift
  packages+=("$@")
}

want_build_tools() {
  if ! command -v cc >/dev/null; then want "a C compiler" gcc libc6-dev; fi
  if ! command -v make >/dev/null; then want "make" make; fi
  if ! { has_wasm_opt && has_esbuild; } && ! command -v npm >/dev/null; then want "npm" npm; fi
}

want_postgresql() {
  if [ -n "$POSTGRESQL_BIN" ]; then return; fi
  if [ -n "${DATAPORTER_PG_BIN:-}" ]; then
    fail "there is no PostgreSQL $POSTGRESQL_VERSION or newer in DATAPORTER_PG_BIN ($DATAPORTER_PG_BIN)"
  fi
  local package=postgresql-$POSTGRESQL_VERSION
  if command -v apt-cache >/dev/null && ! apt-cache show "$package" >/dev/null 2>&1; then
    package=postgresql # another release of Debian or Ubuntu, perhaps with a newer version
  fi
  want "PostgreSQL" "$package"
}

want_browser() {
  if [ -n "$CHROMIUM" ] && [ -n "$CHROMEDRIVER" ]; then return; fi
  want "Chromium with its driver" chromium chromium-driver
}

want_readers() {
  if [ -z "$TEST_PYTHON" ] && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then want "Python" python3-venv; fi
  if [ -z "$LIBREOFFICE" ]; then want "LibreOffice Calc" libreoffice-calc-nogui; fi
}

# For the tests of the PHP client.
want_php() {
  if [ -z "$PHP" ] || ! "$PHP" -m | grep -qx pdo_sqlite; then want "PHP with SQLite" php-cli php-sqlite3; fi
}

# Whether DATABASE_URL names a server, so that no PostgreSQL is needed on this machine.
names_a_server() { [ -n "${DATABASE_URL:-}" ] || grep -qsE '^(export )?DATABASE_URL=.' "$ROOT/.env"; }

# Installs everything on the list, or prints the command that would and exits.
need_wanted_packages() {
  if [ "${#wanted[@]}" -eq 0 ]; then return; fi
  local what as_root=()
  what=$(printf '%s, ' "${wanted[@]}")
  what=${what%, }
  if ! command -v apt-get >/dev/null; then
    fail "missing: $what; install with this system's package manager (on Debian: apt-get install ${packages[*]})"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      fail "missing: $what; install with: sudo apt-get install --no-install-recommends ${packages[*]}"
    fi
    as_root=(sudo -n)
    say "installing packages with sudo: ${packages[*]}"
  fi
  step "$what from the system's packages (${packages[*]})" packages \
    "${as_root[@]}" "$ROOT/scripts/setup/apt-install.sh" "${packages[@]}"
  # shellcheck source=scripts/env.sh
  . "$ROOT/scripts/env.sh" # finds what was installed
  if [[ " ${packages[*]} " == *" postgresql"* ]] && [ -z "$POSTGRESQL_BIN" ]; then
    fail "this system's PostgreSQL is older than $POSTGRESQL_VERSION; install a newer version \
(https://www.postgresql.org/download/) or name a server with DATABASE_URL"
  fi
}
