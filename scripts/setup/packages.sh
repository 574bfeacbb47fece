# shellcheck shell=bash
# What comes from the system's package manager: compiler, npm, PostgreSQL, browser.
# Sourced; knows apt only, and elsewhere, or without the right to install, names what is missing.

wanted=()   # what is missing, in words
packages=() # what it comes in

# want WHAT PACKAGE...: puts something missing on the list.
want() {
  wanted+=("$1")
  shift
  packages+=("$@")
}

want_build_tools() {
  if ! command -v cc >/dev/null; then want "a C compiler" gcc libc6-dev; fi
  if ! command -v make >/dev/null; then want "make" make; fi
  if ! has_wasm_opt && ! command -v npm >/dev/null; then want "npm" npm; fi
}

want_postgresql() {
  if [ -n "$POSTGRESQL_BIN" ]; then return; fi
  if [ -n "${DATAPORTER_PG_BIN:-}" ]; then
    fail "DATAPORTER_PG_BIN is $DATAPORTER_PG_BIN, where there is no PostgreSQL from $POSTGRESQL_VERSION on"
  fi
  local package=postgresql-$POSTGRESQL_VERSION
  if command -v apt-cache >/dev/null && ! apt-cache show "$package" >/dev/null 2>&1; then
    package=postgresql # another release of Debian or Ubuntu, perhaps with a newer one
  fi
  want "PostgreSQL" "$package"
}

want_browser() {
  if [ -n "$CHROMIUM" ] && [ -n "$CHROMEDRIVER" ]; then return; fi
  want "Chromium with its driver" chromium chromium-driver
}

# Whether the database is on a server that runs already, so that none is needed here.
names_a_server() { [ -n "${DATABASE_URL:-}" ] || grep -qsE '^(export )?DATABASE_URL=.' "$ROOT/.env"; }

# Installs what is on the list, or says what would install all of it and ends.
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
    say "packages are installed by sudo: ${packages[*]}"
  fi
  step "$what from the system's packages (${packages[*]})" packages \
    "${as_root[@]}" "$ROOT/scripts/setup/apt-install.sh" "${packages[@]}"
  # shellcheck source=scripts/env.sh
  . "$ROOT/scripts/env.sh" # which finds what has come
  if [[ " ${packages[*]} " == *" postgresql"* ]] && [ -z "$POSTGRESQL_BIN" ]; then
    fail "this system's PostgreSQL is older than $POSTGRESQL_VERSION; install a newer one as \
https://www.postgresql.org/download/ says, or name a server with DATABASE_URL"
  fi
}
