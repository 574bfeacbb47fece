#!/usr/bin/env bash
# Runs all static checks: format, clippy for server and browser, docs, dependencies, shell scripts.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/build-frontend.sh" # the server does not compile without the files it embeds
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT"

check() { printf '[lint] %s\n' "$*" >&2; }

check "format"
cargo fmt --all --check

check "clippy"
cargo clippy --workspace --all-targets --locked -- -D warnings

if RUSTUP_TOOLCHAIN=$WASM_TOOLCHAIN cargo clippy --version >/dev/null 2>&1; then
  check "clippy of the frontend for the browser"
  RUSTUP_TOOLCHAIN=$WASM_TOOLCHAIN cargo clippy -p frontend --target wasm32-unknown-unknown --locked -- -D warnings
else
  check "clippy of the frontend for the browser: skipped, the toolchain for wasm32 has no clippy"
fi

check "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

if cargo deny --version >/dev/null 2>&1; then
  check "dependencies"
  cargo deny check
else
  check "dependencies: skipped, to check them: cargo install cargo-deny --locked"
fi

if command -v shellcheck >/dev/null; then
  check "scripts"
  shellcheck -x .ci/run scripts/*.sh scripts/setup/*.sh
else
  check "scripts: skipped, to check them: apt-get install shellcheck"
fi
