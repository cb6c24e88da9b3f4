"""The cmdlets that belong to the language, by lower-case name. Everything else is the world's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from provision.lab.powershell.cmdlet_base import LanguageCall, LanguageCmdlet
from provision.lab.powershell.cmdlets_json import JSON_CMDLETS
from provision.lab.powershell.cmdlets_language import STANDARD_CMDLETS
from provision.lab.powershell.cmdlets_objects import OBJECT_CMDLETS

LANGUAGE_CMDLETS: Mapping[str, LanguageCmdlet] = MappingProxyType({**OBJECT_CMDLETS, **JSON_CMDLETS, **STANDARD_CMDLETS})

__all__ = ["LANGUAGE_CMDLETS", "LanguageCall"]
