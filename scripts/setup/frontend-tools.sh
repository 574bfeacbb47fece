# shellcheck shell=bash
# The tools that build the frontend: the wasm32 target, trunk, wasm-bindgen, wasm-opt and esbuild.
# Sourced. A program on PATH is used if it has the right version.

need_frontend_tools() {
  if frontend_tools_are_there; then return; fi

  mkdir -p "$DATAPORTER_TOOLS"
  exec {lock}>"$DATAPORTER_TOOLS/lock"
  if ! flock --nonblock "$lock"; then
    say "waiting for another setup that is running in $DATAPORTER_TOOLS"
    flock "$lock"
    # shellcheck source=scripts/env.sh
    . "$ROOT/scripts/env.sh" # finds the tools that the other setup has installed
  fi

  need_rust
  if [ -z "$WASM_TOOLCHAIN" ]; then need_wasm_target; fi
  if ! has_wasm_bindgen; then
    step "wasm-bindgen $WASM_BINDGEN_VERSION (about 1 minute)" wasm-bindgen \
      "$ROOT/scripts/setup/cargo-tool.sh" wasm-bindgen-cli "$WASM_BINDGEN_VERSION" "$WASM_BINDGEN_DIR"
  fi
  if ! has_trunk; then
    step "trunk $TRUNK_VERSION (about 4 minutes)" trunk \
      "$ROOT/scripts/setup/cargo-tool.sh" trunk "$TRUNK_VERSION" "$TRUNK_DIR" --locked
  fi
  rm -rf "$DATAPORTER_TOOLS/build"
  if ! has_wasm_opt; then
    step "wasm-opt of binaryen $BINARYEN_VERSION" wasm-opt \
      "$ROOT/scripts/setup/npm-tool.sh" binaryen "$BINARYEN_VERSION" wasm-opt "$BINARYEN_DIR"
  fi
  if ! has_esbuild; then
    step "esbuild $ESBUILD_VERSION" esbuild \
      "$ROOT/scripts/setup/npm-tool.sh" esbuild "$ESBUILD_VERSION" esbuild "$ESBUILD_DIR"
  fi
  exec {lock}>&-
}

frontend_tools_are_there() {
  [ -n "$WASM_TOOLCHAIN" ] && has_wasm_bindgen && has_trunk && has_wasm_opt && has_esbuild
}

has_wasm_bindgen() { [ -d "$WASM_BINDGEN_DIR" ] || on_path wasm-bindgen "$WASM_BINDGEN_VERSION"; }

has_trunk() { [ -d "$TRUNK_DIR" ] || on_path trunk "$TRUNK_VERSION"; }

has_wasm_opt() { [ -d "$BINARYEN_DIR" ] || on_path wasm-opt "${BINARYEN_VERSION%%.*}"; }

has_esbuild() { [ -d "$ESBUILD_DIR" ] || on_path esbuild "$ESBUILD_VERSION"; }

# on_path PROGRAM VERSION: whether this version of a program is on PATH.
on_path() {
  command -v "$1" >/dev/null && "$1" --version 2>/dev/null | grep -qE "(^| )${2//./\\.}( |\$)"
}

# The compiler that rust-toolchain.toml names. Only rustup reads that file, so without rustup a newer compiler will do.
need_rust() {
  local found by_rustup="install rustup (https://rustup.rs), which then installs it"
  command -v cargo >/dev/null || fail "Rust $RUST_VERSION is missing; $by_rustup"
  # Empty if rustup is installed but the compiler is not.
  found=$(ordinary_rustc --version | cut -d ' ' -f 2) || true
  if [ "$found" = "$RUST_VERSION" ]; then return; fi
  if ! command -v rustup >/dev/null; then
    if [ "$(printf '%s\n' "$RUST_VERSION" "${found:-0}" | sort -V | head -n 1)" = "$RUST_VERSION" ]; then return; fi
    fail "Rust $RUST_VERSION is required, found ${found:-none}; $by_rustup"
  fi
  step "Rust $RUST_VERSION from rustup" rust \
    rustup toolchain install "$RUST_VERSION" --profile minimal --component rustfmt --component clippy
}

# From rustup if it can download, or else from Debian's packages.
need_wasm_target() {
  if rustup_adds_wasm_target; then return; fi
  if ! command -v apt-get >/dev/null; then
    fail "Rust's wasm32 target is missing; install it with: rustup target add wasm32-unknown-unknown"
  fi
  step "wasm32 target from Debian's packages (about 3 minutes)" wasm-target \
    "$ROOT/scripts/setup/debian-rust.sh" "$DEBIAN_RUST_DIR"
}

# Not a `step`, because a failure here is not fatal. The timeout is for machines without network access, where a
# connection may hang.
rustup_adds_wasm_target() {
  local log=$DATAPORTER_TOOLS/log/rustup.log
  if ! command -v rustup >/dev/null; then return 1; fi
  say "wasm32 target from rustup ..."
  mkdir -p "${log%/*}"
  timeout 60 rustup target add --toolchain "$RUST_VERSION" wasm32-unknown-unknown >"$log" 2>&1 || true
  if ! has_wasm_std "$(ordinary_rustc --print target-libdir --target wasm32-unknown-unknown)"; then
    say "wasm32 target from rustup: not available ($log)"
    return 1
  fi
  say "wasm32 target from rustup: done"
}
