"""The table of error and finding codes, from `error_codes.toml`. Standard library only: it must load at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code: a title, what it means, and what to do."""

    code: str
    title: str
    meaning: str
    fix: str


def table() -> Mapping[str, Explanation]:
    """Every code there is, in order. Raises ValueError when an entry lacks a word."""
    text = resources.files("provision").joinpath("error_codes.toml").read_text(encoding="utf-8")
    return {code: _entry(code, words) for code, words in sorted(tomllib.loads(text).items())}


def _entry(code: str, words: Mapping[str, str]) -> Explanation:
    if set(words) != {"title", "meaning", "fix"}:
        raise ValueError(f"{code} wants title, meaning and fix, and has {', '.join(sorted(words))}")
    return Explanation(code, words["title"], words["meaning"].strip(), words["fix"].strip())
