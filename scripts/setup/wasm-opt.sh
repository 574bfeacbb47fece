#!/usr/bin/env bash
# Installs binaryen's wasm-opt from npm into a folder of its own:  wasm-opt.sh VERSION FOLDER
# Distributions' packages are often too old to read what today's rustc writes.
set -euo pipefail
version=$1 folder=$2

rm -rf "$folder.new"
npm install --prefix "$folder.new" "binaryen@$version" --no-audit --no-fund --loglevel=http
mkdir "$folder.new/bin"
ln -s ../node_modules/binaryen/bin/wasm-opt "$folder.new/bin/wasm-opt"
"$folder.new/bin/wasm-opt" --version
mv "$folder.new" "$folder"
