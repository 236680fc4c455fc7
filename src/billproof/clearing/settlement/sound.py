"""What no settlement can be, whatever it adds up to: of its parties, days, rates, batches, charges, claims.

``docs/clearing.md``, section 7. What cannot have come of two books is refused, so that nobody signs it.
"""

from __future__ import annotations

from fractions import Fraction

from billproof.clearing.pairs.differences import FREE, Kind
from billproof.clearing.settlement import form
from billproof.documents.positions import Path
from billproof.documents.source import Source
from billproof.printable import printable
from billproof.tariff.values import service_of

_AGAIN = "have the document made again"
_LONGEST = 1000
#: What region and sequence can be on the ledger.
_BEYOND = 1 << 32
#: Services from here on are no usage, and have no volume.
_NO_USAGE = 32
_KINDS = frozenset(kind.word for kind in Kind if kind not in FREE)

Settlement = Source[form.File]


def check_sound(source: Settlement, file: form.File) -> None:
    """Raises for the first thing that contradicts another, or that is none of its kind."""
    _check_parties(source, file)
    _check_days(source, file)
    _check_exchange(source, file)
    _check_batches(source, file)
    _check_amounts(source, file)
    _check_charges(source, file)
    _check_disputes(source, file)


def _check_parties(source: Settlement, file: form.File) -> None:
    one, other = file.parties
    if one.name == other.name:
        raise source.error(("parties", 1, "name"), "is the first one's too", "two operators have two names")


def _check_days(source: Settlement, file: form.File) -> None:
    """None is before the settlement."""
    days: list[tuple[Path, str]] = [(("due",), file.due)]
    days += [(("disputes", at, "deadline"), each.deadline) for at, each in enumerate(file.disputes)]
    for path, day in days:
        if day < file.issued:
            raise source.error(path, f"{day} is before {file.issued}, when it was issued", _AGAIN)


def _check_exchange(source: Settlement, file: form.File) -> None:
    """The currencies of the parties have their rates, and the settlement's own is 1."""
    if Fraction(file.exchange.get(file.currency, "1")) != 1:
        raise source.error(("exchange", file.currency), "is the settlement's own currency", 'write "1"')
    for at, each in enumerate(file.parties):
        if each.currency not in file.exchange and each.currency != file.currency:
            raise source.error(
                ("parties", at, "currency"), f"there is no exchange rate for {each.currency}", _AGAIN
            )


def _check_batches(source: Settlement, file: form.File) -> None:
    """Batches are of the month, in one ledger."""
    if bool(file.batches) != (file.ledger is not None):
        raise source.error(("ledger",), "goes with batches, and they with it", _AGAIN)
    for at, batch in enumerate(file.batches):
        if batch.period != file.period:
            raise source.error(("batches", at, "period"), "is not the settlement's", _AGAIN)
        for key in ("region", "sequence"):
            if int(getattr(batch, key)) >= _BEYOND:
                raise source.error(("batches", at, key), "is more than the ledger counts", _AGAIN)


def _check_amounts(source: Settlement, file: form.File) -> None:
    for at, each in enumerate(file.amounts):
        if not each.records:
            raise source.error(("amounts", at, "records"), "are none", "leave the amount out")
        if service_of(each.service) >= _NO_USAGE and each.volume != "0":
            raise source.error(("amounts", at, "volume"), f"{each.service} has none", 'write "0"')


def _check_charges(source: Settlement, file: form.File) -> None:
    for at, each in enumerate(file.charges):
        if int(each.shortfall) > int(each.to_date):
            raise source.error(("charges", at, "shortfall"), "is more than all that is due", _AGAIN)


def _check_disputes(source: Settlement, file: form.File) -> None:
    """What is claimed is money, of records, of a kind that is about money, in words that can be printed."""
    claims: list[tuple[str, int, form.DisputeForm | form.ResolvedForm, str, str]] = []
    claims += [("disputes", at, each, "amount", each.amount) for at, each in enumerate(file.disputes)]
    claims += [("resolved", at, each, "claimed", each.claimed) for at, each in enumerate(file.resolved)]
    for table, at, each, key, amount in claims:
        path: Path = (table, at)
        if each.kind not in _KINDS:
            raise source.error((*path, "kind"), "is none that money is claimed for", _AGAIN)
        if not each.number:
            raise source.error((*path, "number"), "is none", "numbers count from 1")
        if not each.count:
            raise source.error((*path, "count"), "is none", "leave the claim out")
        if amount == "0":
            raise source.error((*path, key), "is nothing", "leave the claim out")
        if printable(each.words, _LONGEST) != each.words:
            raise source.error((*path, "words"), "have characters that are not printed as they are", _AGAIN)
