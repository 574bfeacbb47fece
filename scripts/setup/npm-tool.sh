#!/usr/bin/env bash
# Installs a program from npm into its own folder:  npm-tool.sh PACKAGE VERSION PROGRAM FOLDER
# The packages of distributions are often too old, such as binaryen's for the output of a current rustc.
set -euo pipefail
package=$1 version=$2 program=$3 folder=$4

rm -rf "$folder.new"
npm install --prefix "$folder.new" "$package@$version" --no-audit --no-fund --loglevel=http
mkdir "$folder.new/bin"
ln -s "../node_modules/$package/bin/$program" "$folder.new/bin/$program"
"$folder.new/bin/$program" --version
mv "$folder.new" "$folder"
