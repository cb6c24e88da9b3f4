#!/bin/sh
# Runs inside the fresh tree, once: makes the repository that dnf installs haproxy from, and a machine that boots to
# what an EL server is after installation: firewalld and rsyslog run, root comes in by key, haproxy is not there.
# /build holds this folder's files. The binary is that of the suite's own package, with the libraries that it needs.
set -eu
cd /build
apt-get download -q haproxy
dpkg-deb -x haproxy_*.deb deb
DEBIAN_FRONTEND=noninteractive apt-get satisfy -y -qq --no-install-recommends "$(dpkg-deb -f haproxy_*.deb Depends)"
cp deb/usr/sbin/haproxy haproxy
version=$(./haproxy -v | sed -n 's/^HA-*Proxy version \([0-9.]*\).*/\1/p')

for spec in shell haproxy; do
    rpmbuild -bb --quiet --define "_topdir /build/rpm" --define "haproxy_version $version" "$spec.spec"
done
rpm -i --nodeps rpm/RPMS/noarch/shell-*.rpm
mkdir -p /srv/repo /etc/yum.repos.d
cp rpm/RPMS/*/haproxy-*.rpm /srv/repo/
createrepo_c -q /srv/repo
cp local.repo /etc/yum.repos.d/

systemctl enable firewalld rsyslog ssh
systemctl mask systemd-networkd-wait-online.service systemd-timesyncd.service getty.target console-getty.service
systemctl set-default multi-user.target
printf 'PermitRootLogin prohibit-password\nUseDNS no\n' >/etc/ssh/sshd_config.d/lab.conf
echo lb1 >/etc/hostname
ln -sf bash /bin/sh                                       # as on EL; Debian's own is dash
ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime   # systemctl prints local times
rm -f /etc/machine-id
: >/etc/machine-id
apt-get clean
rm -rf /var/lib/apt/lists/* /build
