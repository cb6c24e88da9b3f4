"""A WinRM endpoint with a host that does as the test says; on loopback addresses of these tests alone."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from provision.lab.winrm.accounts import Account
from provision.lab.winrm.connection import Faults
from provision.lab.winrm.scripthost import PipelineCommand, PipelineResult, ProcessResult
from provision.lab.winrm.server import STOCK, Settings, WinRMServer
from provision.lab.winrm.tls import TlsFiles, make_tls
from provision.model.secret import Secret
from provision.remote.psrp import open_psrp
from provision.remote.session import PowerShellSession, WinRMTarget
from provision.remote.winrs import open_winrs

ADDRESS = "127.0.37.1"
USER = "Administrator"
PASSWORD = "C4nary:pass wörd/+="

OPENERS: dict[str, Callable[..., PowerShellSession]] = {"psrp": open_psrp, "winrs": open_winrs}


@dataclass
class ObedientHost:
    """Remembers what it was asked; answers what `pipeline` and `process` say, after `hold` is set."""

    pipeline: Callable[[Sequence[PipelineCommand]], PipelineResult] = lambda commands: PipelineResult(("done",))
    process: Callable[[bytes], ProcessResult] = lambda stdin: ProcessResult(b"done\r\n", b"", 0)
    asked: list[object] = field(default_factory=list)
    inputs: list[object] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.hold.set()

    def run_pipeline(self, commands: Sequence[PipelineCommand], input: Sequence[object]) -> PipelineResult:
        self.asked.append(tuple(commands))
        self.inputs.append(tuple(input))
        self.hold.wait(20)
        return self.pipeline(commands)

    def run_process(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        self.asked.append((command, tuple(arguments)))
        self.inputs.append(stdin)
        self.hold.wait(20)
        return self.process(stdin)

    def answer(self, act: Callable[[str, str], str]) -> None:
        """Let both ways of running a script give `act(script, json)`."""

        def pipeline(commands: Sequence[PipelineCommand]) -> PipelineResult:
            return PipelineResult((act(commands[0].text, str(dict(commands[0].parameters)["Json"])),))

        def process(stdin: bytes) -> ProcessResult:
            script, json = (base64.b64decode(line).decode() for line in stdin.split())
            return ProcessResult(base64.b64encode(act(script, json).encode()), b"", 0)

        self.pipeline, self.process = pipeline, process


@pytest.fixture
def host() -> Iterator[ObedientHost]:
    obedient = ObedientHost()
    yield obedient
    obedient.hold.set()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return make_tls(tmp_path_factory.mktemp("tls"), ADDRESS)


@pytest.fixture
def start(host: ObedientHost, tls: TlsFiles) -> Iterator[Callable[..., WinRMServer]]:
    """Starts an endpoint; the test may change `settings`, `faults` and `accounts`."""
    started: list[WinRMServer] = []

    def start(
        settings: Settings = STOCK,
        faults: Callable[[], Faults] = Faults,
        accounts: Sequence[Account] = (Account(USER, PASSWORD),),
    ) -> WinRMServer:
        server = WinRMServer(ADDRESS, 0, 0, tls, accounts, faults, host, settings)
        server.start()
        started.append(server)
        return server

    yield start
    host.hold.set()
    for server in started:
        server.close()


@pytest.fixture
def user() -> str:
    return USER


@pytest.fixture
def password() -> str:
    return PASSWORD


@pytest.fixture
def server(start: Callable[..., WinRMServer]) -> WinRMServer:
    return start()


@pytest.fixture
def target(tls: TlsFiles) -> Callable[..., WinRMTarget]:
    """A target on a server, https with NTLM unless the test says otherwise."""

    def target(server: WinRMServer, scheme: str = "https", **changes: Any) -> WinRMTarget:
        port = server.https_port if scheme == "https" else server.http_port
        plain = WinRMTarget("win1", ADDRESS, port or 0, "http", "ntlm", USER, Secret(PASSWORD), Path(tls.ca))
        return replace(plain, **({"scheme": scheme} | changes))

    return target


@pytest.fixture(params=sorted(OPENERS))
def opener(request: pytest.FixtureRequest) -> Callable[..., PowerShellSession]:
    """open_psrp and open_winrs, one after the other."""
    return OPENERS[request.param]
