#!/bin/sh
# Builds the wheel, installs it into an empty virtual environment elsewhere, and runs it there.
set -eu
PYTHON=${1:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$PYTHON" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$folder" .
"$PYTHON" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$folder"/provision-*.whl
cp -r clusters "$folder/clusters"
cd "$folder"
venv/bin/provision --version
venv/bin/provision validate article
venv/bin/provision render article --out "$folder/out" >/dev/null
ls "$folder/out" | sed 's/^/  /'
test -n "$(find "$folder/venv" -name 'Get-FtpServerState.ps1')"
echo "the wheel works in an empty environment"
