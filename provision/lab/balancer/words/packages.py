"""`rpm`, `yum`, `dnf`, `repoquery`: the packages of a minimal install, and the few that the lab's mirror has."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provision.lab.balancer import enablement, install
from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.machine import Machine

INSTALLED = {
    "rsyslog": "8.2310.0-4",
    "firewalld": "",
    "systemd": "",
    "openssh-server": "8.7p1-38",
    "sudo": "1.9.5p2-10",
    "NetworkManager": "1.46.0-1",
    "iproute": "6.2.0-6",
    "policycoreutils": "3.6-2",
    "libselinux-utils": "3.6-1",
}


_CHECKED = "Last metadata expiration check: 0:01:23 ago on Sat Jan  1 12:00:00 2000."


@dataclass(frozen=True, slots=True)
class Package:
    """One package as the mirror has it."""

    name: str
    version: str
    release: str
    summary: str
    repository: str
    arch: str = "x86_64"

    @property
    def nevra(self) -> str:
        """As `rpm -q` names it."""
        return f"{self.name}-{self.version}-{self.release}.{self.arch}"


def available(machine: Machine) -> dict[str, Package]:
    """What the mirror has."""
    shape = machine.settings.shape
    rpm = shape.haproxy_rpm.format(version=machine.tool.version)
    version, _, release = rpm.partition("-")
    tag = f".{shape.name}"
    repository = "base" if shape.major == 7 else "appstream"
    found = (
        Package("haproxy", version, release, "HAProxy reverse proxy for high availability environments", repository),
        Package(
            shape.semanage_package,
            "2.5" if shape.major == 7 else "3.6",
            f"2{tag}",
            "SELinux policy core python utilities",
            repository,
            "noarch" if shape.major > 7 else "x86_64",
        ),
        Package("socat", "1.7.4.1", f"5{tag}", "Bidirectional data relay between two data channels", repository),
    )
    return {package.name: package for package in found}


def installed(machine: Machine) -> dict[str, Package]:
    """What is installed now."""
    tag = f".{machine.settings.shape.name}"
    own = {"firewalld": f"{machine.settings.shape.firewalld}-1", "systemd": f"{machine.settings.shape.systemd}-1"}
    base = {name: own.get(name, text) for name, text in INSTALLED.items()}
    found = {
        name: Package(name, text.partition("-")[0], f"{text.partition('-')[2]}{tag}", name, "anaconda")
        for name, text in base.items()
    }
    offered = available(machine)
    return found | {name: offered[name] for name in machine.state.packages if name in offered}


_ADVICE = (
    ("     1. Contact the upstream for the repository and get them to fix the problem.",),
    (
        "     2. Reconfigure the baseurl/etc. for the repository, to point to a working",
        "        upstream. This is most often useful if you are using a newer",
        "        distribution release than is supported by the repository (and the",
        "        packages for the previous distribution release still work).",
    ),
    (
        "     5. Configure the failing repository to be skipped, if it is unavailable.",
        "        Note that yum will try to contact the repo. when it runs most commands,",
        "        so will have to try and fail each time (and thus. yum will be be much",
        "        slower). If it is a very temporary problem though, this is often a nice",
        "        compromise:",
    ),
    ("            yum-config-manager --save --setopt=<repoid>.skip_if_unavailable=true",),
)
"""yum's page of advice, which stands between the cause and the last line; points 3 and 4 are left out."""


def _gone(machine: Machine) -> Reply:
    if machine.settings.shape.major == 7:
        return complain(
            "Could not retrieve mirrorlist http://mirrorlist.centos.org/?release=7&arch=x86_64&repo=os&infra=stock error was",
            '14: curl#6 - "Could not resolve host: mirrorlist.centos.org; Unknown error"',
            "",
            "",
            " One of the configured repositories failed (Unknown),",
            " and yum doesn't have enough cached data to continue. At this point the only",
            ' safe thing yum can do is fail. There are a few ways to work "fix" this:',
            "",
            *(line for advice in _ADVICE for line in (*advice, "")),
            "Cannot find a valid baseurl for repo: base/7/x86_64",
        )
    return complain(
        "Error: Failed to download metadata for repo 'appstream': Cannot prepare internal mirrorlist: No URLs in mirrorlist"
    )


def package_tool(machine: Machine, call: Call) -> Reply:
    """`yum` or `dnf`: install, remove, list, info, repoquery, check-update, makecache."""
    words = [word for word in call.arguments if not word.startswith("-")]
    if not words:
        return complain(f"usage: {call.name} [options] COMMAND")
    verb, names = words[0], words[1:]
    handler = {
        "install": _install,
        "remove": _remove,
        "erase": _remove,
        "list": _list,
        "info": _info,
        "repoquery": _repoquery,
    }.get(verb)
    if verb in ("makecache", "check-update", "clean", "update", "upgrade"):
        return say("Metadata cache created.") if machine.settings.mirrors else _gone(machine)
    if handler is None:
        return complain(f"No such command: {verb}. Please use {call.name} --help")
    if verb in ("install", "remove", "erase") and not call.is_root:
        return complain(
            "Error: This command has to be run with superuser privileges (under the root user on most systems)."
        )
    return handler(machine, call, names)


