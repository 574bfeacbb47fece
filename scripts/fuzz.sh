#!/usr/bin/env bash
# Tries input that nobody would think of, each target for some time:  fuzz.sh [SECONDS] [TARGET]
# 60 seconds each unless told. What was found lies in fuzz/artifacts/TARGET/, as the file that makes it fail; what was
# learned is kept in fuzz/corpus/TARGET/. Needs a C++ compiler, for libFuzzer, and no nightly toolchain.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" test
"$scripts/build-frontend.sh" # the server does not compile without the files it embeds
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT/fuzz"

seconds=${1:-60}
targets=${2:-document websocket_message link cursor}
# The versions that the product is made of; cargo adds libFuzzer's.
cp ../Cargo.lock Cargo.lock
host=$(rustc -vV | sed -n 's/^host: //p')

# What cargo-fuzz sets without a sanitizer. The host is named as a target, so that build scripts are not instrumented.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Ccodegen-units=1" \
  cargo build --release --bins --target "$host"

# A worker of the server has 2 MiB of stack.
ulimit -s 2048
for target in $targets; do
  mkdir -p "corpus/$target" "artifacts/$target"
  printf '[fuzz] %s for %s s\n' "$target" "$seconds" >&2
  "target/$host/release/$target" "corpus/$target" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=512 -timeout=10 \
    -artifact_prefix="artifacts/$target/" -print_final_stats=1
done
