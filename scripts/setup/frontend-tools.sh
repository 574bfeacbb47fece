# shellcheck shell=bash
# What builds the frontend: the wasm32 target and the three programs trunk's pipeline is made of.
# Sourced; a program of the right version on PATH is as good as one of ours.

need_frontend_tools() {
  if frontend_tools_are_there; then return; fi

  mkdir -p "$DATAPORTER_TOOLS"
  exec {lock}>"$DATAPORTER_TOOLS/lock"
  if ! flock --nonblock "$lock"; then
    say "another set-up is at work in $DATAPORTER_TOOLS; waiting for it"
    flock "$lock"
    # shellcheck source=scripts/env.sh
    . "$ROOT/scripts/env.sh" # which may have found by now what that one has put there
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
      "$ROOT/scripts/setup/wasm-opt.sh" "$BINARYEN_VERSION" "$BINARYEN_DIR"
  fi
  exec {lock}>&-
}

frontend_tools_are_there() {
  [ -n "$WASM_TOOLCHAIN" ] && has_wasm_bindgen && has_trunk && has_wasm_opt
}

has_wasm_bindgen() { [ -d "$WASM_BINDGEN_DIR" ] || on_path wasm-bindgen "$WASM_BINDGEN_VERSION"; }

has_trunk() { [ -d "$TRUNK_DIR" ] || on_path trunk "$TRUNK_VERSION"; }

has_wasm_opt() { [ -d "$BINARYEN_DIR" ] || on_path wasm-opt "${BINARYEN_VERSION%%.*}"; }

# on_path PROGRAM VERSION: whether a program on PATH says it is of that version.
on_path() {
  command -v "$1" >/dev/null && "$1" --version 2>/dev/null | grep -qE "(^| )${2//./\\.}( |\$)"
}

# The compiler that rust-toolchain.toml names. Only rustup heeds that file, so without it a newer one is as good.
need_rust() {
  local found by_rustup="https://rustup.rs says how to get rustup, which then brings it by itself"
  command -v cargo >/dev/null || fail "Rust $RUST_VERSION is missing; $by_rustup"
  # Nothing where rustup is but not that compiler.
  found=$(ordinary_rustc --version | cut -d ' ' -f 2) || true
  if [ "$found" = "$RUST_VERSION" ]; then return; fi
  if ! command -v rustup >/dev/null; then
    if [ "$(printf '%s\n' "$RUST_VERSION" "${found:-0}" | sort -V | head -n 1)" = "$RUST_VERSION" ]; then return; fi
    fail "Rust $RUST_VERSION is needed, and ${found:-none} is here; $by_rustup"
  fi
  step "Rust $RUST_VERSION by rustup" rust \
    rustup toolchain install "$RUST_VERSION" --profile minimal --component rustfmt --component clippy
}

# By rustup where it can download, else from Debian's packages.
need_wasm_target() {
  if rustup_adds_wasm_target; then return; fi
  if ! command -v apt-get >/dev/null; then
    fail "Rust's wasm32 target is missing; install it with: rustup target add wasm32-unknown-unknown"
  fi
  step "wasm32 target from Debian's packages (about 3 minutes)" wasm-target \
    "$ROOT/scripts/setup/debian-rust.sh" "$DEBIAN_RUST_DIR"
}

# Not a `step`, since failing is no failure; a machine without a way out may neither answer nor refuse, so not for long.
rustup_adds_wasm_target() {
  local log=$DATAPORTER_TOOLS/log/rustup.log
  if ! command -v rustup >/dev/null; then return 1; fi
  say "wasm32 target by rustup ..."
  mkdir -p "${log%/*}"
  timeout 60 rustup target add --toolchain "$RUST_VERSION" wasm32-unknown-unknown >"$log" 2>&1 || true
  if ! has_wasm_std "$(ordinary_rustc --print target-libdir --target wasm32-unknown-unknown)"; then
    say "wasm32 target by rustup: not to be had ($log)"
    return 1
  fi
  say "wasm32 target by rustup: done"
}
