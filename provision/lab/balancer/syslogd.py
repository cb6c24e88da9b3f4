"""The lab's rsyslogd: a small daemon that reads rsyslog's real configuration files and writes what haproxy logs.

Nobody may bind port 514 as a user, so each UDP input is a datagram socket `lab/syslog/udp-PORT.sock`, to which the lab's copy of
haproxy.cfg sends; an input that the configuration does not name has no socket, and the messages are lost, as on a real host.
Started as `python -m provision.lab.balancer.syslogd ROOT`; prints `ready` when the sockets are there.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import socket
import sys
from datetime import datetime
from pathlib import Path

from provision.lab.balancer.rsyslogcfg import FACILITIES, SEVERITIES, Message, Rsyslog, read

_SYSLOG = re.compile(r"<(\d{1,3})>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?(.*)", re.DOTALL)
_TAG = re.compile(r"(?:\S+ )?([\w.-]+)(?:\[\d+\])?:")


def parse(datagram: bytes, host: str, now: datetime) -> Message | None:
    """One RFC 3164 message; None for what is not one. A time that is missing is `now`."""
    match = _SYSLOG.match(datagram.decode("utf-8", "replace").rstrip("\n\x00"))
    if match is None or int(match.group(1)) >= len(FACILITIES) * 8:
        return None
    facility, severity = divmod(int(match.group(1)), 8)
    stamp = match.group(2) or f"{now:%b} {now.day:2d} {now:%H:%M:%S} "
    tag = _TAG.match(match.group(3))
    return Message(
        FACILITIES[facility], SEVERITIES[severity], tag.group(1) if tag else "", f"{stamp}{host} {match.group(3)}"
    )


PARENT_SECONDS = 2.0
"""How long a killed host is outlived."""


def inside(root: Path, path: str) -> Path:
    """The file that `path` is on this host: what is not under the root already is taken from there, as in a chroot."""
    file = Path(path)
    return file if file.is_relative_to(root) else root / file.relative_to("/")


def deliver(message: Message, config: Rsyslog, root: Path) -> None:
    """Write the message where the rules say, in order, until one stops it; never outside the root."""
    for rule in config.rules:
        if not rule.matches(message):
            continue
        for path in rule.actions:
            if path == "stop":
                return
            if path:
                _append(inside(root, path), message.line)


def _append(path: Path, line: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
    except OSError as error:
        print(f"action 'omfile' suspended: {error}", file=sys.stderr)


def _bind(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(path))
    return made


def open_sockets(root: Path, config: Rsyslog) -> list[tuple[socket.socket, str]]:
    """The local socket always, one for each UDP input; with the host name that messages get."""
    folder = root / "lab" / "syslog"
    for old in folder.glob("*.sock"):
        old.unlink()
    paths = [(folder / "dev-log.sock", "lb"), (root / "dev" / "log", "lb")]
    paths += [
        (folder / f"udp-{port}.sock", "localhost")
        for address, port in dict.fromkeys(config.udp)
        if address in ("*", "0.0.0.0", "127.0.0.1", "localhost")
    ]
    return [(_bind(path), host) for path, host in paths]


def serve(root: Path) -> None:
    """Run until SIGTERM, or until the host that started it is gone."""
    parent = os.getppid()
    config = read(root / "etc/rsyslog.conf")
    for sentence in config.errors:
        print(sentence, file=sys.stderr)
    chooser = selectors.DefaultSelector()
    for made, host in open_sockets(root, config):
        chooser.register(made, selectors.EVENT_READ, host)
    print("ready", flush=True)
    while os.getppid() == parent:
        for key, _ in chooser.select(PARENT_SECONDS):
            if isinstance(key.fileobj, socket.socket):
                message = parse(key.fileobj.recv(65536), str(key.data), datetime.now())
                if message is not None:
                    deliver(message, config, root)


def main() -> None:
    """The process."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # so that it goes by its name in `ps`, where the kernel has that
        Path("/proc/self/comm").write_text("rsyslogd", encoding="ascii")
    serve(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
