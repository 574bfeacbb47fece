#!/usr/bin/env bash
# Tests the setup as on a machine where rustup cannot download: the wasm32 target must come from Debian's packages.
# Takes a few minutes, works in a temporary folder, and needs rustup and apt. Not part of `make test`.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$scripts/setup.sh" wasm
# shellcheck source=scripts/env.sh
. "$scripts/env.sh" # puts trunk and the other tools on PATH, so that they are not built again
ordinary=$(ordinary_rustc --print sysroot)
name=$RUST_VERSION-$(ordinary_rustc -vV | sed -n 's/^host: //p')

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# A rustup with one toolchain, which lacks the target, and with a server that does not exist.
unset RUSTUP_TOOLCHAIN CARGO_TARGET_DIR
export RUSTUP_HOME=$scratch/rustup RUSTUP_DIST_SERVER=http://127.0.0.1:9 DATAPORTER_TOOLS=$scratch/tools
mkdir -p "$RUSTUP_HOME/toolchains/$name"
cp -a "$ordinary/bin" "$ordinary/lib" "$RUSTUP_HOME/toolchains/$name/"
(cd "$ROOT" && rustup target remove wasm32-unknown-unknown) >/dev/null 2>&1 || true

"$scripts/setup.sh" wasm
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
[ "$WASM_TOOLCHAIN" = "$DEBIAN_RUST_DIR" ] || fail "the target did not come from Debian's packages: '$WASM_TOOLCHAIN'"
said=$("$scripts/setup.sh" wasm 2>&1)
[ -z "$said" ] || fail "a second run printed something: $said"

# A minimal app, built like the frontend: with trunk, optimised for size, aborting on panic.
mkdir -p "$scratch/app/src"
cd "$scratch/app"
cat >Cargo.toml <<TOML
[package]
name = "app"
edition = "2024"
[dependencies]
wasm-bindgen = "=$WASM_BINDGEN_VERSION"
[profile.app]
inherits = "release"
opt-level = "z"
lto = true
panic = "abort"
strip = "debuginfo"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    wasm_bindgen::throw_str(&format!("{:?}", std::env::args()));
}
RUST
cat >index.html <<'HTML'
<link data-trunk rel="rust" data-cargo-profile="app" data-wasm-opt="z">
HTML
env -u NO_COLOR RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN" trunk build --release || fail "trunk does not build with it"
[ "$(head -c 4 dist/*.wasm | tail -c 3)" = asm ] || fail "what trunk built is not wasm"
RUSTUP_TOOLCHAIN=$WASM_TOOLCHAIN cargo clippy --target wasm32-unknown-unknown || fail "clippy does not run with it"
echo "ok: the setup works where rustup cannot download"
