"""The one door: secrets and control characters stay inside, streams are what they are."""

import errno
import io
import json

import pytest
from rich.text import Text

from provision.model.secret import Redactor, Secret, spellings
from provision.view.clean import LONGEST
from provision.view.door import Door, Manner
from provision.view.marks import ADD, line, verbatim

CANARY = 'C4nary "<&>\\ päss/word+1'


def door(manner=Manner(width=60), err=None, **more):
    redactor = Redactor()
    redactor.add(Secret(CANARY))
    return Door(io.StringIO(), err or io.StringIO(), manner, redactor, **more)


@pytest.mark.parametrize("form", sorted(spellings(CANARY)))
def test_a_secret_is_blanked_in_every_spelling_on_both_streams_and_in_the_log(form):
    one = door(log=io.StringIO())
    one.result([line("before ", form, " after")])
    one.talk([line(form)])
    one.document({"said": [f"x{form}x"]})
    for stream in (one.out, one.err, one.log):
        assert form not in stream.getvalue()
        assert "***" in stream.getvalue()


def test_a_secret_is_blanked_though_styles_cut_it_in_two():
    one = door()
    one.result([line((CANARY[:6], "bold"), (CANARY[6:], "blue"))])
    assert one.out.getvalue() == "***\n"


def test_a_secret_of_several_lines_is_blanked_though_each_line_is_its_own():
    one = door()
    one.redactor.add(Secret("first half\nsecond half"))
    one.result([line("first half"), line("second half"), line("rest")])
    assert one.out.getvalue() == "***\nrest\n"


def test_a_secret_is_blanked_before_long_lines_are_folded():
    one = door(Manner(width=40))
    one.redactor.add(Secret("a secret with blanks in it that folding would break"))
    one.result([line("word " * 6, "a secret with blanks in it that folding would break")])
    assert "folding" not in one.out.getvalue()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [("\x1b[2J", "\\x1b[2J"), ("a\rb", "a\\rb"), ("\x9b1m", "\\x9b1m"), ("\u202egnp", "\\u202egnp"), ("a\nb", "a\\nb")],
)
def test_control_characters_are_shown_and_not_obeyed(raw, shown):
    one = door()
    one.result([line(raw)])
    assert one.out.getvalue() == shown + "\n"


def test_markup_from_servers_is_text():
    one = door()
    one.result([line("[bold red]x[/] :smile: http://example.org 12")])
    assert one.out.getvalue() == "[bold red]x[/] :smile: http://example.org 12\n"


def test_a_stream_that_is_not_utf_8_gets_escapes():
    raw = io.BytesIO()
    one = Door(io.TextIOWrapper(raw, encoding="ascii"), io.StringIO())
    one.result([line("Zürich ☃")])
    assert raw.getvalue() == b"Z\\xfcrich \\u2603\n"


def test_a_message_ends_after_64_ki_characters():
    one = door(Manner(width=200))
    one.result([verbatim("x" * (LONGEST + 5))])
    assert one.out.getvalue().rstrip().endswith("x [5 more characters are not shown]")


def test_folded_lines_hang_below_the_first():
    one = door(Manner(width=40))
    one.result([line(ADD, "a line that is rather long for forty columns", indent=2)])
    assert one.out.getvalue() == "  + a line that is rather long for forty\n      columns\n"


def test_commands_to_paste_are_never_folded():
    one = door(Manner(width=40))
    one.result([verbatim("provision cluster " + "x" * 60)])
    assert one.out.getvalue().count("\n") == 1


def test_quiet_keeps_talk_inside_and_lets_complaints_out():
    one = door(Manner(quiet=True))
    one.talk([line("hello")])
    one.complain([line("alas")])
    assert one.err.getvalue() == "alas\n"


def test_colour_is_for_terminals_and_can_be_turned_off(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Terminal(), Terminal()
    Door(coloured, io.StringIO(), Manner(width=60)).result([line(ADD, "x")])
    Door(plain, io.StringIO(), Manner(width=60, colour=False)).result([line(ADD, "x")])
    assert "\x1b[34m+" in coloured.getvalue()
    assert plain.getvalue() == "+ x\n"


class Gone(io.StringIO):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.EIO, "Input/output error")])
def test_a_reader_that_went_away_and_a_terminal_that_hung_up_are_no_error(error):
    one = Door(Gone(error), io.StringIO())
    one.result([line("x")])
    one.result([line("y")])


def test_a_result_that_a_full_disk_did_not_take_is_remembered_and_talk_is_not():
    full = OSError(errno.ENOSPC, "No space left on device")
    one = Door(Gone(full), Gone(full))
    one.talk([line("x")])
    assert not one.failed
    one.result([line("x")])
    assert one.failed


@pytest.mark.parametrize("width", range(40, 80))
def test_no_line_ends_with_an_arrow_that_leads_to_the_next(width):
    one = door(Manner(width=width))
    one.result([line("      ~ firewall public: 2121/tcp, 10000-10029/tcp, now and at boot -> absent as it was found")])
    rows = one.out.getvalue().splitlines()
    assert [row for row in rows if row.endswith("->")] == []
    assert any("-> absent" in row for row in rows)


def test_a_document_is_one_json_value_in_ascii():
    one = door()
    one.document({"text": "Zürich\x1b", "n": [1, None, True]})
    assert one.out.getvalue().isascii()
    assert json.loads(one.out.getvalue()) == {"text": "Zürich\x1b", "n": [1, None, True]}


def test_styles_stay_with_their_characters_when_others_become_longer():
    from provision.view.clean import mapped, visible

    text = mapped(Text.assemble("a\x1bb", ("c", "bold")), visible)
    assert [text.plain[one.start : one.end] for one in text.spans] == ["c"]
