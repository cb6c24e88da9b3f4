"""The attacks borrow machines and answers from the rooms that they attack."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / name) for name in ("balancer", "ftpserver")]
