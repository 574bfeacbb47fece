#!/usr/bin/env bash
# Builds a command-line tool from its published crate into its own folder.
#   cargo-tool.sh CRATE VERSION FOLDER [cargo install's options...]
# The folder appears only when the tool is complete, so an interrupted build leaves no incomplete tool behind.
set -euo pipefail
crate=$1 version=$2 folder=$3
shift 3

# The release profiles of these tools take five times as long to build, and the extra speed is not noticeable here.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_DEBUG=0
export CARGO_TARGET_DIR=$DATAPORTER_TOOLS/build

rm -rf "$folder.new"
cargo install "$crate" --version "=$version" --no-default-features --root "$folder.new" --no-track "$@"
mv "$folder.new" "$folder"
