"""What a plain, unquoted word of YAML means to us: only what every reader takes alike."""

from __future__ import annotations

import pytest

from provision.definition.nodes import Ambiguous, resolve

SURE: list[tuple[str, object]] = [
    ("", None), ("~", None), ("null", None), ("NULL", None),
    ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
    ("0", 0), ("21", 21), ("-5", -5), ("999999999999999999", 999999999999999999),
    ("10000-10020", "10000-10020"), ("192.168.1.123", "192.168.1.123"), ("4h", "4h"), ("tRUE", "tRUE"),
    ("nO", "nO"), ("e3", "e3"), ("1.2.3", "1.2.3"), ("2016-1", "2016-1"), ("a:b", "a:b"), ("-", "-"), ("-x", "-x"),
]  # fmt: skip

UNSURE = [
    "yes", "No", "ON", "off", "y", "N", "021", "+21", "0o25", "0x15", "0b1", "2_1", "21.0", ".5", "1.", "1e3", "1E-3", "1.5e+3",
    ".inf", "-.Inf", ".NaN", "12:30", "12:30:45", "1:59.5", "2016-01-01", "2016-1-1", "2016-01-01 12:00:00", "2016-01-01T12:00:00Z",
    "=", "<<", "9999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize(("word", "value"), SURE)
def test_a_word_means_what_every_reader_takes_it_for(word: str, value: object) -> None:
    assert (resolve(word), type(resolve(word))) == (value, type(value))


@pytest.mark.parametrize("word", UNSURE)
def test_a_word_that_readers_disagree_about_means_nothing(word: str) -> None:
    assert resolve(word) == Ambiguous(word)
