"""What a portal serves: a store, its secrets, a node, and how much of it a stranger may ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from billproof.ledger.deployments import Deployment
from billproof.ledger.rpc import Endpoint

_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_PERIOD = re.compile(r"[2-9][0-9]{3}(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Limits:
    """What one client may ask for, and how large a question may be.

    ``rate`` tokens come back each second, up to ``burst``; a JSON-RPC call costs one, an invoice
    ``invoice_cost``. ``body`` is bytes; a question may take ``seconds`` to arrive.
    """

    rate: float = 10.0
    burst: int = 120
    invoice_cost: int = 6
    body: int = 64 * 1024
    batch: int = 20
    seconds: float = 10.0


@dataclass(frozen=True)
class Settings:
    """The portal's sources. ``operators`` are those it speaks for; empty: every one in the store.

    ``page`` is another verifier page than the package's own; ``url`` is the portal's public address, which
    invoices name; ``locale`` is how they are printed, ``names`` what operators are called at their head.
    """

    store: Path
    secrets: Path
    endpoint: Endpoint
    deployment: Deployment
    operators: tuple[int, ...] = ()
    invoices: bool = False
    page: Path | None = None
    url: str = ""
    locale: str = "en"
    names: Mapping[int, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def published(self) -> list[int]:
        """The operators that the portal speaks for, ascending."""
        if self.operators:
            return sorted(self.operators)
        return sorted(int(path.name) for path in self._folders(self.store, _NUMBER))

    def periods(self, operator_id: int) -> list[int]:
        """The billing periods of an operator in the store, newest first."""
        home = self.store / str(operator_id)
        return sorted((int(path.name) for path in self._folders(home, _PERIOD)), reverse=True)

    @staticmethod
    def _folders(home: Path, name: re.Pattern[str]) -> list[Path]:
        try:
            return [path for path in home.iterdir() if name.fullmatch(path.name) and path.is_dir()]
        except OSError:
            return []
