"""The names and parameters of `provision lab ...`. Nothing of the lab is loaded here."""

from __future__ import annotations

from typing import Annotated

import typer

from provision.cli.commands import app, lab
from provision.cli.invocation import declare

Fault = Annotated[str | None, typer.Argument(metavar="NAME", help="The fault; see --list.", show_default=False)]
Wanted = Annotated[str, typer.Argument(metavar="NAME", help="The fault; see `lab break --list`.")]
LabCluster = Annotated[
    str, typer.Argument(metavar="CLUSTER", help="The lab's cluster file, or NAME for clusters/NAME.yml.")
]
Host = Annotated[str | None, typer.Option("--host", metavar="HOST", help="The host; default: the first that it fits.")]


@declare(lab, "lab:up", "lab up")
def up(cluster: LabCluster = "lab") -> None:
    """Start the lab for a cluster file on loopback addresses."""


@declare(lab, "lab:down", "lab down")
def down(
    cluster: LabCluster = "lab",
    purge: Annotated[bool, typer.Option("--purge", help="Remove its folder too: hosts, keys, passwords.")] = False,
) -> None:
    """Stop the lab."""


@declare(lab, "lab:status", "lab status")
def status(cluster: LabCluster = "lab") -> None:
    """Show which hosts of the lab run."""


@declare(lab, "lab:break_", "lab break")
def break_(
    name: Fault = None,
    cluster: LabCluster = "lab",
    host: Host = None,
    list_: Annotated[bool, typer.Option("--list", help="List the faults there are.")] = False,
) -> None:
    """Inject a named fault, or a change by hand."""


@declare(lab, "lab:mend", "lab mend")
def mend(name: Wanted, cluster: LabCluster = "lab", host: Host = None) -> None:
    """Take a fault back that `provision cluster` cannot mend."""


@declare(lab, "lab:reset", "lab reset")
def reset(cluster: LabCluster = "lab") -> None:
    """Stop the lab, forget everything, start it afresh."""


@declare(lab, "lab:secret", "lab secret")
def secret(
    name: Annotated[str, typer.Argument(metavar="NAME", help="winrm, stats or ftp.")], cluster: LabCluster = "lab"
) -> None:
    """Print a password of the lab."""


@declare(lab, "lab:demo", "lab demo")
def demo(cluster: LabCluster = "lab") -> None:
    """The whole story in a minute. Build, use, break, find, mend, go back; what was there is lost."""


app.add_typer(lab, name="lab")
surface = app
"""Everything that can be typed, the lab's commands included."""
