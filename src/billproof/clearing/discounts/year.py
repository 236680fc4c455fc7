"""A year's volumes under an agreement's discount models: to date, and each month's share of it.

What a model charges is always of the year to date, rounded once; a month's share is that less what the months
before came to. So shares add up to the year, to the last billionth, whatever was rounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from billproof.clearing.agreement.agreement import Agreement, Party, months_between
from billproof.clearing.discounts.models import CommonCommitment, Model, rounded
from billproof.records import Service


@dataclass(frozen=True)
class Volume:
    """Traffic that ``operator`` handed over in a month ("2026-03"), in seconds, messages or bytes."""

    month: str
    operator: int
    service: Service
    route: str
    volume: int | Fraction


@dataclass(frozen=True)
class Line:
    """What one operator pays by one model: of the year to date, and of the month that ends it.

    Money is in billionths of the settlement currency and rounded as the agreement says, volumes are exact.
    The line of a common commitment has its shortfall alone: what its models charge is on their lines.
    """

    month: str
    model: Model | CommonCommitment
    payer: Party
    payee: Party
    volume: Fraction  # of the month
    volume_to_date: Fraction
    used: int  # the charge of the volume to date, without the commitment; of a common one: all its models'
    shortfall: int  # what the part of the commitment that is due adds to it
    to_date: int  # both; of a common commitment the shortfall
    share: int  # what of that is the month's: negative when a cheaper tier is reached
    open: int  # what the commitment would still add if no more traffic came

    @property
    def committed(self) -> bool:
        """Whether there is a commitment, that may add to what is charged."""
        return isinstance(self.model, CommonCommitment) or self.model.commitment is not None


@dataclass(frozen=True)
class Evaluation:
    """Every model in every month up to the last one asked for; and traffic that is in no model."""

    agreement: Agreement
    months: tuple[str, ...]
    lines: tuple[Line, ...]
    uncovered: tuple[Volume, ...]

    def of(self, month: str) -> list[Line]:
        """A month's lines, money first."""
        lines = [line for line in self.lines if line.month == month]
        return sorted(lines, key=lambda line: (-line.to_date, line.model.name, line.payer.operator))

    def net(self, month: str) -> tuple[int, int]:
        """What the first party owes the second of the year to date, and of the month; negative: is owed."""
        first = self.agreement.parties[0]
        signed = [(line, 1 if line.payer == first else -1) for line in self.lines if line.month == month]
        return sum(sign * line.to_date for line, sign in signed), sum(
            sign * line.share for line, sign in signed
        )


def months_of(agreement: Agreement) -> tuple[str, ...]:
    """The months of an agreement, "2026-01" and so on."""
    return months_between(agreement.valid_from, agreement.valid_until)


def evaluate(agreement: Agreement, volumes: Iterable[Volume], until: str | None = None) -> Evaluation:
    """The agreement's models over ``volumes``, month by month up to ``until`` (None: the last with traffic).

    Months without traffic count as such. Raises ValueError for a month or an operator that is not of the
    agreement, and for a negative volume.
    """
    months = months_of(agreement)
    by_model: dict[tuple[str, int, str], Fraction] = defaultdict(Fraction)
    uncovered: dict[tuple[str, int, Service, str], Fraction] = defaultdict(Fraction)
    latest = months[0]
    known: dict[tuple[int, Service, str], Model | None] = {}
    for each in volumes:
        if each.month not in months or each.volume < 0:
            raise ValueError(f"{each} is no volume of the agreement")
        agreement_party(agreement, each.operator)
        if until is not None and each.month > until:
            continue
        latest = max(latest, each.month)
        traffic = each.operator, each.service, each.route
        if traffic not in known:
            known[traffic] = model_of(agreement, each)
        model = known[traffic]
        if model is None:
            uncovered[each.month, each.operator, each.service, each.route] += each.volume
        else:
            by_model[model.name, each.operator, each.month] += each.volume
    until = latest if until is None else until
    if until not in months:
        raise ValueError(f"{until} is no month of the agreement")
    done = months[: months.index(until) + 1]
    lines = [
        line for model in agreement.models for line in _lines(agreement, model, by_model, done, len(months))
    ]
    for commitment in agreement.commitments:
        lines += _common(agreement, commitment, lines, done, len(months))
    return Evaluation(
        agreement,
        done,
        tuple(sorted(lines, key=lambda line: line.month)),
        tuple(Volume(*key, volume) for key, volume in sorted(uncovered.items()) if volume),
    )


def agreement_party(agreement: Agreement, operator: int) -> Party:
    """A party by its number; ValueError for a stranger."""
    try:
        return agreement.party(operator)
    except KeyError:
        raise ValueError(f"operator {operator} is no party") from None


def model_of(agreement: Agreement, volume: Volume) -> Model | None:
    """The one model that traffic is in, if any."""
    for model in agreement.models:
        if (
            model.operator in (None, volume.operator)
            and volume.service in model.services
            and (model.routes is None or volume.route in model.routes)
        ):
            return model
    return None


def _lines(
    agreement: Agreement,
    model: Model,
    volumes: dict[tuple[str, int, str], Fraction],
    months: tuple[str, ...],
    of: int,
) -> Iterator[Line]:
    """A model's lines, month after month."""
    payers = [party for party in agreement.parties if model.operator in (None, party.operator)]
    mode, decimals = agreement.rounding.mode, agreement.rounding.decimals
    to_date = {party.operator: Fraction(0) for party in payers}
    before = {party.operator: 0 for party in payers}
    for number, month in enumerate(months, 1):
        for party in payers:
            to_date[party.operator] += volumes.get((model.name, party.operator, month), Fraction(0))
        charges = model.charges(to_date)
        for party in payers:
            charge = charges[party.operator]
            used = rounded(charge, mode, decimals)
            due = rounded(max(charge, model.due(number, of)), mode, decimals)
            yield Line(
                month=month,
                model=model,
                payer=party,
                payee=agreement.other(party.operator),
                volume=volumes.get((model.name, party.operator, month), Fraction(0)),
                volume_to_date=to_date[party.operator],
                used=used,
                shortfall=due - used,
                to_date=due,
                share=due - before[party.operator],
                open=rounded(max(charge, model.commits), mode, decimals) - due,
            )
            before[party.operator] = due


def _common(
    agreement: Agreement,
    commitment: CommonCommitment,
    lines: Iterable[Line],
    months: tuple[str, ...],
    of: int,
) -> list[Line]:
    """A common commitment's lines, month after month, beside those of its models."""
    payer = agreement.party(commitment.operator)
    used = dict.fromkeys(months, 0)
    for line in lines:
        if line.model.name in commitment.models:
            used[line.month] += line.used
    mode, decimals = agreement.rounding.mode, agreement.rounding.decimals
    whole = rounded(commitment.commits, mode, decimals)
    found = []
    before = 0
    for number, month in enumerate(months, 1):
        shortfall = max(rounded(commitment.due(number, of), mode, decimals) - used[month], 0)
        found.append(
            Line(
                month=month,
                model=commitment,
                payer=payer,
                payee=agreement.other(payer.operator),
                volume=Fraction(0),
                volume_to_date=Fraction(0),
                used=used[month],
                shortfall=shortfall,
                to_date=shortfall,
                share=shortfall - before,
                open=max(whole - used[month], 0) - shortfall,
            )
        )
        before = shortfall
    return found
