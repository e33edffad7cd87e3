#!/usr/bin/env bash
# Build the wheel, install it in a venv of its own outside the checkout, and use it there:
# a wheel that lacks fonts, corpora, styles or weights fails here and nowhere else.
set -euo pipefail
python=${PYTHON:-python3}
checkout=$(pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$checkout/${BIN:-.venv/bin}/python" -m build -q --wheel --outdir "$folder/dist" "$checkout"
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q -c "$checkout/constraints.txt" torch
"$folder/venv/bin/pip" install -q -c "$checkout/constraints.txt" "$folder"/dist/*.whl
mkdir "$folder/empty"
cd "$folder/empty"
"$folder/venv/bin/siman-synth" generate --n 100 --out words
"$folder/venv/bin/siman-synth" verify words
"$folder/venv/bin/siman-synth" inspect words --sheet sheet.png > inspected.txt
head -2 inspected.txt
test -s sheet.png
echo "wheel: installed elsewhere and generated 100 samples"
