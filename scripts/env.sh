# shellcheck shell=bash
# The environment of every target in the Makefile: where the tools are, and which toolchain builds for the browser.
# Sourced by bash. Installs nothing and changes nothing on disk. The variable of a missing tool is empty, which
# scripts/setup.sh checks.
#
#   DATAPORTER_TOOLS  where tools are installed; by default a cache in the user's home, shared by all checkouts
#   TRUNK_DIR, WASM_BINDGEN_DIR, BINARYEN_DIR, ESBUILD_DIR, DEBIAN_RUST_DIR, PYTHON_DIR  the folder of each tool in it, named by version
#   WASM_TOOLCHAIN    the value of RUSTUP_TOOLCHAIN for trunk only; empty if no toolchain builds for wasm32
#   POSTGRESQL_BIN    PostgreSQL's binaries: those in DATAPORTER_PG_BIN, or else the newest
#   CHROMIUM, CHROMEDRIVER  the browser of the tests and its driver
#   TEST_PYTHON, LIBREOFFICE  the programs with which the tests read exported files
#   PHP               runs the PHP client in the tests

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup/versions.sh
. "$ROOT/scripts/setup/versions.sh"

if [ -z "${DATAPORTER_TOOLS:-}" ]; then
  if [ -n "${XDG_CACHE_HOME:-${HOME:-}}" ]; then
    DATAPORTER_TOOLS=${XDG_CACHE_HOME:-$HOME/.cache}/dataporter-tools
  else
    DATAPORTER_TOOLS=$ROOT/.tools
  fi
fi
export DATAPORTER_TOOLS

TRUNK_DIR=$DATAPORTER_TOOLS/trunk-$TRUNK_VERSION
WASM_BINDGEN_DIR=$DATAPORTER_TOOLS/wasm-bindgen-$WASM_BINDGEN_VERSION
BINARYEN_DIR=$DATAPORTER_TOOLS/binaryen-$BINARYEN_VERSION
ESBUILD_DIR=$DATAPORTER_TOOLS/esbuild-$ESBUILD_VERSION
DEBIAN_RUST_DIR=$DATAPORTER_TOOLS/debian-rust-for-$RUST_VERSION
PYTHON_DIR=$DATAPORTER_TOOLS/python-$PYTHON_TOOLS_VERSION

for folder in "$TRUNK_DIR/bin" "$WASM_BINDGEN_DIR/bin" "$BINARYEN_DIR/bin" "$ESBUILD_DIR/bin"; do
  case ":$PATH:" in
    *":$folder:"*) ;;
    *) if [ -d "$folder" ]; then PATH=$folder:$PATH; fi ;;
  esac
done
export PATH

# Whether the given folder holds the standard library for wasm32.
has_wasm_std() {
  local libraries=("$1"/libcore-*.rlib)
  [ -e "${libraries[0]}" ]
}

# The compiler that rust-toolchain.toml names, if it is installed. rustup must not download it just for this check.
ordinary_rustc() { (cd "$ROOT" && RUSTUP_AUTO_INSTALL=0 rustc "$@" 2>/dev/null); }

# The ordinary toolchain if it has the target, or else the one assembled from Debian's packages.
WASM_TOOLCHAIN=
if has_wasm_std "$(ordinary_rustc --print target-libdir --target wasm32-unknown-unknown)"; then
  WASM_TOOLCHAIN=$(ordinary_rustc --print sysroot)
elif has_wasm_std "$DEBIAN_RUST_DIR/lib/rustlib/wasm32-unknown-unknown/lib"; then
  WASM_TOOLCHAIN=$DEBIAN_RUST_DIR
fi
export WASM_TOOLCHAIN

# Whether the given folder holds a PostgreSQL that is new enough.
has_postgresql() {
  local version
  if ! [ -x "$1/initdb" ] || ! [ -x "$1/postgres" ]; then return 1; fi
  version=$("$1/postgres" --version | grep -oE '[0-9]+' | head -n 1)
  [ "${version:-0}" -ge "$POSTGRESQL_VERSION" ]
}

# DATAPORTER_PG_BIN takes precedence, and there is no fallback, because the server itself uses it too.
POSTGRESQL_BIN=
if [ -n "${DATAPORTER_PG_BIN:-}" ]; then
  if has_postgresql "$DATAPORTER_PG_BIN"; then POSTGRESQL_BIN=$DATAPORTER_PG_BIN; fi
else
  while read -r folder; do
    if has_postgresql "$folder"; then
      POSTGRESQL_BIN=$folder
      break
    fi
  done < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV; dirname "$(command -v postgres)")
fi
export POSTGRESQL_BIN

# The path of the first of the given commands that is installed; nothing if none is.
first_installed() {
  local name
  for name in "$@"; do
    if command -v "$name"; then return; fi
  done
}
CHROMIUM=${CHROMIUM:-$(first_installed chromium chromium-browser google-chrome)}
CHROMEDRIVER=${CHROMEDRIVER:-$(first_installed chromedriver)}
export CHROMIUM CHROMEDRIVER
LIBREOFFICE=${LIBREOFFICE:-$(first_installed soffice libreoffice)}
PHP=${PHP:-$(first_installed php)}
TEST_PYTHON=
if [ -x "$PYTHON_DIR/bin/python" ]; then TEST_PYTHON=$PYTHON_DIR/bin/python; fi
export LIBREOFFICE PHP TEST_PYTHON

unset folder
