"""A Windows server of the lab, and the two scripts run on it as shipped (or as mutated)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from provision.lab.powershell.runspace import RunResult, Runspace
from provision.lab.powershell.world import Cmdlet, CmdletCall, NetObject
from provision.lab.windows.cmdlets.base import Command
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.world import WindowsWorld, make_world

SCRIPTS = Path(__file__).parents[2] / "powershell"
GET = (SCRIPTS / "Get-FtpServerState.ps1").read_text("ascii")
SET = (SCRIPTS / "Set-FtpServerState.ps1").read_text("ascii")
SITE = "Default FTP Site"
MANAGER = "microsoft.web.administration.servermanager"
QUESTION = {"cluster": "lab", "ruleName": "provision-lab", "sites": [SITE], "ftpAddress": "127.0.61.11",
            "ftpPort": 2121, "passivePorts": {"low": 10000, "high": 10029}}
RULE = {"ports": ["2121", "10000-10029"], "remoteAddresses": ["127.0.61.1"], "service": "ftpsvc", "enabled": True}
EVERYTHING = {"dataChannelPorts": {"set": {"low": 10000, "high": 10029}},
              "externalAddresses": [{"site": SITE, "set": "127.0.61.100"}],
              "firewallRule": {"set": RULE},
              "service": {"startType": "Automatic", "running": True, "restart": True}}


class Server:
    """The host, and what an operator does with it through the scripts."""

    def __init__(self, host: WindowsHost) -> None:
        self.host = host

    def run(self, script: str, document: Mapping[str, Any], world: WindowsWorld | None = None) -> RunResult:
        runspace = Runspace(world or make_world(self.host), sleep=lambda _seconds: None)
        return runspace.run(script, {"Json": json.dumps(document)}, name="under test")

    def answer(self, script: str, document: Mapping[str, Any], world: WindowsWorld | None = None) -> dict[str, Any]:
        result = self.run(script, document, world)
        assert result.failed is None, result.failed
        (text,) = result.output
        return json.loads(str(text))

    def get(self, script: str = GET, world: WindowsWorld | None = None, **changes: Any) -> dict[str, Any]:
        answer = self.answer(script, {**QUESTION, **changes}, world)
        assert answer["ok"], answer["error"]
        return answer["data"]

    def set(self, world: WindowsWorld | None = None, /, **order: Any) -> dict[str, Any]:
        answer = self.answer(SET, {"cluster": "lab", "ruleName": "provision-lab", **order}, world)
        assert answer["ok"], answer["error"]
        return answer["data"]

    def refused(self, script: str = SET, world: WindowsWorld | None = None, /, **document: Any) -> dict[str, Any]:
        base = QUESTION if script is GET else {"cluster": "lab", "ruleName": "provision-lab"}
        answer = self.answer(script, {**base, **document}, world)
        assert answer["ok"] is False
        return answer["error"]

    @property
    def config(self) -> str:
        return self.host.config_path.read_text("utf-8")

    def edit_config(self, pattern: str, by: str) -> None:
        """A hand edit of applicationHost.config."""
        text, count = re.subn(pattern, by, self.config, count=1)
        assert count == 1, pattern
        self.host.config_path.write_text(text, "utf-8")

    def site_defaults(self, address: str) -> None:
        """Give the site defaults an external address, by hand."""
        inner = f'<firewallSupport externalIp4Address="{address}" />'
        text = self.config
        start = text.index("<siteDefaults")
        place = text.index("<ftpServer", start)
        closing = text.index(">", place) + 1
        assert place < text.index("</siteDefaults>")
        assert text[closing - 2] != "/"
        self.host.config_path.write_text(text[:closing] + inner + text[closing:], "utf-8")


class Meddled:
    """ServerManager, while somebody else writes the file just before each of the first commits."""

    def __init__(self, inner: NetObject, host: WindowsHost, times: list[int]) -> None:
        self._inner = inner
        self._host = host
        self._times = times
        self.type_name = inner.type_name

    def call(self, name: str, arguments: Sequence[object]) -> object:
        if name.lower() == "commitchanges" and self._times[0] > 0:
            self._times[0] -= 1
            text = self._host.config_path.read_text("utf-8")
            self._host.config_path.write_text(
                text.replace("<configuration>", "<configuration><!-- somebody else -->"), "utf-8")
        return self._inner.call(name, arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class MeddlingType:
    type_name = "Microsoft.Web.Administration.ServerManager"

    def __init__(self, host: WindowsHost, inner: Any, times: int) -> None:
        self._host, self._inner, self._times = host, inner, [times]

    def new(self, arguments: Sequence[object]) -> object:
        return Meddled(self._inner.new(arguments), self._host, self._times)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class MeddledWorld(WindowsWorld):
    """A world in which the first `times` commits meet a file that changed on disk."""

    def __init__(self, host: WindowsHost, times: int) -> None:
        super().__init__(host)
        self._times = times

    def load_assembly(self, path: str) -> None:
        super().load_assembly(path)
        types: dict[str, Any] = self._types  # type: ignore[assignment]  # a double of one class stands in
        types[MANAGER] = MeddlingType(self._host, types[MANAGER], self._times)


class RacedWorld(WindowsWorld):
    """A world in which somebody edits the configuration each time the script has just read the file, `times` times."""

    def __init__(self, server: Server, times: int) -> None:
        super().__init__(server.host)
        self._server, self._left = server, times
        inner = self.cmdlets["get-content"]
        self.cmdlets = {**self.cmdlets, "get-content": Command(inner.parameters, lambda call: self._read(inner, call))}

    def _read(self, inner: Cmdlet, call: CmdletCall) -> Iterable[object]:
        text = list(inner.run(call))
        if self._left > 0:
            self._left -= 1
            self._server.edit_config(r'externalIp4Address="[^"]*"', f'externalIp4Address="10.0.0.{self._left}"')
        return text
