"""The registry: keys and values of HKEY_LOCAL_MACHINE, found in any case.

It must not know cmdlets. Keys are stored under the spelling in which they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from provision.lab.powershell.world import ScriptError
from provision.lab.windows.netobject import text_of
from provision.lab.windows.state import StateStore, Value, WindowsState

ROOT = "HKLM:"
ALWAYS_THERE = ("hklm:", "hklm:\\software", "hklm:\\system", "hklm:\\software\\microsoft")
Registry = Mapping[str, Mapping[str, Value]]


def registry_path(path: str) -> str | None:
    """PATH as HKLM:\\..., or None when it is not in the registry."""
    plain = path.removeprefix("Microsoft.PowerShell.Core\\").removeprefix("Registry::").rstrip("\\")
    for prefix in ("HKEY_LOCAL_MACHINE", ROOT):
        if plain.upper() == prefix or plain.upper().startswith(prefix + "\\"):
            return ROOT + plain[len(prefix):]
    return None


class RegistryKeys:
    """The registry in STORE."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def exists(self, key: str) -> bool:
        """Whether the key is there, itself or as the parent of another."""
        low = key.lower()
        return low in ALWAYS_THERE or any(
            each.lower() == low or each.lower().startswith(low + "\\") for each in self._store.read().registry)

    def values(self, key: str) -> Mapping[str, Value] | None:
        """The values of a key, None when there is no such key."""
        if not self.exists(key):
            return None
        return next((values for each, values in self._store.read().registry.items() if each.lower() == key.lower()), {})

    def create(self, key: str) -> None:
        """Make the key, without values; one that is there is emptied."""
        self._change(lambda registry: {**_without(registry, key), key: {}})

    def write(self, key: str, name: str, value: Value) -> None:
        """Set one value."""
        def changed(registry: Registry) -> Registry:
            old = next((values for each, values in registry.items() if each.lower() == key.lower()), {})
            kept = {each: other for each, other in old.items() if each.lower() != name.lower()}
            return {**_without(registry, key), key: {**kept, name: value}}

        self._change(changed)

    def remove(self, key: str) -> None:
        """Remove the key and what is below it."""
        low = key.lower()
        self._change(lambda registry: {each: values for each, values in registry.items()
                                       if each.lower() != low and not each.lower().startswith(low + "\\")})

    def remove_value(self, key: str, name: str) -> None:
        """Remove one value."""
        self._change(lambda registry: {
            each: {other: value for other, value in values.items() if other.lower() != name.lower()}
            if each.lower() == key.lower() else values for each, values in registry.items()})

    def shown(self, key: str) -> str:
        """The long name."""
        return "HKEY_LOCAL_MACHINE" + key[len(ROOT):]

    def typed(self, value: object, kind: str) -> Value:
        """VALUE as the registry type KIND holds it; without KIND by the value's own type."""
        match kind.lower():
            case "dword" | "qword":
                return int(text_of(value))
            case "" if isinstance(value, int) and not isinstance(value, bool):
                return value
            case "" | "string" | "expandstring":
                return text_of(value)
            case "multistring":
                return tuple(map(text_of, value if isinstance(value, list) else [value]))
            case _:
                raise ScriptError(f"The lab's registry does not know the type '{kind}'.", category="InvalidArgument")

    def _change(self, how: Callable[[Registry], Registry]) -> None:
        def changed(state: WindowsState) -> WindowsState:
            return replace(state, registry=how(state.registry))

        self._store.change(changed)


def _without(registry: Registry, key: str) -> dict[str, Mapping[str, Value]]:
    return {each: values for each, values in registry.items() if each.lower() != key.lower()}
