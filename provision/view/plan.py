"""A plan, property by property: by server, with what each change does to running services, order and cost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from provision.model.change import Change, Finding
from provision.model.cluster import Cluster
from provision.planning.plan import Effect, Plan, effects
from provision.planning.safety import DROPPING, Consequence
from provision.view.findings import finding_lines
from provision.view.marks import ALERT, SAME, Lines, line, mark_of, plural, verbatim
from provision.view.words import change_words, listed, property_word, text_diff

COLUMN = 24
"""Where the words of a property begin."""

EFFECT_COLUMN = 58
DIFF_ROWS = 40
"""Of a longer diff the rest is counted, unless all is asked for."""


def heading(cluster: Cluster, hosts: int, seconds: float) -> Lines:
    """Which cluster, from which file, and how long the reading took."""
    counts = f"{plural(len(cluster.servers), 'server')}, {plural(len(cluster.balancers), 'balancer')}"
    digest = hashlib.sha256(cluster.text.encode()).hexdigest()[:7]
    rows = [line("Cluster ", (cluster.name, "bold"), f"   {counts}   {cluster.file} @ {digest}")]
    return [*rows, *loud_lines(cluster), line(f"Read {plural(hosts, 'host')} in {seconds:.1f} s"), line()]


def loud_lines(cluster: Cluster) -> Lines:
    """What must never be overlooked: servers whose certificate nobody checks."""
    open_doors = [one.name for one in cluster.servers if one.winrm.scheme == "https" and not one.winrm.verify]
    if not open_doors:
        return []
    said = (
        f"verify: false: certificates of {', '.join(open_doors)} are NOT checked; anyone in between can read and change"
    )
    return [line(ALERT, (said, ALERT.style))]


def plan_lines(
    cluster: Cluster,
    plan: Plan,
    sessions: Mapping[str, int],
    consequences: Sequence[Consequence],
    findings: Sequence[Finding],
    *,
    verbose: bool,
) -> Lines:
    """The whole plan but for its heading and `Next:`. `sessions`: open FTP sessions by host, -1 where unknown."""
    net = plan.net()
    rows: Lines = []
    for host in cluster.hosts:
        mine = listed(one for one in net if one.key.host == host)
        if mine:
            rows += _host(cluster, host, mine, _effects_of(plan, host), sessions.get(host, -1), verbose=verbose)
    rows += [line(SAME, f"{one.key.host}: {property_word(one.key)} {one.key.name} is kept") for one in plan.kept]
    rows += finding_lines(findings, verbose=verbose)
    rows += _noticed(consequences)
    rows += [line()] if rows else []
    return [*rows, line(summary(net, plan.unchanged), *([] if net else [" Nothing to do."])), *_order(cluster, plan)]


def summary(net: Iterable[Change], unchanged: int) -> str:
    """The counts: `Plan: 7 to add, 1 to change, 0 to remove, 4 unchanged`."""
    marks = [mark_of(one).symbol for one in net]
    counts = f"{marks.count('+')} to add, {marks.count('~')} to change, {marks.count('-')} to remove"
    return f"Plan: {counts}, {unchanged} unchanged."


def address_of(cluster: Cluster, host: str) -> str:
    """Where a host is reached."""
    found = {one.name: one.address for one in cluster.servers} | {one.name: one.address for one in cluster.balancers}
    return found[host]


def _effects_of(plan: Plan, host: str) -> list[Effect]:
    found = [one for step in plan.steps if step.host == host for one in step.effects]
    return list(dict.fromkeys(found))


def _host(
    cluster: Cluster, host: str, changes: Sequence[Change], waiting: list[Effect], sessions: int, *, verbose: bool
) -> Lines:
    rows = [line((host, "bold"), f"  {address_of(cluster, host)}")]
    for change in changes:
        mine = [one for one in effects([change]) if one in waiting]
        for one in mine:
            waiting.remove(one)
        rows += change_lines(change, [effect_text(one, sessions) for one in mine], verbose=verbose)
    return rows + [Text("  ").append_text(effect_text(one, sessions)) for one in waiting]


def change_lines(change: Change, told: Sequence[Text], *, verbose: bool) -> Lines:
    """One change, what it does to services (beside it where there is room), and the diff of a text."""
    head = line(mark_of(change), property_word(change.key).ljust(COLUMN - 5), " ", change_words(change), indent=2)
    rows = [head]
    for effect in told:
        if head is rows[-1] and len(head) + 2 <= EFFECT_COLUMN and EFFECT_COLUMN + len(effect) <= ONE_LINE:
            head.pad_right(EFFECT_COLUMN - len(head))
            head.append_text(effect)
        else:
            rows.append(Text(" " * COLUMN).append_text(effect))
    return rows + diff_lines(change, verbose=verbose)


ONE_LINE = 100


def diff_lines(change: Change, *, verbose: bool) -> Lines:
    """The unified diff of a changed text of ours; of a new or removed one only when all is asked for."""
    if not verbose and (change.before is None or change.after is None):
        return []
    rows = text_diff(change)
    shown = rows if verbose else rows[:DIFF_ROWS]
    colours = {"+": "blue", "-": "dark_orange", "@": "dim"}
    lines = [verbatim(one, colours.get(one[:1], ""), indent=6) for one in shown]
    rest = len(rows) - len(shown)
    return lines + ([line(f"... {rest} more lines; -v shows them", indent=6)] if rest else [])


def effect_text(effect: Effect, sessions: int) -> Text:
    """What a change does to a service; what drops sessions says how many, with the mark of danger."""
    if effect not in DROPPING:
        return Text(effect.value, style="dim")
    count = "an unknown number of sessions" if sessions < 0 else plural(sessions, "session")
    return line(ALERT, (f"{effect.split(',')[0]}, drops {count}", ALERT.style))


def _noticed(consequences: Sequence[Consequence]) -> Lines:
    """What users will notice beyond the sessions, which stand beside the change that drops them."""
    said = tuple(f"{one.split(',')[0]}:" for one in DROPPING)
    rest = [one for one in consequences if not one.text.startswith(said)]
    rows = [line(ALERT, (f"{one.host}  " if one.host else "", "bold"), one.text) for one in rest]
    return [line(), *rows] if rows else []


def _order(cluster: Cluster, plan: Plan) -> Lines:
    """The steps: `Order: lb1 accepts -> win1 -> win2 -> lb1 closes`."""
    if plan.empty:
        return []
    servers = {one.name for one in cluster.servers}
    moves = [number for number, step in enumerate(plan.steps) if step.host in servers]
    words = []
    for number, step in enumerate(plan.steps):
        verb = "" if step.host in servers or not moves else " accepts" if number < moves[0] else " closes"
        words.append(step.host + verb)
    once = "At most 1 server out at a time." if moves else "No server is touched."
    return [line(f"Order: {' -> '.join(dict.fromkeys(words))}. {once}")]
