"""Turns what paramiko, Fabric, Invoke and sockets raise into our errors, with the likely cause in words.

Decides by classes, never by the text of an exception. It must not know what a script does.
"""

from __future__ import annotations

import errno
import shlex
import socket

import fabric.exceptions
import invoke.exceptions
import paramiko
from paramiko import ssh_exception
from paramiko.auth_strategy import AuthFailure
from paramiko.pkey import UnknownKeyType

from provision.errors import ConnectionFailed
from provision.remote.ssh_target import SshTarget


class HostKeyUnknown(paramiko.SSHException):
    """The server's key is in none of the files of known hosts."""

    def __init__(self, hostname: str, kind: str, fingerprint: str) -> None:
        super().__init__(hostname, kind, fingerprint)
        self.hostname = hostname
        self.kind = kind
        self.fingerprint = fingerprint


FOREIGN: tuple[type[Exception], ...] = (
    paramiko.SSHException,
    paramiko.SFTPError,
    UnknownKeyType,
    invoke.exceptions.Failure,
    invoke.exceptions.Exit,
    invoke.exceptions.PlatformError,
    invoke.exceptions.AmbiguousEnvVar,
    invoke.exceptions.UncastableEnvVar,
    invoke.exceptions.UnknownFileType,
    invoke.exceptions.UnpicklableConfigMember,
    invoke.exceptions.CollectionNotFound,
    invoke.exceptions.ParseError,
    invoke.exceptions.ThreadException,
    invoke.exceptions.WatcherError,
    invoke.exceptions.SubprocessPipeError,
    fabric.exceptions.NothingToDo,
    fabric.exceptions.GroupException,
    fabric.exceptions.InvalidV1Env,
    OSError,
    EOFError,
)
"""Every exception that a call to these libraries may end with."""

_Words = tuple[str, str, str, str]
"""Code, what happened, why, what next."""

_PLAIN: tuple[tuple[type[Exception] | tuple[type[Exception], ...], _Words], ...] = (
    (
        ssh_exception.PasswordRequiredException,
        (
            "P229",
            "the private key is encrypted",
            "it needs a passphrase",
            "load it into ssh-agent, or name another key",
        ),
    ),
    (
        ssh_exception.BadAuthenticationType,
        (
            "P223",
            "the login was refused",
            "the server does not offer this kind of login",
            "use a key, or ask its admin",
        ),
    ),
    (
        ssh_exception.PartialAuthentication,
        ("P223", "the login was refused", "the server wants a second factor", "use an account without one"),
    ),
    (
        (paramiko.AuthenticationException, AuthFailure),
        (
            "P223",
            "the login was refused",
            "wrong password, a key that is not in authorized_keys, or a user that may not log in",
            "try 'ssh' with the same user and key",
        ),
    ),
    (
        ssh_exception.IncompatiblePeer,
        (
            "P229",
            "no common encryption",
            "the server offers only algorithms that are no longer accepted",
            "update its sshd",
        ),
    ),
    (
        ssh_exception.ProxyCommandFailure,
        (
            "P229",
            "the ProxyCommand failed",
            "the command of the ssh configuration ended",
            "try 'ssh' with the same host",
        ),
    ),
    (
        (ssh_exception.ConfigParseError, ssh_exception.CouldNotCanonicalize),
        ("P229", "the ssh configuration cannot be used", "a line of it is not understood", "try 'ssh -G HOST'"),
    ),
    (
        UnknownKeyType,
        ("P229", "the private key cannot be used", "its type is unknown", "use an Ed25519, ECDSA or RSA key"),
    ),
    (
        paramiko.ChannelException,
        (
            "P228",
            "the server opens no channel",
            "MaxSessions or AllowTcpForwarding of its sshd forbids it",
            "ask its admin",
        ),
    ),
    (
        socket.gaierror,
        (
            "P220",
            "its name does not resolve",
            "a typing error, or a name server that does not answer",
            "use its address",
        ),
    ),
    (
        (TimeoutError, invoke.exceptions.CommandTimedOut),
        (
            "P224",
            "no answer in time",
            "it is off, or a firewall drops the packets",
            "check address and port, then the firewall",
        ),
    ),
    (
        (ConnectionRefusedError, ssh_exception.NoValidConnectionsError),
        ("P220", "the port is closed", "sshd does not run there, or it listens on another port", "check ssh.port"),
    ),
    (
        (ConnectionResetError, BrokenPipeError, EOFError, ssh_exception.MessageOrderError),
        (
            "P228",
            "the connection broke",
            "sshd or something on the way ended it",
            "run again; nothing is done twice",
        ),
    ),
    (
        FileNotFoundError,
        (
            "P229",
            "a file of the ssh settings is missing",
            "a key or a known_hosts file that is named is not there",
            "name one",
        ),
    ),
    (
        PermissionError,
        (
            "P229",
            "a file of the ssh settings cannot be read",
            "its permissions forbid it",
            "make it readable for you",
        ),
    ),
)

