"""SELinux's mode once it is ours: where it goes back to when the machine says that it need not enforce."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from provision.engine.aim import _let_go
from provision.model.resources import SelinuxBoolean, SelinuxMode
from provision.model.state import Key, Scope, State

MODE, SWITCH = Key("lb1", SelinuxMode.kind, "mode"), Key("lb1", SelinuxBoolean.kind, "haproxy_connect_any")
PERMISSIVE = SelinuxMode("permissive", "permissive")


@pytest.mark.parametrize(("found", "wanted"), [
    (SelinuxMode("enforcing", "enforcing"), SelinuxMode("enforcing", "enforcing")),
    (SelinuxMode("permissive", "enforcing"), SelinuxMode("enforcing", "enforcing")),  # else a second run would change it
    (PERMISSIVE, PERMISSIVE),
])
def test_a_machine_that_was_set_up_to_enforce_does_so_again_in_one_run(found, wanted):
    reading = SimpleNamespace(state=State({MODE: PERMISSIVE}))
    desired = State({SWITCH: SelinuxBoolean(current=True, persistent=True)})
    assert _let_go(reading, Scope.of(State({MODE: PERMISSIVE})), desired, State({MODE: found})).resources == {MODE: wanted}
