"""What Windows PowerShell writes to stderr, as words."""

from __future__ import annotations

import pytest

from provision.remote.clixml import error_text

HEAD = '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'


def test_the_error_stream_is_joined_and_its_escapes_are_read():
    text = f'{HEAD}<S S="Error">Caf_x00E9__x000D__x000A_</S><S S="Error">+ x_x005F_y &lt;here&gt;</S></Objs>'
    assert error_text(text.encode()) == "Café\n+ x_y <here>"


def test_progress_and_other_streams_are_left_out():
    text = f'{HEAD}<Obj S="progress" RefId="0"><MS><S N="a">Loading</S></MS></Obj><S S="debug">d</S></Objs>'
    assert error_text(text.encode()) == ""


def test_two_code_units_make_one_character():
    assert error_text(f'{HEAD}<S S="Error">_xD83D__xDE00_</S></Objs>'.encode()) == "😀"


def test_words_around_the_document_and_several_documents_are_kept():
    one = f'{HEAD}<S S="Error">first</S></Objs>'
    assert error_text(f"plain\r\n{one}\r\n{one.replace('first', 'second')}".encode()) == "plain\nfirstsecond"


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (b"The command line is too long.\r\n", "The command line is too long."),
        (b"", ""),
        (b"\xff\xfe odd", "\ufffd\ufffd odd"),
        (HEAD.encode() + b"<S S='Error'>cut o", HEAD[9:].strip() + "<S S='Error'>cut o"),
    ],
)
def test_what_is_no_clixml_is_shown_as_it_is(stderr, words):
    assert error_text(stderr) == words


def test_entities_are_never_expanded():
    bomb = f'{HEAD}<!DOCTYPE a [<!ENTITY b "bbbb">]><S S="Error">&b;</S></Objs>'
    assert "bbbb" not in error_text(bomb.encode())
