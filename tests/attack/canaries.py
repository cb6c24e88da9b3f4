"""Planted secrets and where they may be: every spelling of each is searched in what a run leaves behind.

The spellings are made here, not taken from the product: what it forgets must not be forgotten here as well.
"""

import base64
import json
import threading
import urllib.parse
from pathlib import Path
from xml.sax.saxutils import escape

ALLOWED = ("-password", "host.json", "/etc/haproxy/haproxy.cfg", "/originals/", "/lab/haproxy/")
"""The lab's own inputs and what its haproxy runs, and the two places of a balancer that hold the real haproxy.cfg."""


def _inside(data):
    """Base64 of `data` wherever it stands in a longer text: each alignment without its uncertain edges."""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + data + b"\0" * (-(len(data) + shift) % 3)).decode()
        yield text[-(-shift * 8 // 6) :][: (len(data) * 8) // 6 - 2].encode()


def spelled(value):
    """Every form of `value` that a log, a wire or a careless writer would use."""
    raw, wide = value.encode(), value.encode("utf-16-le")
    texts = {value, urllib.parse.quote(value), urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value)}
    texts |= {escape(value), escape(value, {'"': "&quot;", "'": "&apos;"}), escape(value, {'"': "&#34;", "'": "&#39;"})}
    texts |= {json.dumps(value)[1:-1], repr(value)[1:-1], value.replace("'", "''"), value.replace("'", "'\\''")}
    forms = {one.encode() for one in texts} | {wide}
    for data in (raw, wide):
        forms |= {data.hex().encode(), data.hex().upper().encode(), *_inside(data)}
    return forms


class Hunt:
    """Looks for planted secrets. `found` are (place, which secret) pairs."""

    def __init__(self, secrets):
        self.forms = {name: spelled(value) for name, value in secrets.items()}
        self.found = set()

    def look(self, place, data):
        """Search `data` (bytes or text)."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        for name, forms in self.forms.items():
            if any(form in raw for form in forms):
                self.found.add((place, name))

    def look_below(self, folder, allowed=ALLOWED):
        """Search every file below `folder` but for the allowed ones; those must be for their owner alone."""
        for path in Path(folder).resolve().rglob("*"):
            if not path.is_file() or path.is_symlink():
                continue
            if any(word in str(path) for word in allowed):
                assert path.stat().st_mode & 0o007 == 0, path
                continue
            self.look(str(path), path.read_bytes())


class Watch(threading.Thread):
    """Samples the arguments and the surroundings of every process until it is told to stop."""

    def __init__(self, hunt):
        super().__init__(daemon=True)
        self.hunt, self.over, self.seen = hunt, threading.Event(), set()

    def run(self):
        while not self.over.wait(0.05):
            for process in Path("/proc").glob("[0-9]*"):
                self.sample(process)

    def sample(self, process):
        for name in ("cmdline", "environ"):
            try:
                data = (process / name).read_bytes()
            except OSError:
                continue
            if (process.name, data) not in self.seen:
                self.seen.add((process.name, data))
                self.hunt.look(f"{process.name} {name}", data)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
