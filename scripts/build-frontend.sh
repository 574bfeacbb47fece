#!/usr/bin/env bash
# Builds the frontend into frontend/dist, which the server embeds. Does nothing if the sources have not changed.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" wasm
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT"

# Only one build at a time, because trunk clears the folder that another build would be writing to.
exec {lock}<frontend
flock "$lock"

# A digest of all sources. Unlike modification times, it also detects a switch between branches.
digest_inputs() {
  local inputs=() path
  for path in .cargo frontend domain Cargo.toml Cargo.lock Trunk.toml rust-toolchain.toml schema.graphql scripts/frontend scripts/setup/versions.sh; do
    if [ -e "$path" ]; then inputs+=("$path"); fi
  done
  find "${inputs[@]}" -path 'frontend/dist*' -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

digest=$(digest_inputs)
if [ -f frontend/dist/index.html ] && [ "$digest" = "$(cat frontend/dist.inputs 2>/dev/null)" ]; then exit 0; fi

echo "[frontend] building (takes a few minutes the first time) ..." >&2
began=$SECONDS
rm -f frontend/dist.inputs
# trunk reads NO_COLOR as a boolean and rejects the usual NO_COLOR=1.
WASM_BINDGEN=$(command -v wasm-bindgen)
# trunk warns that it cannot minify what esbuild has minified.
env -u NO_COLOR RUST_LOG=info,trunk::processing::minify=error RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN" WASM_BINDGEN="$WASM_BINDGEN" PATH="$ROOT/scripts/frontend:$PATH" \
  trunk build --release
echo "$digest" >frontend/dist.inputs
echo "[frontend] built in $((SECONDS - began)) s: $(du -sh frontend/dist | cut -f 1) in frontend/dist" >&2
