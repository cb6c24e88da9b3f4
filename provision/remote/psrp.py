"""PowerShell sessions over PSRP, with pypsrp: one runspace pool, one pipeline for each run.

It must not know what the scripts say. HTTP requests over https with NTLM: login 1, open 3, run 2, close 1; every
further run 3 (it also ends the pipeline before it, since a server keeps at most 1,000 that nobody ended).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import requests
from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from provision.remote.deadline import GRACE, Deadline, DeadlinePassed, run_in_time
from provision.remote.negotiate import NegotiateAuth
from provision.remote.session import WinRMTarget, check_target, closed_session, script_failed
from provision.remote.winrm_errors import FOREIGN, explain
from provision.remote.winrm_http import IDLE_LIMIT, Wire, close_loggers, prepare


class PsrpSession:
    """See `session.PowerShellSession`. `clock` gives monotonic seconds."""

    def __init__(self, target: WinRMTarget, wsman: WSMan, wire: Wire, clock: Callable[[], float]) -> None:
        self._target = target
        self._wsman = wsman
        self._wire = wire
        self._clock = clock
        self._pool: RunspacePool | None = None
        self._last: PowerShell | None = None
        self._used = clock()
        self._closed = False

    def run(self, script: str, argument: str, deadline: float) -> str:
        """One pipeline; see `session.PowerShellSession.run`."""
        if self._closed:
            raise closed_session(self._target)
        limit = Deadline.after(deadline, self._clock)
        self._wire.deadline = limit
        try:
            return run_in_time(lambda: self._invoke(script, argument, limit), deadline + 2 * GRACE)
        except FOREIGN as error:
            self._abandon()
            raise explain(error, self._target) from error

    def close(self) -> None:
        """Delete the pool, which ends its pipelines too, and hang up."""
        if self._closed:
            return
        self._closed = True
        self._wire.deadline = Deadline.after(GRACE, self._clock)
        try:
            if self._pool is not None:
                run_in_time(self._pool.close, GRACE)
        except FOREIGN:
            pass  # the server drops an idle shell by itself
        finally:
            self._wsman.close()

    def _invoke(self, script: str, argument: str, limit: Deadline) -> str:
        """Open what is not open, end what ran before, run, and wait."""
        self._refresh()
        if self._pool is None:
            self._pool = RunspacePool(self._wsman)
            self._pool.open()
        if self._last is not None:
            self._last.close()
        pipeline = PowerShell(self._pool)
        pipeline.add_script(script, use_local_scope=True)
        pipeline.add_parameter("Json", argument)
        pipeline.begin_invoke()
        self._wait(pipeline, limit)
        self._last, self._used = pipeline, self._clock()
        return self._output(pipeline)

    def _wait(self, pipeline: PowerShell, limit: Deadline) -> None:
        """Poll until the pipeline is done; stop it when its time is over."""
        while pipeline.state == PSInvocationState.RUNNING:
            if limit.passed:
                self._wire.deadline = limit.plus(GRACE)
                pipeline.stop()
                raise DeadlinePassed
            self._poll(pipeline, limit)

    def _poll(self, pipeline: PowerShell, limit: Deadline) -> None:
        """Ask once. The answer may take until the deadline; the server is told so in whole seconds, at least one."""
        seconds = max(1, min(self._target.operation_timeout, int(limit.left)))
        self._wire.deadline = limit.plus(GRACE)
        pipeline.poll_invoke(timeout=seconds)
        self._wire.deadline = limit

    def _output(self, pipeline: PowerShell) -> str:
        if pipeline.state == PSInvocationState.FAILED:
            last = str(pipeline.streams.error[-1]) if pipeline.streams.error else "no reason given"
            raise script_failed(self._target, last)
        match pipeline.output:
            case [str() as text] if text:
                return text
            case others:
                kinds = ", ".join(type(item).__name__ for item in others[:5] if item != "") or "nothing"
                raise script_failed(self._target, f"it must output one string and gave {kinds}")

    def _refresh(self) -> None:
        """Let go of a connection that idled: the pool lives on at the server, the next request logs in again."""
        if self._clock() - self._used > IDLE_LIMIT and self._pool is not None:
            self._wsman.close()
            self._wsman.transport.session = new_session(self._wsman, self._target, self._wire)
            self._wsman.transport.encryption = None

    def _abandon(self) -> None:
        """After trouble on the wire nothing of the session is believed any more."""
        self._closed = True
        self._wsman.close()


def open_psrp(target: WinRMTarget, clock: Callable[[], float] = time.monotonic) -> PsrpSession:
    """A session that connects on its first run. Raises ConnectionFailed for settings that cannot be used."""
    check_target(target)
    close_loggers()
    try:
        wsman = WSMan(
            target.address,
            port=target.port,
            username=target.user,
            password=target.password.reveal(),
            ssl=target.scheme == "https",
            auth=target.auth,
            cert_validation=target.verify,
            encryption="auto" if target.scheme == "https" else "always",
            no_proxy=True,
            operation_timeout=target.operation_timeout,
            reconnection_retries=0,
            certificate_pem=str(target.client_certificate) if target.client_certificate else None,
            certificate_key_pem=str(target.client_key) if target.client_key else None,
        )
        wire = Wire(target)
        wsman.transport.session = new_session(wsman, target, wire)
    except FOREIGN as error:
        raise explain(error, target) from error
    return PsrpSession(target, wsman, wire, clock)


def new_session(wsman: WSMan, target: WinRMTarget, wire: Wire) -> requests.Session:
    """The requests session that pypsrp makes, on our adapter, and with our login for NTLM and Negotiate."""
    session = wsman.transport._build_session()  # noqa: SLF001 - pypsrp has no public way to its logins
    prepare(session, wire)
    if target.auth in ("ntlm", "negotiate"):
        seals = target.scheme == "http"
        session.auth = NegotiateAuth(target.user, target.password.reveal(), target.auth, seals=seals)
    return session
