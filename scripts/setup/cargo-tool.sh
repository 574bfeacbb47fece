#!/usr/bin/env bash
# Builds one command-line tool from its published crate into a folder of its own.
#   cargo-tool.sh CRATE VERSION FOLDER [cargo install's options...]
# The folder appears only once the tool is complete, so a build that was broken off leaves nothing half done.
set -euo pipefail
crate=$1 version=$2 folder=$3
shift 3

# These tools' own release profiles take five times as long to build, for a speed that is not noticed here.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_DEBUG=0
export CARGO_TARGET_DIR=$DATAPORTER_TOOLS/build

rm -rf "$folder.new"
cargo install "$crate" --version "=$version" --no-default-features --root "$folder.new" --no-track "$@"
mv "$folder.new" "$folder"
