"""The names and parameters of `provision lab ...`. Nothing of the lab is loaded here."""

from __future__ import annotations

from typing import Annotated

import typer

from provision.cli.commands import Cluster, Host, lab
from provision.cli.invocation import declare

Fault = Annotated[str | None, typer.Argument(metavar="[NAME]", help="The fault; see --list.", show_default=False)]
Where = Annotated[str, typer.Option("--cluster", metavar="CLUSTER", help="The lab's cluster file or name.")]


@declare(lab, "lab:up", "lab up")
def up(cluster: Cluster = "lab") -> None:
    """Start the lab for a cluster file on loopback addresses."""


@declare(lab, "lab:down", "lab down")
def down(cluster: Cluster = "lab") -> None:
    """Stop the lab."""


@declare(lab, "lab:status", "lab status")
def status(cluster: Cluster = "lab") -> None:
    """Show which hosts of the lab run."""


@declare(lab, "lab:break_", "lab break")
def break_(
    name: Fault = None,
    host: Host = None,
    cluster: Where = "lab",
    list_: Annotated[bool, typer.Option("--list", help="List the faults there are.")] = False,
) -> None:
    """Inject a named fault, or a change by hand."""


@declare(lab, "lab:mend", "lab mend")
def mend(name: Fault = None, host: Host = None, cluster: Where = "lab") -> None:
    """Take a fault back that `provision cluster` cannot mend."""


@declare(lab, "lab:reset", "lab reset")
def reset(cluster: Cluster = "lab") -> None:
    """Stop the lab, forget everything, start it afresh."""


@declare(lab, "lab:secret", "lab secret")
def secret(
    name: Annotated[str, typer.Argument(metavar="NAME", help="winrm, stats or ftp.")], cluster: Where = "lab"
) -> None:
    """Print a password of the lab."""


@declare(lab, "lab:demo", "lab demo")
def demo(cluster: Cluster = "lab") -> None:
    """The whole story in under a minute: build, use, break, find, mend, go back."""