_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EHOSTDOWN})


def explain(error: Exception, target: SshTarget, doing: str) -> ConnectionFailed:
    """Our error for one of `FOREIGN`, raised while `doing` something."""
    match error:
        case paramiko.BadHostKeyException():
            return changed_key(target)
        case HostKeyUnknown():
            return _unknown_key(target, error)
    words = next((words for kinds, words in _PLAIN if isinstance(error, kinds)), None)
    if words is None and isinstance(error, OSError) and error.errno in _UNREACHABLE:
        words = ("P220", "it cannot be reached", "there is no route to it", "check the address and the network")
    if words is None:
        told = str(error) if isinstance(error, paramiko.SSHException | OSError) else ""
        reason = " ".join(told.split())[:200] or type(error).__name__
        words = ("P228", "the SSH session broke", reason, "try 'ssh' with the same host")
    code, what, why, then = words
    return ConnectionFailed(code, f"{what} while {doing}", host=target.host, why=why, next=then)


def changed_key(target: SshTarget) -> ConnectionFailed:
    """The server shows another key than the one that is known."""
    return ConnectionFailed(
        "P221",
        "the SSH host key is not the one in known_hosts",
        host=target.host,
        why="the machine was installed anew, or somebody stands between",
        next=f"find out which; then remove the old key with {_forget(target)}",
    )


def _unknown_key(target: SshTarget, error: HostKeyUnknown) -> ConnectionFailed:
    return ConnectionFailed(
        "P222",
        "the SSH host key is not known",
        host=target.host,
        why=f"{error.hostname} shows {error.kind} {error.fingerprint}",
        next="compare it with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_*.pub), then connect once with ssh",
    )


def _forget(target: SshTarget) -> str:
    """The command that removes the known key, from the file that the cluster file names, if any."""
    file = f"-f {shlex.quote(str(target.known_hosts))} " if target.known_hosts is not None else ""
    return f"ssh-keygen {file}-R {_place(target)}"


def _place(target: SshTarget) -> str:
    return target.address if target.port in (None, 22) else f"'[{target.address}]:{target.port}'"


def passed_deadline(target: SshTarget, what: str) -> ConnectionFailed:
    """The deadline of a run passed: the channel is closed, what the script did until then stays done."""
    advice = "read the machine again before anything else; give more time with --timeout"
    return ConnectionFailed("P225", what, host=target.host, why="its deadline passed", next=advice)


def output_too_long(target: SshTarget, limit: int) -> ConnectionFailed:
    """A script printed more than it may."""
    return ConnectionFailed("P226", f"a script printed more than {limit} bytes", host=target.host)


def sudo_refused(target: SshTarget, said: str) -> ConnectionFailed:
    """Sudo did not let us."""
    return ConnectionFailed(
        "P227",
        "sudo refused",
        host=target.host,
        why=said[:500],
        next="allow the user in sudoers (NOPASSWD), or set ssh.sudo_password",
    )


def unusable(target: SshTarget, why: str, advice: str) -> ConnectionFailed:
    """Settings that cannot work; nothing was contacted."""
    return ConnectionFailed("P229", "the ssh settings cannot be used", host=target.host, why=why, next=advice)
