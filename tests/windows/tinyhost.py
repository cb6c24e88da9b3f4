"""A process with a control socket and nothing else: what every host of the lab has in common."""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

from provision.lab.windows.control import ControlSocket


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    directory = parser.parse_args().directory
    if (directory / "refuse").exists():
        print((directory / "refuse").read_text() or "the port is taken", file=sys.stderr)
        return 1
    ending = threading.Event()
    stubborn = (directory / "stubborn").exists()

    def stop(_asked: object) -> dict[str, object]:
        if not stubborn:
            ending.set()
        return {}

    (directory / "ssh_host_ed25519_key.pub").write_text("ssh-ed25519 AAAAkey root@lb1\n")
    control = ControlSocket(directory, {"status": lambda _asked: {"ready": True, "requests": 7}, "stop": stop})
    control.start()
    ending.wait()
    control.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
