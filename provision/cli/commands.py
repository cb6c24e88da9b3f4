"""Every command's name, parameters and help. Nothing is done here: see `invocation`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provision import __version__
from provision.cli.invocation import declare

app = typer.Typer(
    name="provision",
    help="Load-balanced IIS FTP behind HAProxy, from one cluster file.",
    epilog="Exit codes: 0 done, 1 failed before a change, 2 differences, 3 hosts unread, 4 bad file, 5 locked, "
    "6 rolled back, 7 not all rolled back, 64 usage, 129/130/143 stopped.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
lab = typer.Typer(help="The embedded lab: two modelled Windows servers and a balancer.", rich_markup_mode=None)

_A_CLUSTER = "A cluster file, or NAME for clusters/NAME.yml; may be left out where there is only one."
Cluster = Annotated[str | None, typer.Argument(metavar="CLUSTER", help=_A_CLUSTER, show_default=False)]
Clusters = Annotated[
    list[str] | None,
    typer.Argument(metavar="CLUSTER", help="Cluster files or names; none: every one in clusters/."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"provision {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=False, no_args_is_help=False)
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Load-balanced IIS FTP behind HAProxy, from one cluster file."""


@declare(app, "offline:validate", "validate")
def validate(clusters: Clusters = None) -> None:
    """Check the cluster file. Contacts nothing."""


@declare(app, "offline:schema", "schema")
def schema() -> None:
    """Print the JSON Schema of the cluster file, for editors."""


@declare(app, "rendering:render", "render")
def render(
    cluster: Cluster = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write everything below DIR.")] = None,
    haproxy: Annotated[str, typer.Option("--haproxy", metavar="VERSION", help="Write haproxy.cfg for it.")] = "2.4",
    everything: Annotated[
        bool, typer.Option("--all", help="Scripts, commands and by-hand.md as well, to stdout.")
    ] = False,
) -> None:
    """Print haproxy.cfg, or write every file and command. Contacts nothing."""


@declare(app, "reading:plan", "plan")
def plan(
    cluster: Cluster = None,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", metavar="HOST", help="Only this host; repeatable.")
    ] = None,
    adopt: Annotated[bool, typer.Option("--adopt", help="As if `cluster --adopt` came next.")] = False,
) -> None:
    """Read the servers and show what `cluster` would change. Changes nothing."""


@declare(app, "writing:cluster", "cluster")
def cluster_(
    cluster: Cluster = None,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", metavar="HOST", help="Only this host; repeatable.")
    ] = None,
    adopt: Annotated[bool, typer.Option("--adopt", help="Replace a haproxy.cfg that provision did not write.")] = False,
    yes: Yes = False,
) -> None:
    """Bring the servers to what the file says. Plans, asks, takes a snapshot, applies, verifies."""


@declare(app, "reading:drift", "drift")
def drift(clusters: Clusters = None) -> None:
    """Compare live servers with their file. Changes nothing."""


@declare(app, "writing:rollback", "rollback")
def rollback(
    cluster: Cluster = None,
    to: Annotated[
        int | None,
        typer.Option("--to", metavar="N", min=0, help="The generation; default: the one before the present."),
    ] = None,
    yes: Yes = False,
) -> None:
    """Show and apply the way back to a generation."""


@declare(app, "offline:history", "history")
def history(cluster: Cluster = None) -> None:
    """List the generations: when, who, what, result. Contacts nothing."""


@declare(app, "reading:verify", "verify")
def verify(cluster: Cluster = None) -> None:
    """Use FTP through the VIP and at each server. Log in, PASV, LIST, and a file where the probe allows it."""


@declare(app, "reading:status", "status")
def status(cluster: Cluster = None) -> None:
    """Show servers, health, sessions, and who holds VIP and lock."""


@declare(app, "reading:sessions", "sessions")
def sessions(cluster: Cluster = None) -> None:
    """Show who is connected where."""


@declare(app, "offline:explain", "explain")
def explain(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="A code such as P221; none: list them all.")
    ] = None,
) -> None:
    """Explain an error code. Contacts nothing."""
