"""A machine of folders and small stand-ins, on which the scripts run as they are: for what the lab is too slow for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

TOOLS = "cat stat sha256sum sed grep tr cut head tail date ls ps timeout sleep mkdir mv cp rm ln chmod chown id sh"

SYSTEMCTL = r"""#!/bin/sh
S=@ROOT@/state
verb=$1; shift
case $verb in
show)
    for unit in haproxy rsyslog firewalld; do
        active=inactive; [ ! -e $S/$unit.active ] || active=active
        enabled=disabled; [ ! -e $S/$unit.enabled ] || enabled=enabled
        printf 'Id=%s.service\nLoadState=loaded\nActiveState=%s\nUnitFileState=%s\n' $unit $active $enabled
        printf 'MainPID=%s\nActiveEnterTimestamp=%s\n\n' "$(cat $S/$unit.active 2>/dev/null || echo 0)" "$(date)"
    done ;;
cat) cat @ROOT@/unit ;;
is-active) for last; do :; done; [ -e $S/$last.active ] && echo active || { echo inactive; exit 3; } ;;
enable) : >"$S/$1.enabled" ;;
disable) rm -f $S/$1.enabled ;;
stop) rm -f $S/$1.active ;;
start | restart | reload)
    echo "$verb $1" >>@ROOT@/log
    [ "$1" != rsyslog ] || { sh -c 'sleep 300 & echo $!' >$S/rsyslog.active; exit 0; }
    [ ! -e @ROOT@/refuse-start ] || { echo "Job for haproxy.service failed."; exit 1; }
    [ -e @ROOT@/stuck ] || cat @ROOT@/etc/haproxy/*.cfg @ROOT@/etc/haproxy/conf.d/*.cfg >$S/running 2>/dev/null
    echo 1 >$S/haproxy.active ;;
esac
"""

STANDINS = {
    "systemctl": SYSTEMCTL,
    "socat": r"""#!/bin/sh
cat >/dev/null
[ -e @ROOT@/state/haproxy.active ] || { echo refused >&2; exit 1; }
sed -n 's/^ *description /description: /p; s/^backend \(provision_.*\)/\1,BACKEND,/p' @ROOT@/state/running
""",
    "haproxy": r"""#!/bin/sh
[ "$1" != -v ] || { echo "HA-Proxy version 1.8.27-493ce0b 2020/11/06"; exit; }
echo "haproxy $*" >>@ROOT@/log
shift
while [ $# -gt 0 ]; do
    cat "$2" "$2"/*.cfg 2>/dev/null | grep -q BROKEN && { echo "[ALERT] 1/1 : parsing: unknown keyword 'BROKEN'"; exit 1; }
    shift 2
done
echo "Configuration file is valid"
""",
    "rpm": r"""#!/bin/sh
[ -e @ROOT@/state/installed ] || { echo "package haproxy is not installed"; exit 1; }
case $1 in -V) cat @ROOT@/state/rpm-V 2>/dev/null; [ ! -s @ROOT@/state/rpm-V ] ;; *) echo 1.8.27-5.el8 ;; esac
""",
    "dnf": r"""#!/bin/sh
echo "dnf $*" >>@ROOT@/log
case "$*" in
*list*) echo "Available Packages"; echo "haproxy.x86_64    1.8.27-5.el8    appstream" ;;
*) : >@ROOT@/state/installed; mkdir -p @ROOT@/etc/haproxy; echo "# stock" >@ROOT@/etc/haproxy/haproxy.cfg ;;
esac
""",
    "sync": "#!/bin/sh\n",
    "getenforce": "#!/bin/sh\necho Disabled\n",
    "sysctl": r"""#!/bin/sh
[ "$1" != -q ] || { echo "sysctl $*" >>@ROOT@/log; exit 0; }
printf 'net.ipv4.ip_nonlocal_bind = 0\nnet.ipv4.ip_local_port_range = 32768\t60999\nnet.ipv4.ip_local_reserved_ports = \n'
""",
    "ip": r"""#!/bin/sh
case "$*" in
*addr*) echo "2: eth0    inet 192.168.1.123/24 brd 192.168.1.255 scope global eth0\       valid_lft forever" ;;
*) echo "$4 dev eth0 src 192.168.1.123 uid 0 \    cache" ;;
esac
""",
    "rsyslogd": '#!/bin/sh\n! grep -q BROKEN @ROOT@/etc/rsyslog.d/*.conf || { echo "rsyslogd: error"; exit 1; }\n',
    "firewall-cmd": '#!/bin/sh\nfor one; do printf "<%s>" "$one"; done >>@ROOT@/log; echo >>@ROOT@/log; echo success\n',
    "setsebool": '#!/bin/sh\necho "setsebool $*" >>@ROOT@/log\n',
    "getsebool": '#!/bin/sh\necho "$1 --> on"\n',
}

REPLAY = r"""#!/bin/sh
echo "@TOOL@ $*" >>@ROOT@/calls
for one in @ROOT@/recorded/@TOOL@-*; do
    [ -e "$one" ] || continue
    pattern=$(cat "$one/run")
    case "$*" in $pattern) ;; *) continue ;; esac
    [ ! -e "$one/once" ] || mkdir "$one/spent" 2>/dev/null || continue
    [ ! -e "$one/leaves" ] || cp -R "$one/leaves/." @ROOT@/
    [ ! -e "$one/ends" ] || rm -f @ROOT@/state/$(cat "$one/ends").active
    cat "$one/says"
    exit "$(cat "$one/status")"
done
[ ! -x @ROOT@/plain/@TOOL@ ] || exec @ROOT@/plain/@TOOL@ "$@"
echo "@TOOL@: the case has no answer to: $*" >&2
exit 99
"""
"""Says what was recorded for a call: the first answer that fits and is not used up; else the plain stand-in answers."""

UNIT = """# /usr/lib/systemd/system/haproxy.service
[Service]
EnvironmentFile=-/etc/sysconfig/haproxy
Environment="CONFIG=/etc/haproxy/haproxy.cfg" "PIDFILE=/run/haproxy.pid" "CFGDIR=/etc/haproxy/conf.d"
ExecStartPre=/usr/sbin/haproxy -f $CONFIG -f $CFGDIR -c -q $OPTIONS
ExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -f $CFGDIR -p $PIDFILE $OPTIONS
ExecReload=/usr/sbin/haproxy -f $CONFIG -f $CFGDIR -c -q $OPTIONS
"""
EL7_UNIT = """[Service]
EnvironmentFile=/etc/sysconfig/haproxy
ExecStart=/usr/sbin/haproxy-systemd-wrapper -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid $OPTIONS
ExecReload=/bin/kill -USR2 $MAINPID
"""


OS = {
    "el7": 'VERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"\n',
    "el8": 'VERSION_ID="8.10"\nPRETTY_NAME="Rocky Linux 8.10 (Green Obsidian)"\n',
    "el9": 'VERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n',
    "el10": 'VERSION_ID="10.0"\nPRETTY_NAME="Rocky Linux 10.0 (Red Quartz)"\n',
}


class Machine:
    """A root of its own. `installed`: haproxy is there, with the package's file, and does not run."""

    def __init__(self, folder: Path, *, shell: str = "sh", unit: str = UNIT, installed: bool = True) -> None:
        self.root = folder
        self.shell = shutil.which(shell)
        for name in ("bin", "state", "etc/haproxy/conf.d", "etc/rsyslog.d", "etc/sysconfig", "etc/sysctl.d"):
            (folder / name).mkdir(parents=True)
        for name in TOOLS.split():
            (folder / "bin" / name).symlink_to(shutil.which(name))
        for name, text in STANDINS.items():
            path = folder / "bin" / name
            path.write_text(text.replace("@ROOT@", str(folder)))
            path.chmod(0o755)
        self.write("unit", unit)
        self.write("log", "")
        self.write("etc/os-release", 'VERSION_ID="8.10"\nPRETTY_NAME="Rocky Linux 8.10 (Green Obsidian)"\n')
        self.write("etc/rsyslog.conf", "*.* /var/log/messages\n")
        if installed:
            self.write("state/installed", "")
            self.write("etc/haproxy/haproxy.cfg", "# stock\n")

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def text(self, name: str) -> str:
        return (self.root / name).read_text()

    def has(self, name: str) -> bool:
        return (self.root / name).exists()

    def run(self, script) -> subprocess.CompletedProcess:
        """Run a ShellScript as the wire would."""
        bootstrap = 'script=$(head -c "$1"; echo .); shift; eval "${script%.}"'
        text = script.script.encode()
        words = [self.shell, "-c", bootstrap, "provision", str(len(text)), *script.arguments]
        environment = {"PATH": str(self.root / "bin"), "LANG": os.environ.get("LANG", "C")}
        return subprocess.run(words, input=text + script.payload, capture_output=True, env=environment, timeout=60, check=False)

    def becomes(self, shape: str) -> None:
        """Of another generation: EL7 has yum in dnf's place, and the wrapper's unit."""
        self.write("etc/os-release", OS[shape])
        if shape == "el7":
            (self.root / "bin/dnf").rename(self.root / "bin/yum")
            self.write("unit", EL7_UNIT)

    def records(self, answers: list[dict]) -> None:
        """From now on tools answer as it was recorded, and every call of a stand-in is in `calls`.

        An answer: `run` (a pattern of tool and arguments), `status`, `says`, `once`, `leaves` (files and their text),
        `ends` (a service that does not run any more).
        """
        (self.root / "plain").mkdir()
        tools = {one["run"].split()[0] for one in answers}
        for path in list((self.root / "bin").iterdir()):
            if not path.is_symlink():
                path.rename(self.root / "plain" / path.name)
                tools.add(path.name)
        for tool in tools:
            path = self.root / "bin" / tool
            path.write_text(REPLAY.replace("@ROOT@", str(self.root)).replace("@TOOL@", tool))
            path.chmod(0o755)
        for number, one in enumerate(answers):
            self._record(number, one)

    def _record(self, number: int, one: dict) -> None:
        tool, _, arguments = one["run"].replace("@ROOT@", str(self.root)).partition(" ")
        folder = self.root / "recorded" / f"{tool}-{number:02}"
        folder.mkdir(parents=True)
        parts = {"run": arguments, "says": one.get("says", ""), "status": str(one.get("status", 0))}
        parts |= {name: one[name] for name in ("once", "ends") if name in one}
        for name, text in parts.items():
            (folder / name).write_text(str(text))
        for name, text in one.get("leaves", {}).items():
            (folder / "leaves" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "leaves" / name).write_text(text)

    def close(self) -> None:
        """End the stand-in of rsyslog."""
        pid = self.root / "state/rsyslog.active"
        if pid.exists() and pid.read_text().strip() not in ("", "1"):
            subprocess.run(["kill", pid.read_text().strip()], check=False, capture_output=True)
