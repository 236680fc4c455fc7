"""A tariff's file → its publication in the tariff book (docs/tariff.md, section 10)."""

from __future__ import annotations

from dataclasses import dataclass

from billproof.errors import LedgerError
from billproof.ledger.states import TariffState
from billproof.ledger.tariff_book import TariffBook
from billproof.ledger.tariff_reads import tariff_state
from billproof.ledger.transactions import Receipt
from billproof.publication import validity_words
from billproof.tariff import Tariff

_DAY = 86_400


@dataclass(frozen=True)
class Published:
    """A version that is in the book; ``receipt`` is None when it was there already."""

    state: TariffState
    receipt: Receipt | None

    @property
    def late(self) -> bool:
        """Whether its validity had begun by then: what it prices from before, verifiers call late."""
        return self.state.published_at > self.state.valid_from


def validity(tariff: Tariff) -> tuple[int, int]:
    """The file's days as the book has them: midnights of wall clocks written as UTC seconds, the second one
    that of the first day after it, 0 for no end."""
    until = 0 if tariff.valid_until is None else tariff.valid_until * _DAY
    return tariff.valid_from * _DAY, until


def publish(book: TariffBook, operator_id: int, tariff: Tariff) -> Published:
    """Publishes a tariff for its own days; again is no harm.

    Raises:
        LedgerError: the operator has published the same file for other days, or the book refuses.
    """
    book.check()
    endpoint, deployment = book.client.endpoint, book.client.deployment
    valid_from, valid_until = validity(tariff)
    found = tariff_state(endpoint, deployment, operator_id, tariff.hash)
    if found is not None and found.exists:
        if (found.valid_from, found.valid_until) != (valid_from, valid_until):
            raise LedgerError(
                f"{tariff.words} is published already, but {validity_words(found)}: not the file's days",
                advice="a published version never changes; give the file another `version` and publish that",
            )
        return Published(found, None)
    receipt = book.publish(operator_id, tariff.hash, valid_from, valid_until)
    return Published(TariffState(receipt.block_time, valid_from, valid_until, 0), receipt)
