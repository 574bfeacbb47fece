# shellcheck shell=bash disable=SC2034
# The versions of the build tools. They are stated only here.
# Sourced. Expects the root of the checkout in $ROOT.

RUST_VERSION=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")
TRUNK_VERSION=0.21.14
BINARYEN_VERSION=132.0.0
ESBUILD_VERSION=0.25.12
POSTGRESQL_VERSION=15 # the oldest supported version

# The version of wasm-bindgen's command line must be exactly the version that the frontend is linked with.
WASM_BINDGEN_VERSION=0.2.130
if [ -f "$ROOT/Cargo.lock" ]; then
  locked=$(awk -F'"' '/^name = "wasm-bindgen"$/ { getline; print $2; exit }' "$ROOT/Cargo.lock")
  WASM_BINDGEN_VERSION=${locked:-$WASM_BINDGEN_VERSION}
  unset locked
fi

# Each set of Python libraries has a folder of its own.
PYTHON_TOOLS_VERSION=$(cksum <"$ROOT/scripts/setup/python-tools.txt" | cut -d ' ' -f 1)
