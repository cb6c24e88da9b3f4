"""The commands that contact nothing: validate, schema, history, explain."""

from __future__ import annotations

from dataclasses import asdict

from provision.cli.desk import Desk, command_line, home, worst
from provision.definition.advice import advice
from provision.definition.json_schema import json_schema
from provision.engine.generations import Store
from provision.errors import ClusterFileError, SnapshotError, UsageError
from provision.explain import Explanation, table
from provision.view.document import Document, error_value
from provision.view.errors import error_lines
from provision.view.history import HistoryEntry, history_lines
from provision.view.marks import Lines, line, plural
from provision.view.problems import file_advice


def validate(desk: Desk, clusters: list[str] | None) -> int:
    """Check each file; every mistake of every file at once."""
    codes: list[int] = []
    documents: list[Document] = []
    for name in desk.every_name(clusters):
        try:
            cluster = desk.load(name)
        except ClusterFileError as error:
            codes.append(error.exit_code)
            documents.append({"file": error.file, "valid": False, "error": error_value(error)})
            if not desk.common.json:
                desk.door.complain(error_lines(error))
            continue
        told = advice(cluster, environ=desk.environ)
        codes.append(0)
        words = [asdict(one) for one in told]
        documents.append({"file": str(cluster.file), "valid": True, "cluster": cluster.name, "advice": words})
        if not desk.common.json:
            desk.door.talk(file_advice(str(cluster.file), cluster.text, told))
            counts = f"{plural(len(cluster.servers), 'server')}, {plural(len(cluster.balancers), 'balancer')}"
            desk.door.result([line(f"{cluster.file}: valid. Cluster {cluster.name}, {counts}. Nothing was contacted.")])
    code = worst(codes)
    return desk.finish(code, [], lambda: {"clusters": documents})


def schema(desk: Desk) -> int:
    """The schema is a JSON document already, and is printed as it is."""
    desk.door.document(json_schema())
    return 0


def history(desk: Desk, cluster: str | None) -> int:
    """The generations that lie on this machine, oldest first; the last usable one is where the cluster should be."""
    found = desk.load(cluster)
    store = Store(home(desk.environ), found.name)
    entries = [_entry(store, number) for number in store.numbers()]
    rows = history_lines(
        found, entries, store.folder, command_line("rollback", *([cluster] if cluster else []), "--to")
    )
    return desk.finish(
        0,
        rows,
        lambda: {"cluster": found.name, "folder": str(store.folder), "generations": [asdict(one) for one in entries]},
    )


def _entry(store: Store, number: int) -> HistoryEntry:
    """One generation, or that it is damaged: history never fails because of one document."""
    try:
        one = store.read(number)
    except SnapshotError as error:
        return HistoryEntry(number, "", "", "", f"damaged ({error.code})", usable=False)
    return HistoryEntry(one.number, one.when, one.who, one.what, one.result, one.usable)


def explain(desk: Desk, code: str | None) -> int:
    """One code, or the list of all."""
    codes = table()
    if code is None:
        rows = [line((one.code, "bold"), f"  {one.title}") for one in codes.values()]
        return desk.finish(0, rows, lambda: {"codes": [asdict(one) for one in codes.values()]})
    found = codes.get(code.strip().upper())
    if found is None:
        raise UsageError("P905", f"there is no code {code}", next=command_line("explain"))
    return desk.finish(0, _explanation(found), lambda: asdict(found))


def _explanation(one: Explanation) -> Lines:
    return [
        line((one.code, "bold"), f"  {one.title}"),
        line(),
        line(" ".join(one.meaning.split())),
        line(),
        line(("Do: ", "bold"), " ".join(one.fix.split())),
    ]
