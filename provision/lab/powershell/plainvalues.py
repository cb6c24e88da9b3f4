"""Values on their way from and to the wire: plain Python outside, the evaluator's own inside."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from provision.lab.powershell.convert import to_text, type_name_of
from provision.lab.powershell.failures import ErrorRecordValue
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.values import NOTHING, BlockValue, Char, CustomObject, Hashtable, TypeValue
from provision.lab.powershell.world import EnumValue, Version


def from_plain(value: object) -> object:
    """What a client sent. Dictionaries become hashtables."""
    if isinstance(value, dict):
        return Hashtable((key, from_plain(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return [from_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str | bytes | datetime | timedelta | Decimal):
        return value
    raise Refused(f"an argument of the type {type(value).__name__}")


def to_plain(value: object) -> object:
    """What a client receives: str, int, float, bool, None, list, dict. Other objects do not travel from the lab."""
    if value is None or value is NOTHING:
        return None
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | bytes):
        return [to_plain(item) for item in value]
    if isinstance(value, Hashtable):
        return {to_text(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, CustomObject):
        return {name: to_plain(item) for name, item in value.properties()}
    if isinstance(value, Char | EnumValue | Version | datetime | timedelta | Decimal | BlockValue | TypeValue
                  | ErrorRecordValue):
        return to_text(value)
    raise Refused(f"how a {type_name_of(value)} travels to a client (print its properties)")
