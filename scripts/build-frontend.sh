#!/usr/bin/env bash
# Builds the frontend into frontend/dist, which the server embeds; does nothing where nothing it is made of has changed.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" wasm
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT"

# One at a time: trunk clears the folder that another build would be writing to.
exec {lock}<frontend
flock "$lock"

# A digest of everything the frontend is made of, rather than times, so that going back and forth between branches counts.
digest_inputs() {
  local inputs=() path
  for path in .cargo frontend domain Cargo.toml Cargo.lock Trunk.toml rust-toolchain.toml schema.graphql scripts/setup/versions.sh; do
    if [ -e "$path" ]; then inputs+=("$path"); fi
  done
  find "${inputs[@]}" -path 'frontend/dist*' -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

digest=$(digest_inputs)
if [ -f frontend/dist/index.html ] && [ "$digest" = "$(cat frontend/dist.inputs 2>/dev/null)" ]; then exit 0; fi

echo "[frontend] building (some minutes the first time) ..." >&2
began=$SECONDS
rm -f frontend/dist.inputs
# trunk reads NO_COLOR as a boolean and refuses the usual NO_COLOR=1.
env -u NO_COLOR RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN" trunk build --release
echo "$digest" >frontend/dist.inputs
echo "[frontend] built in $((SECONDS - began)) s: $(du -sh frontend/dist | cut -f 1) in frontend/dist" >&2