def _install(machine: Machine, call: Call, names: list[str]) -> Reply:
    present, offered = installed(machine), available(machine)
    missing = [name for name in names if name not in present]
    if not missing:
        lines = [f"Package {present[name].nevra} is already installed." for name in names]
        return say(*_unless_quiet(call, _CHECKED, *lines, "Dependencies resolved.", "Nothing to do.", "Complete!"))
    if not machine.settings.mirrors:
        return _gone(machine)
    unknown = [name for name in missing if name not in offered]
    if unknown:
        if call.name == "yum" and machine.settings.shape.major == 7:
            return complain(*(f"No package {name} available." for name in unknown), "Error: Nothing to do")
        found = say(*_unless_quiet(call, _CHECKED, *(f"No match for argument: {name}" for name in unknown)))
        return Reply(1, found.out, f"Error: Unable to find a match: {' '.join(unknown)}\n")
    for name in missing:
        _put(machine, name)
    return _done(call, "Installed", [offered[name].nevra for name in missing])


def _put(machine: Machine, name: str) -> None:
    if name == "haproxy":
        install.install_haproxy(machine.layout, machine.settings)
        machine.units.daemon_reload()
    elif name == machine.settings.shape.semanage_package:
        install.expose(machine.layout, "semanage")
    machine.change(lambda state: replace(state, packages=(*state.packages, name)))


def _remove(machine: Machine, call: Call, names: list[str]) -> Reply:
    present = [name for name in names if name in machine.state.packages]
    if not present:
        lines = [f"No match for argument: {name}" for name in names]
        nothing = say(*_unless_quiet(call, *lines, "Dependencies resolved.", "Nothing to do.", "Complete!"))
        return Reply(0, nothing.out, "No packages marked for removal.\n" if nothing.out else "")
    if "haproxy" in present:
        machine.units.stop("haproxy.service")
        enablement.disable(machine.units.folders[0], machine.units.unit("haproxy.service"))
        install.remove_haproxy(machine.layout, machine.settings.shape)
        machine.units.daemon_reload()
    machine.change(lambda state: replace(state, packages=tuple(name for name in state.packages if name not in present)))
    return _done(call, "Removed", [available(machine)[name].nevra for name in present])


def _unless_quiet(call: Call, *lines: str) -> tuple[str, ...]:
    return () if {"-q", "--quiet"} & set(call.arguments) else lines


def _done(call: Call, what: str, packages: list[str]) -> Reply:
    """The last words of a transaction: -q leaves out the steps, not what came of them."""
    if call.name == "yum" and {"-q", "--quiet"} & set(call.arguments):
        return Reply()  # yum of EL7; where yum is dnf, nobody of ours calls it
    lines = (f"  {package:<76}" for package in packages)
    return say("", f"{what}:", *lines, "", *_unless_quiet(call, "Complete!"))


def _list(machine: Machine, call: Call, names: list[str]) -> Reply:
    present = installed(machine)
    only = names.pop(0) if names and names[0] in ("available", "installed", "all") else "all"
    if not machine.settings.mirrors and only != "installed" and not set(names) <= set(present):
        return _gone(machine)
    here = [package for package in present.values() if only != "available" and (not names or package.name in names)]
    there = [
        package
        for package in available(machine).values()
        if only != "installed" and package.name not in present and (not names or package.name in names)
    ]
    if not here and not there:
        return complain("Error: No matching Packages to list")
    rows = ["Installed Packages"] if here else []
    rows += [
        f"{package.name + '.' + package.arch:<40} {package.version}-{package.release:<20} @{package.repository}"
        for package in here
    ]
    rows += ["Available Packages"] if there else []
    rows += [
        f"{package.name + '.' + package.arch:<40} {package.version}-{package.release:<20} {package.repository}"
        for package in there
    ]
    return say(*rows)


def _info(machine: Machine, call: Call, names: list[str]) -> Reply:
    present = installed(machine)
    for title, where in (("Installed Packages", present), ("Available Packages", available(machine))):
        found = [where[name] for name in names if name in where]
        if found and (title.startswith("Installed") or machine.settings.mirrors):
            one = found[0]
            return say(
                title,
                f"Name         : {one.name}",
                f"Version      : {one.version}",
                f"Release      : {one.release}",
                f"Architecture : {one.arch}",
                f"Repository   : {one.repository}",
                f"Summary      : {one.summary}",
            )
    return complain("Error: No matching Packages to list") if machine.settings.mirrors else _gone(machine)


def _repoquery(machine: Machine, call: Call, names: list[str]) -> Reply:
    if not machine.settings.mirrors:
        return _gone(machine)
    return say(
        *(
            f"{one.name}-0:{one.version}-{one.release}.{one.arch}"
            for one in available(machine).values()
            if one.name in names
        )
    )
