#!/usr/bin/env bash
# Installs Python libraries in a folder of their own:  python-venv.sh REQUIREMENTS FOLDER
# The folder is complete if it exists.
set -euo pipefail
requirements=$1 folder=$2
rm -rf "$folder.new" # of an interrupted attempt
python3 -m venv "$folder.new"
"$folder.new/bin/python" -m pip install --disable-pip-version-check --only-binary :all: --requirement "$requirements"
mv "$folder.new" "$folder"
