#!/bin/sh
# Runs inside a copy of the booting balancer's tree, once: SELinux with a policy that knows HAProxy, and a network.
# /build holds this folder's files. The tree is labelled afterwards, from outside.
set -eu
cd /build
make -s -f /usr/share/selinux/devel/Makefile NAME=default haproxy.pp debian.pp
semodule -n -s default -i haproxy.pp debian.pp

# Fewer modules: setsebool -P makes the whole policy anew, and this machine is emulated. None of these speaks of HAProxy.
semodule -n -s default -X 100 -r $(semodule -s default -l | grep -vxFf kept-modules)
semodule -n -s default -B

sed -i 's/^SELINUX=.*/SELINUX=enforcing/' /etc/selinux/config
printf '/dev/vda / ext4 defaults 0 1\n' >/etc/fstab
install -D -m 644 eth0.network /etc/systemd/network/eth0.network
systemctl enable systemd-networkd serial-getty@ttyS0.service
apt-get clean
rm -rf /var/lib/apt/lists/* /build
