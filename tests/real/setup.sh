#!/bin/sh
# Installs, as root on Debian or Ubuntu, what the real systems need beside the ordinary tests. Else it says what to install.
set -eu
missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need debootstrap debootstrap
need systemd-nspawn systemd-container
need ip iproute2
need curl curl
need lftp lftp
need ftp tnftp
need mkfs.ext4 e2fsprogs
need ssh openssh-client
[ "$(uname -m)" != x86_64 ] || need qemu-system-x86_64 qemu-system-x86
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "test-real: installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086  # one word a package
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "test-real: please install:$missing   (sudo apt-get install$missing)" >&2
fi
