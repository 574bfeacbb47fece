#!/usr/bin/env bash
# Installs binaryen's wasm-opt from npm into its own folder:  wasm-opt.sh VERSION FOLDER
# The packages of distributions are often too old to read the output of a current rustc.
set -euo pipefail
version=$1 folder=$2

rm -rf "$folder.new"
npm install --prefix "$folder.new" "binaryen@$version" --no-audit --no-fund --loglevel=http
mkdir "$folder.new/bin"
ln -s ../node_modules/binaryen/bin/wasm-opt "$folder.new/bin/wasm-opt"
"$folder.new/bin/wasm-opt" --version
mv "$folder.new" "$folder"
