"""Whether the compiled loops of :mod:`billproof.intake.scan` are worth loading."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

#: Bytes of one file from which they are: loading takes about 0.5 s (some 10 s where they have to be compiled
#: first), and 16 MiB of call records without them another 0.3 s.
LARGE = 16 << 20


@dataclass
class _State:
    loops: ModuleType | None = None
    refused: bool = False


_state = _State()


def scanner(size: int = 0) -> ModuleType | None:
    """The compiled loops, once a file of :data:`LARGE` bytes or more was met; None before, and where numba
    cannot run.
    """
    if _state.loops is None and size >= LARGE and not _state.refused:
        try:
            from billproof.intake import scan
        except ImportError:
            _state.refused = True
        else:
            _state.loops = scan
    return _state.loops
