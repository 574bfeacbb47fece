# shellcheck shell=bash
# What comes from the system's package manager: compiler, npm, PostgreSQL, browser.
# Sourced; knows apt only, and elsewhere, or without the right to install, names what is missing.

# need_packages WHAT PACKAGE...: installs the packages, or says what would install them and ends.
need_packages() {
  local what=$1 as_root=()
  shift
  if ! command -v apt-get >/dev/null; then
    fail "$what is missing; install it with this system's package manager (on Debian: apt-get install $*)"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      fail "$what is missing; install it with: sudo apt-get install --no-install-recommends $*"
    fi
    as_root=(sudo -n)
  fi
  step "$what from the system's packages ($*)" packages \
    "${as_root[@]}" "$ROOT/scripts/setup/apt-install.sh" "$@"
}

need_compiler() {
  command -v cc >/dev/null || need_packages "a C compiler" gcc libc6-dev
  command -v make >/dev/null || need_packages "make" make
}

need_npm() {
  command -v npm >/dev/null || need_packages "npm" npm
}

need_postgresql() {
  if [ -n "$POSTGRESQL_BIN" ]; then return; fi
  local package=postgresql-$POSTGRESQL_VERSION
  if command -v apt-cache >/dev/null && ! apt-cache show "$package" >/dev/null 2>&1; then
    package=postgresql # another release of Debian or Ubuntu, with a newer one
  fi
  need_packages "PostgreSQL" "$package"
}

need_browser() {
  if [ -n "$CHROMIUM" ] && [ -n "$CHROMEDRIVER" ]; then return; fi
  need_packages "Chromium with its driver" chromium chromium-driver
}
