"""What a careless hand does to a balancer of the lab: named, in a sentence, and done with the host's own commands.

Each break speaks to the control socket of a host that runs; it knows nothing of who finds it or mends it.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.haproxycfg import binds
from provision.lab.balancer.settings import load

Act = Callable[[Path], str]
ANSWER_SECONDS = 20.0
MAIN = "etc/haproxy/haproxy.cfg"


@dataclass(frozen=True, slots=True)
class Break:
    """A named break. `mend` is None where `provision cluster` brings it back.

    Both take the balancer's folder and say what was done; OSError when its process does not run, LookupError when there is
    nothing to break, ValueError when the host refuses.
    """

    name: str
    sentence: str
    apply: Act
    mend: Act | None = None


def ask(directory: Path, request: Mapping[str, object]) -> dict[str, Any]:
    """One request to the control socket in `directory`; OSError when nobody answers, ValueError when it is refused."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(str(directory / "control.sock"))
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as stream:
            answer = json.loads(stream.readline())
    if not isinstance(answer, dict) or not answer.get("ok"):
        raise ValueError(f"the host refused: {answer}")
    return answer


def run(directory: Path, *words: str) -> str:
    """Run a command of the host as root; its output. ValueError with its words when it fails."""
    answer = ask(directory, {"do": "run", "argv": list(words)})
    if answer["code"] != 0:
        raise ValueError(f"{' '.join(words)}: {answer['err'] or answer['out']}".strip())
    return str(answer["out"])


def _main_file(directory: Path) -> Path:
    path = directory.resolve() / MAIN
    if not path.exists():
        raise LookupError("haproxy is not installed there yet: run provision cluster first")
    return path


def _control_port(directory: Path) -> int:
    vip = load(directory).vip
    folder = _main_file(directory).parent
    texts = [
        path.read_text(encoding="utf-8") for path in (folder / "haproxy.cfg", *sorted(folder.glob("conf.d/*.cfg")))
    ]
    port = next((bind.low for text in texts for bind in binds(text) if bind.address == vip), None)
    if port is None:
        raise LookupError(f"haproxy.cfg binds nothing on the VIP {vip} yet: run provision cluster first")
    return port


def _haproxy_edited(directory: Path) -> str:
    path = _main_file(directory)
    text = path.read_text(encoding="utf-8")
    edited = re.sub(r"(?m)^(\s*timeout client\s+)\S+", r"\g<1>7s", text, count=1)
    write_text(path, edited if edited != text else f"{text}# tuned by hand\n", path.stat().st_mode & 0o777)
    run(directory, "systemctl", "reload", "haproxy")
    return "somebody set the first 'timeout client' in haproxy.cfg to 7s and reloaded haproxy"


def _haproxy_not_reloaded(directory: Path) -> str:
    path = _main_file(directory)
    text = path.read_text(encoding="utf-8")
    write_text(path, f"{text}# a line that nobody reloaded\n", path.stat().st_mode & 0o777)
    return "somebody added a line to haproxy.cfg and did not reload haproxy"


def _port(*words: str) -> Act:
    def act(directory: Path) -> str:
        port = _control_port(directory)
        run(directory, "firewall-cmd", *words, f"--remove-port={port}/tcp")
        where = "on disk, so that it closes at the next boot" if words else "now; on disk it is still open"
        return f"firewalld no longer admits {port}/tcp {where}"

    return act


def _commands(done: str, *commands: tuple[str, ...]) -> Act:
    def act(directory: Path) -> str:
        for words in commands:
            run(directory, *words)
        return done

    return act


def _vip(verb: str, done: str) -> Act:
    def act(directory: Path) -> str:
        settings = load(directory)
        run(directory, "ip", "address", verb, f"{settings.vip}/32", "dev", settings.interface)
        return f"{done} {settings.vip}"

    return act


def _host_key(verb: str, done: str) -> Act:
    def act(directory: Path) -> str:
        ask(directory, {"do": verb})
        return done

    return act


def _permissive_at_boot(directory: Path) -> str:
    config = directory / "etc/selinux/config"
    config.write_text(config.read_text().replace("SELINUX=enforcing", "SELINUX=permissive"))
    run(directory, "setenforce", "0")
    return "somebody ran setenforce 0 and wrote SELINUX=permissive into /etc/selinux/config"


_ALL = (
    Break("haproxy-edited", "haproxy.cfg is edited by hand, and haproxy reloaded", _haproxy_edited),
    Break("haproxy-not-reloaded", "haproxy.cfg is edited by hand, and haproxy runs the old one", _haproxy_not_reloaded),
    Break("port-closed-runtime", "firewalld closes the FTP port now; it would be open again after a boot", _port()),
    Break("port-closed-permanent", "firewalld keeps the FTP port open until the next boot only", _port("--permanent")),
    Break(
        "selinux-boolean-off",
        "haproxy_connect_any is switched off, now and for later boots",
        _commands(
            "somebody ran setsebool -P haproxy_connect_any off", ("setsebool", "-P", "haproxy_connect_any", "off")
        ),
    ),
    Break(
        "selinux-permissive",
        "SELinux is permissive until the next boot",
        _commands("somebody ran setenforce 0", ("setenforce", "0")),
    ),
    Break(
        "selinux-permissive-at-boot",
        "SELinux is permissive, now and for later boots: what the article does",
        _permissive_at_boot,
    ),
    Break(
        "haproxy-stopped",
        "haproxy is stopped",
        _commands("somebody ran systemctl stop haproxy", ("systemctl", "stop", "haproxy")),
    ),
    Break(
        "haproxy-disabled",
        "haproxy would not start at the next boot",
        _commands("somebody ran systemctl disable haproxy", ("systemctl", "disable", "haproxy")),
    ),
    Break(
        "rsyslog-stopped",
        "rsyslog is stopped: haproxy's log goes nowhere",
        _commands("somebody ran systemctl stop rsyslog", ("systemctl", "stop", "rsyslog")),
    ),
    Break(
        "firewalld-stopped",
        "firewalld is stopped: every port is open",
        _commands("somebody ran systemctl stop firewalld", ("systemctl", "stop", "firewalld")),
        _commands("firewalld runs again", ("systemctl", "start", "firewalld")),
    ),
    Break(
        "vip-lost",
        "the balancer no longer holds the VIP",
        _vip("del", "the interface lost"),
        _vip("add", "the interface holds again"),
    ),
    Break(
        "host-key-changed",
        "the balancer answers with another SSH host key",
        _host_key("new-host-key", "the SSH host key is another one now"),
        _host_key("old-host-key", "the first SSH host key is back"),
    ),
)
BREAKS: Mapping[str, Break] = MappingProxyType({each.name: each for each in _ALL})
