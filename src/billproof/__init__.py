"""Phone bills that both sides can check. See ``docs/architecture.md``.

The public functions, of the same names as the commands: :func:`batch` commits CDR files and :func:`verify`
checks a bundle or receipt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billproof.billing_run import batch as batch
    from billproof.verification import verify as verify

__version__ = "0.1.0"
__all__ = ["__version__", "batch", "verify"]

_HOMES = {"batch": "billing_run", "verify": "verification"}


def __getattr__(name: str) -> Any:
    """Loads a public function when it is first used: importing the package costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"billproof.{_HOMES[name]}"), name)
