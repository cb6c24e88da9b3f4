#!/bin/sh
# Makes the virtual environment and looks for haproxy, which the embedded lab runs for real.
# As root, or with sudo that asks for no password, missing Debian/Ubuntu packages are installed; else it says which.
set -eu
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

say() { printf '%s\n' "setup: $*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 1
    fi
}

need_packages() {
    missing=
    command -v haproxy >/dev/null 2>&1 || [ -x /usr/sbin/haproxy ] || missing="$missing haproxy"
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
    printf '%s' "$missing"
}

packages=$(need_packages)
if [ -n "$packages" ]; then
    if command -v apt-get >/dev/null 2>&1 && as_root true; then
        say "installing$packages"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
        # shellcheck disable=SC2086  # one word a package
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    else
        say "please install:$packages   (Debian/Ubuntu: sudo apt-get install$packages)"
        exit 1
    fi
fi

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "Python 3.11 or newer is needed; $PYTHON is older"; exit 1; }

if [ ! -x "$VENV/bin/python" ]; then
    say "making the virtual environment $VENV"
    "$PYTHON" -m venv "$VENV"
fi
say "installing what constraints.txt pins"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[lab,dev]'
