"""`python -m provision`: the same as the `provision` command."""

from __future__ import annotations

from provision.cli.main import main

if __name__ == "__main__":
    main()
