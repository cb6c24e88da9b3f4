"""What is said while it happens: one line an event without a terminal, one live line on it, news after silence."""

import io
from datetime import UTC, datetime

import pytest
from cli.cliworld import Terminal

from provision.engine.context import Event
from provision.view.door import Door, Manner
from provision.view.progress import Progress


class Watch:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


def progress(err=None):
    door = Door(io.StringIO(), err or io.StringIO(), Manner(width=80, colour=False))
    watch = Watch()
    return Progress(door, lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), watch), door.err, watch


def test_without_a_terminal_each_event_is_a_line_with_the_time():
    one, err, _ = progress()
    one.say(Event("step", "win1", "3 changes"))
    one.say(Event("done", "win1", ""))
    assert err.getvalue() == "03:04:05Z ~ win1 changing: 3 changes\n03:04:05Z + win1 changed and read again\n"


def test_an_error_that_names_its_host_does_not_name_it_twice():
    one, err, _ = progress()
    one.say(Event("unread", "lb1", "lb1: no answer in time [P224]"))
    assert err.getvalue() == "03:04:05Z ? lb1 could not be read: no answer in time [P224]\n"


def test_a_failed_check_has_the_mark_of_a_failure():
    one, err, _ = progress()
    one.say(Event("verify", "", "server win1: ok"))
    one.say(Event("verify", "", "VIP: the port is closed", "failed"))
    assert [row[10:] for row in err.getvalue().splitlines()] == ["= FTP: server win1: ok", "! FTP: VIP: the port is closed"]


def test_on_a_terminal_checks_are_listed_once_at_the_end_and_not_while_they_are_made():
    one, err, _ = progress(Terminal())
    one.say(Event("verify", "", "server win1: ok"))
    assert "\n" not in err.getvalue()
    assert "try FTP (0 s)" in err.getvalue()


def test_after_thirty_seconds_without_news_it_says_who_is_waited_for():
    one, err, watch = progress()
    one.say(Event("reading", "win1", ""))
    watch.time = 29.0
    one.tick()
    assert "still" not in err.getvalue()
    watch.time = 30.0
    one.tick()
    one.tick()
    assert err.getvalue().splitlines()[1:] == ["03:04:05Z = still waiting: read win1 (30 s)"]


def test_nobody_is_waited_for_once_all_have_answered():
    one, err, watch = progress()
    one.say(Event("reading", "win1", ""))
    one.say(Event("read", "win1", ""))
    watch.time = 99.0
    one.tick()
    assert "still" not in err.getvalue()


def test_on_a_terminal_reading_is_only_in_the_live_line():
    one, err, watch = progress(Terminal())
    one.say(Event("reading", "win1", ""))
    watch.time = 4.0
    one.tick()
    assert err.getvalue().endswith("\r\x1b[2K\x1b[2mread win1 (4 s)\x1b[0m")
    assert "\n" not in err.getvalue()


def test_the_live_line_is_wiped_before_a_lasting_line():
    one, err, _ = progress(Terminal())
    one.say(Event("reading", "win1", ""))
    one.say(Event("unread", "win1", "no answer"))
    assert err.getvalue().endswith("\r\x1b[2K\x1b[1m?\x1b[0m win1 could not be read: no answer\n")


@pytest.mark.parametrize(
    ("events", "where"),
    [
        ([], "no host was changed yet"),
        (["step"], "win1 was being changed"),
        (["step", "done"], "win1 was changed"),
        (["step", "failed", "undo"], "win1 was being put back"),
        (["step", "failed", "undo", "step", "done"], "win1 was put back"),
    ],
)
def test_last_words_say_how_far_each_host_came(events, where):
    one, _, _ = progress()
    for kind in events:
        one.say(Event(kind, "win1", ""))
    assert one.where() == where
