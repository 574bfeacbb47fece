#!/usr/bin/env bash
# Runs the fuzz targets, each for some time:  fuzz.sh [SECONDS] [TARGET]
# The default is 60 seconds per target. An input that fails is saved in fuzz/artifacts/TARGET/, and the corpus is in
# fuzz/corpus/TARGET/. Needs a C++ compiler for libFuzzer, but no nightly toolchain.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" test
"$scripts/build-frontend.sh" # the server does not compile without the files it embeds
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT/fuzz"

seconds=${1:-60}
targets=${2:-document websocket_message link cursor}
# The same dependency versions as the product. cargo adds libFuzzer.
cp ../Cargo.lock Cargo.lock
host=$(rustc -vV | sed -n 's/^host: //p')

# The flags that cargo-fuzz sets without a sanitizer. With an explicit target, build scripts are not instrumented.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Ccodegen-units=1" \
  cargo build --release --bins --target "$host"

# A worker thread of the server has 2 MiB of stack.
ulimit -s 2048
for target in $targets; do
  mkdir -p "corpus/$target" "artifacts/$target"
  printf '[fuzz] %s for %s s\n' "$target" "$seconds" >&2
  "target/$host/release/$target" "corpus/$target" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=512 -timeout=10 \
    -artifact_prefix="artifacts/$target/" -print_final_stats=1
done
