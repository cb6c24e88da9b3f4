#!/bin/sh
# Prints constraints.txt: what the bounds of pyproject.toml resolve to today, names and versions only.
set -eu
PYTHON=${1:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$PYTHON" -m venv "$folder/venv" >&2
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check '.[lab,dev,keyring]' >&2
echo "# Versions that the tests run with. Made by \`make constraints\`."
"$folder/venv/bin/python" -m pip freeze --exclude provision | grep -E '^[A-Za-z0-9._-]+==' | LC_ALL=C sort -f
