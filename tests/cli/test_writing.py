"""cluster and rollback at the desk: who answers the question, what each ending is as an exit code and a document."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
from cli.cliworld import Terminal, article
from cli.showcase import DESIRED, first_plan, plan_to
from cli.showcase_runs import OUTCOMES

from provision.cli.desk import Desk
from provision.cli.invocation import Common
from provision.cli.signals import Signals
from provision.cli.writing import Dialog, history_next
from provision.engine.outcome import Unchanged
from provision.engine.prepare import Prepared
from provision.engine.read import ClusterReading
from provision.errors import SnapshotError, UsageError
from provision.view.door import Door, Manner

CODES = {"applied": 0, "went-back": 6, "went-back-unverified": 6, "half-back": 7, "stopped": 130, "declined": 1}
HEAD = {
    "type": "object",
    "required": ["format", "command", "exit_code", "outcome"],
    "properties": {"format": {"const": 1}, "command": {"const": "cluster"}, "exit_code": {"type": "integer"}},
}
CHANGE = {"type": "object", "required": ["host", "kind", "name", "before", "after"]}
ERROR = {"type": "object", "required": ["code", "what", "where", "why", "next"]}
SHAPES = {
    "applied": {"required": ["generation", "kept", "verified"], "properties": {"kept": {"items": CHANGE}}},
    "rolled back": {"required": ["error", "restored"], "properties": {"error": ERROR}},
    "not all rolled back": {"required": ["error", "failures", "left"], "properties": {"error": ERROR}},
    "stopped": {"required": ["generation", "changed", "unchanged", "due"]},
    "declined": {},
    "unchanged": {"required": ["plan", "findings", "seconds", "unverified"]},
}


def prepared(plan=None):
    return Prepared(article(), ClusterReading({}, {}, {}, 1.9), None, plan or first_plan(), ())


def dialog(*, yes=False, stdin="", terminal=False, **common):
    kind = Terminal if terminal else io.StringIO
    door = Door(io.StringIO(), kind(), Manner(width=120, colour=False))
    signals = Signals(lambda code, text: None, lambda text: None)
    desk = Desk("cluster", Common(**common), door, signals, {}, kind(stdin), Path())
    stop = SimpleNamespace(asked=[])
    stop.ask = stop.asked.append
    run = SimpleNamespace(
        work=SimpleNamespace(context=SimpleNamespace(stop=stop)),
        progress=SimpleNamespace(where=lambda: "win1 was changed"),
    )
    return Dialog(desk, article(), run, yes, "provision cluster article", "provision plan article"), desk, stop


@pytest.mark.parametrize("code", ["P701", "P705"])
def test_a_generation_that_cannot_be_used_names_history_in_the_words_that_were_typed(code):
    with pytest.raises(SnapshotError) as caught, history_next(["sub/dir/a.yml"]):
        raise SnapshotError(code, "not usable")
    assert caught.value.next == "provision history sub/dir/a.yml"


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_outcome_has_its_exit_code(name):
    talk, _, _ = dialog()
    assert talk.carry(lambda ask: OUTCOMES[name]) == CODES[name]


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_outcome_is_one_document_of_its_shape(name):
    talk, desk, _ = dialog(json=True, yes=True)
    code = talk.carry(lambda ask: OUTCOMES[name])
    document = json.loads(desk.door.out.getvalue())
    jsonschema.validate(document, HEAD)
    jsonschema.validate(document, {"type": "object", **SHAPES[document["outcome"]]})
    assert document["exit_code"] == code


def test_a_run_without_a_difference_says_that_nothing_was_touched():
    talk, desk, _ = dialog()
    assert talk.carry(lambda ask: Unchanged(prepared(plan_to(DESIRED)))) == 0
    assert "Nothing was changed, restarted or reloaded." in desk.door.out.getvalue()


def test_what_failed_is_told_on_stderr():
    talk, desk, _ = dialog()
    talk.carry(lambda ask: OUTCOMES["half-back"])
    assert desk.door.out.getvalue() == ""
    assert "not everything could be rolled back" in desk.door.err.getvalue()


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_only_yes_is_yes(answer, agreed):
    talk, desk, _ = dialog(stdin=answer, terminal=True)
    assert talk.answer(prepared()) is agreed
    assert desk.signals.writing is agreed


def test_without_a_terminal_a_question_is_64_and_names_the_way():
    talk, desk, _ = dialog(stdin="y\n")
    with pytest.raises(UsageError) as caught:
        talk.answer(prepared())
    assert (caught.value.exit_code, caught.value.next) == (64, "provision cluster article --yes")
    assert not desk.signals.writing


def test_json_never_asks_also_on_a_terminal():
    talk, _, _ = dialog(stdin="y\n", terminal=True, json=True)
    with pytest.raises(UsageError):
        talk.answer(prepared())


def test_the_plan_is_shown_before_the_question():
    talk, desk, _ = dialog(yes=True)
    talk.answer(prepared())
    assert "Plan: 10 to add" in desk.door.out.getvalue()


def test_after_yes_the_first_signal_goes_to_the_engine():
    talk, desk, stop = dialog(yes=True)
    talk.answer(prepared())
    desk.signals.received(2)
    assert stop.asked == [2]
