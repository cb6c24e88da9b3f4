"""Programs of Windows that a script or a newcomer calls: netsh, hostname, whoami, ipconfig, sc, net.

They must not know who calls. A word that a program does not know is answered as the real one does, with a code that
is not 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from provision.lab.windows.host import WindowsHost
from provision.lab.windows.services import ServiceFailed
from provision.lab.windows.state import Service

Answer = tuple[Sequence[str], int]
Native = Callable[[Sequence[str]], Answer]
SC_TYPES = {"Running": "4  RUNNING", "Stopped": "1  STOPPED"}


def native_commands(host: WindowsHost) -> Mapping[str, Native]:
    """By lower-case name, with and without .exe."""
    commands: Mapping[str, Native] = {
        "netsh": lambda argv: _netsh(host, argv),
        "hostname": lambda _argv: ([host.state.computer_name], 0),
        "whoami": lambda _argv: ([user_name(host).lower()], 0),
        "ipconfig": lambda _argv: (_ipconfig(host), 0),
        "sc": lambda argv: _sc(host, argv),
        "net": lambda argv: _net(host, argv),
    }
    return {name + suffix: command for name, command in commands.items() for suffix in ("", ".exe")}


def user_name(host: WindowsHost) -> str:
    """COMPUTER\\user of the account that administers the machine."""
    administrators = [login.name for login in host.settings.logins if login.administrator]
    return f"{host.state.computer_name}\\{administrators[0] if administrators else 'SYSTEM'}"


def _netsh(host: WindowsHost, argv: Sequence[str]) -> Answer:
    words = [word.lower() for word in argv]
    words = [{"int": "interface", "ip": "ipv4"}.get(word, word) for word in words]
    if words[:4] == ["interface", "ipv4", "show", "excludedportrange"]:
        return _excluded(host, words[4:])
    if words[:4] in (["interface", "ipv4", "show", "dynamicport"], ["interface", "ipv4", "show", "dynamicportrange"]):
        return _dynamic(host, words[4:])
    return [f"The following command was not found: {' '.join(argv)}."], 1


def _protocol(words: Sequence[str]) -> str:
    return words[0].removeprefix("protocol=") if words else ""


def _excluded(host: WindowsHost, words: Sequence[str]) -> Answer:
    if _protocol(words) not in ("tcp", "udp"):
        return ["The syntax supplied for this command is not valid. Check help for the correct syntax."], 1
    lines = ["", f"Protocol {_protocol(words)} Port Exclusion Ranges", "", "Start Port    End Port      ",
             "----------    --------      "]
    if _protocol(words) == "tcp":
        lines += [f"{each.low:>10}{each.high:>12}{'     *' if each.administered else '      '}"
                  for each in host.state.excluded_ports]
    return [*lines, "", "* - Administered port exclusions.", ""], 0


def _dynamic(host: WindowsHost, words: Sequence[str]) -> Answer:
    if _protocol(words) not in ("tcp", "udp"):
        return ["The syntax supplied for this command is not valid. Check help for the correct syntax."], 1
    first, count = host.state.dynamic_ports
    return ["", f"Protocol {_protocol(words)} Dynamic Port Range", "---------------------------------",
            f"Start Port      : {first}", f"Number of Ports : {count}", ""], 0


def _ipconfig(host: WindowsHost) -> list[str]:
    return ["", "Windows IP Configuration", "", "", "Ethernet adapter Ethernet:", "",
            "   Connection-specific DNS Suffix  . :",
            f"   IPv4 Address. . . . . . . . . . . : {host.settings.address}",
            "   Subnet Mask . . . . . . . . . . . : 255.255.255.0", "   Default Gateway . . . . . . . . . :"]


def _sc(host: WindowsHost, argv: Sequence[str]) -> Answer:
    if len(argv) != 2 or argv[0].lower() not in ("query", "queryex"):
        return ["ERROR:  Unrecognized command", "", "DESCRIPTION:", "        SC is a command line program used for",
                "        communicating with the Service Control Manager and services."], 1639
    service = host.state.service(argv[1])
    if service is None:
        return ["[SC] EnumQueryServicesStatus:OpenService FAILED 1060:", "",
                "The specified service does not exist as an installed service.", ""], 1060
    return _sc_lines(service, with_process=argv[0].lower() == "queryex"), 0


def _sc_lines(service: Service, *, with_process: bool) -> list[str]:
    lines = ["", f"SERVICE_NAME: {service.name}", "        TYPE               : 20  WIN32_SHARE_PROCESS",
             f"        STATE              : {SC_TYPES[service.status]}",
             "        WIN32_EXIT_CODE    : 0  (0x0)", "        SERVICE_EXIT_CODE  : 0  (0x0)",
             "        CHECKPOINT         : 0x0", "        WAIT_HINT          : 0x0"]
    return [*lines, f"        PID                : {service.process_id}"] if with_process else lines


def _net(host: WindowsHost, argv: Sequence[str]) -> Answer:
    """net start and net stop."""
    words = [word.lower() for word in argv]
    if len(words) != 2 or words[0] not in ("start", "stop"):
        return ["The syntax of this command is:", "", "NET", "    [ START | STOP ]"], 1
    service = host.state.service(words[1])
    if service is None:
        return ["The service name is invalid.", ""], 2
    if (service.status == "Running") == (words[0] == "start"):
        state = "already been started" if words[0] == "start" else "not started"
        return [f"The {service.display_name} service {'has' if words[0] == 'start' else 'is'} {state}.", ""], 2
    try:
        (host.services.start if words[0] == "start" else host.services.stop)(service.name)
    except ServiceFailed as error:
        return [f"The {service.display_name} service could not be started.", str(error), ""], 2
    done = "started" if words[0] == "start" else "stopped"
    return [f"The {service.display_name} service was {done} successfully.", ""], 0
