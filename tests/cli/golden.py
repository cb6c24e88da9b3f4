"""Lines as text at a width, without colour: what the golden texts are compared with."""

import io

from provision.view.door import Door, Manner


def shown(lines, width=100):
    door = Door(io.StringIO(), io.StringIO(), Manner(width=width, colour=False))
    door.result(lines)
    return door.out.getvalue()
