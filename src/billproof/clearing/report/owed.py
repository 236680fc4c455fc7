"""The report's first pages: who owes whom, and what is open."""

from __future__ import annotations

from collections.abc import Sequence

from billproof.clearing.agreement.agreement import month_of
from billproof.clearing.report.charts import Bar, Charts
from billproof.clearing.report.facts import (
    KINDS,
    Claim,
    Traffic,
    cut,
    date_words,
    month_words,
)
from billproof.clearing.report.figures import Cell, Currency, Figure, Html, safe, section, table
from billproof.clearing.settlement.settlement import Charge, Direction, Resolved, Settlement
from billproof.clearing.settlement.tables import VOLUMES_WORDS, Money, claim_word, headline
from billproof.tariff import values

_MOST_MODELS = 5
_MOST_CLAIMS = 40


class Owed:
    """What is owed and what is open: of a settlement, or of what the books say where there is none."""

    def __init__(
        self,
        traffic: Sequence[Traffic],
        settlement: Settlement | None,
        currency: Currency,
        charts: Charts,
    ) -> None:
        self._traffic = traffic
        self._settlement = settlement
        self._currency = currency
        self._charts = charts
        self._first = traffic[0].sides[0].operator
        self._names = {side.operator: side.name for each in traffic for side in each.sides}

    @property
    def headline(self) -> str:
        """The money, in one line."""
        settlement = self._settlement
        if settlement is not None:
            amount = settlement.net.amount
            paid = f" {self._currency.exact(amount)}\u00a0{self._currency.code}" if amount else ""
            return headline(settlement) + paid
        differing = [each for each in self._traffic if each.difference]
        if not differing:
            return "The books agree in their sums"
        if len(self._traffic) == 1:
            return f"{self._currency.sum(abs(differing[0].difference))} between the books"
        parts = [f"{self._currency.sum(abs(each.difference))} of {each.title}" for each in differing]
        return f"{' and '.join(parts)} between the books"

    def header(self) -> str:
        """The headline, and the few figures that matter beside it."""
        settlement, traffic = self._settlement, self._traffic
        period = traffic[0].period
        over = ["Clearing", *([month_words(period)] if period else []), traffic[0].agreement["name"]]
        facts: list[tuple[str, str]] = []
        if settlement is not None:
            facts.append(("Due", date_words(settlement.due)))
            facts += [
                (f"{each.payer.name} owes", self._currency.sum(each.total)) for each in self._directions()
            ]
        else:
            facts += [(f"Undisputed, {each.title}", self._currency.sum(each.undisputed)) for each in traffic]
        claims = self._claims()
        until = _until(claims)
        facts.append((f"Open until {until}" if until else "Open", self._currency.sum(_claimed(claims))))
        pairs, agreed = (sum(getattr(each, name) for each in traffic) for name in ("pairs", "agreed"))
        facts.append(("Pairs that agree", f"{_share(agreed, pairs)} of {pairs:,}"))
        shown = "".join(f"<div><dt>{safe(name)}</dt><dd>{safe(value)}</dd></div>" for name, value in facts)
        part = ""
        if settlement is not None:
            part = (
                f'<p class="note">The {safe(settlement.kind)} part of round {settlement.round}, issued'
                f" {safe(date_words(settlement.issued))}. {self._rounding(settlement)}"
                f"{safe(_besides(settlement))}</p>"
            )
        return (
            f'<header><p class="over">{safe(" · ".join(over))}</p><h1>{safe(self.headline)}</h1>'
            f"<dl>{shown}</dl>{part}</header>"
        )

    def sections(self) -> list[str]:
        """Who owes whom, then what is open."""
        owed = self._settled(self._settlement) if self._settlement is not None else self._booked()
        return [owed, self._open()]

    def _rounding(self, settlement: Settlement) -> str:
        rounding = settlement.rounding
        return f"The net amount is rounded once, {rounding.mode}, to {rounding.decimals} decimals."

    def _style(self, operator: int) -> str:
        """The style of what is in an operator's favour."""
        return "a" if operator == self._first else "b"

    # --- who owes whom ------------------------------------------------------------------------------

    def _directions(self) -> list[Direction]:
        return sorted(self._settlement.directions, key=lambda each: -each.total) if self._settlement else []

    def _settled(self, settlement: Settlement) -> str:
        directions = self._directions()
        receiver = directions[0].payee
        bars: list[Bar] = []
        reached = 0
        for each in directions:
            sign = 1 if each.payee == receiver else -1
            steps = [(f"{each.payer.name} owes for its traffic", each.records)]
            if settlement.continues is not None:
                steps = [(f"{each.payer.name} owes of accepted claims", each.claims)]
            steps += _steps([charge for charge in settlement.charges if charge.payer == each.payer.operator])
            for label, money in steps:
                style = self._style(each.payee.operator if money >= 0 else each.payer.operator)
                after = reached + sign * money
                bars.append(Bar(label, after, self._currency.text(money), style, reached))
                reached = after
        net = settlement.net
        words = f"Net: {net.payer.name} pays {net.payee.name}" if net.amount else "Net: nothing is left"
        bars.append(Bar(words, reached, self._currency.exact(net.amount), "net"))
        chart = self._charts.bars(
            f"From the traffic to the net amount, {self._currency.code}",
            "Each bar begins where the one before it ends, the last at zero. To the right is what"
            f" {receiver.name} receives. {words}.",
            bars,
        )
        tables = [self._direction(settlement, each) for each in directions]
        reading = (
            f"In {self._currency.code}: each bar begins where the one above it ends; the last is the net."
        )
        legend = self._legend("in {name}'s favour")
        parts = [f"<p>{safe(reading)}</p>", legend, chart, *tables]
        return section("owed", "Who owes whom", parts, "owed")

    def _direction(self, settlement: Settlement, direction: Direction) -> str:
        payer = direction.payer.operator
        amounts = [each for each in settlement.amounts if each.payer == payer]
        rows: list[Sequence[Cell]] = [
            (
                values.word_of(each.service).replace("-", " "),
                each.records,
                Figure(volume_words(each.volume, values.KINDS.get(each.service, ""))),
                Money(each.amount),
            )
            for each in amounts
        ]
        charges = [
            (self._charge(each), each.adjustment) for each in settlement.charges if each.payer == payer
        ]
        for said, adjustment in cut(charges, _MOST_CLAIMS, lambda each: each[1], _other_charges):
            rows.append((said, Figure(""), Figure(""), Money(adjustment)))
        resolved = [
            (_resolved(each), each.claim.count, each.accepted)
            for each in settlement.resolved
            if each.claim.payer == payer
        ]
        for words, count, accepted in cut(resolved, _MOST_CLAIMS, lambda each: each[2], _other_resolved):
            rows.append((words, count, Figure(""), Money(accepted)))
        name = f"{direction.payer.name} owes {direction.payee.name}"
        records = sum(each.records for each in amounts) + sum(count for _, count, _ in resolved)
        sums = (name, records, Figure(""), Money(direction.total))
        columns = ("For", "Records", "Volume", self._currency.code)
        nothing = "no traffic that is undisputed" if settlement.continues is None else "no claim is resolved"
        shown = rows or [(nothing, 0, Figure(""), Money(0))]
        return table(name, columns, shown, self._currency, sums=sums, style="fold statement")

    def _charge(self, charge: Charge) -> Html:
        share, booked = self._currency.text(charge.share), self._currency.text(charge.booked)
        words = f"share of the month {share}, less booked {booked}"
        if charge.shortfall:
            words += f"; short of the commitment, year to date: {self._currency.text(charge.shortfall)}"
        return Html(f"{safe(_model(charge))} <small>{safe(words)}</small>")

    def _booked(self) -> str:
        """Without a settlement: the two books, and what is in both."""
        parts: list[str] = []
        for each in self._traffic:
            bars = [
                Bar(
                    f"{side.name}'s book",
                    side.total,
                    self._currency.text(side.total),
                    self._style(side.operator),
                )
                for side in each.sides
            ]
            bars.append(Bar("in both books", each.undisputed, self._currency.text(each.undisputed), "net"))
            words = f"{each.payer.name} owes {each.payee.name} for its traffic"
            parts.append(f"<h3>{safe(words)}</h3>")
            parts.append(
                self._charts.bars(
                    f"What the books say of {each.title}, {self._currency.code}",
                    "The sum of either book, and of what is in both: of every pair, of one sign, the lower"
                    " amount.",
                    bars,
                )
            )
            rows = [(f"{side.name}'s book", side.records, Money(side.total)) for side in each.sides]
            rows.append(("in both books, undisputed", each.pairs, Money(each.undisputed)))
            parts.append(
                table(words, ("", "Records", self._currency.code), rows, self._currency, style="fold")
            )
        return section("owed", "What the books say", parts, "owed")

    # --- what is open -------------------------------------------------------------------------------

    def _claims(self) -> list[Claim]:
        settlement = self._settlement
        if settlement is None:
            found = [claim for each in self._traffic for claim in each.claims()]
            return sorted(found, key=lambda each: -abs(each.amount))
        return [
            Claim(each.number, each.kind, each.words, each.claimant, each.count, each.amount, each.deadline)
            for each in settlement.disputes
        ]

    def _open(self) -> str:
        claims = self._claims()
        if not claims:
            return section("open", "What is open", ["<p>Nothing is open.</p>"], "owed")
        by_side = {
            operator: [each for each in claims if each.claimant == operator] for operator in self._names
        }
        bars = [
            Bar(
                f"{self._names[operator]}: {_counted(len(found), 'claim')}",
                _claimed(found),
                self._currency.text(_claimed(found)),
                self._style(operator),
            )
            for operator, found in by_side.items()
        ]
        chart = self._charts.bars(
            f"What either side claims, {self._currency.code}",
            "Of every pair what a book has beyond what is in both, and records that only one book has; debts"
            " and credits are added up without signs.",
            bars,
        )
        kept = cut(claims, _MOST_CLAIMS, lambda each: each.amount, _other_claims)
        dated = self._settlement is not None and not _until(claims)
        rows = [self._claim(each, dated) for each in kept]
        columns = ["Cause", "What differs", "Claimed by", "As", *(["Until"] if dated else [])]
        empty = ("",) * (len(columns) - 1)
        sums: Sequence[Cell] = (
            "Total",
            *empty,
            sum(each.count for each in claims),
            Money(_claimed(claims)),
        )
        columns += ["Records", self._currency.code]
        shown = table("Open, by cause", columns, rows, self._currency, sums=sums, style="fold claims")
        until = f" until {_until(claims)}" if _until(claims) else ""
        words = (
            f"This is not paid now: it stays open{until}. What a book has beyond what is in both is claimed"
            " by its side, as a debt or as a credit."
        )
        return section("open", "What is open", [f"<p>{safe(words)}</p>", chart, shown], "owed")

    def _claim(self, claim: Claim, dated: bool) -> Sequence[Cell]:
        kind = KINDS.get(claim.kind, claim.kind)
        return (
            f"{claim.number} {kind}" if claim.number else "",
            claim.words,
            self._names.get(claim.claimant, ""),
            claim_word(claim.amount) if claim.number else "",
            *([claim.deadline or ""] if dated else []),
            claim.count,
            Money(abs(claim.amount)),
        )

    def _legend(self, words: str) -> str:
        return legend([(self._style(each), words.format(name=name)) for each, name in self._names.items()])


def legend(keys: Sequence[tuple[str, str]]) -> str:
    """What the two styles are."""
    items = "".join(
        f'<li><svg class="key" width="18" height="12" aria-hidden="true"><rect class="{style}" width="18"'
        f' height="12"/></svg>{safe(words)}</li>'
        for style, words in keys
    )
    return f'<ul class="legend">{items}</ul>'


def volume_words(volume: int, unit: str) -> str:
    """A volume in the unit that people settle in."""
    if unit == values.SECONDS:
        return f"{volume // 60:,}.{volume % 60 * 10 // 60} min"
    if unit == values.BYTES:
        size, name = (10**9, "GB") if volume >= 10**10 else (10**6, "MB")
        return f"{volume // size:,}.{volume % size * 10 // size} {name}"
    return f"{volume:,} {unit}" if unit else ""


def _besides(settlement: Settlement) -> str:
    """What the year to date leaves out."""
    if settlement.continues is not None:
        return f" {VOLUMES_WORDS}"
    year = settlement.year
    if year is None or not year.missing:
        return ""
    months = ", ".join(map(month_of, year.missing))
    return f" Discounts of the year to date take {months} as months without traffic."


def _model(charge: Charge) -> str:
    return f"{'Commitment' if charge.over or charge.shortfall else 'Discounts'}: {charge.model}"


def _claimed(claims: Sequence[Claim]) -> int:
    """What is open, without signs."""
    return sum(abs(each.amount) for each in claims)


def _until(claims: Sequence[Claim]) -> str:
    """The one deadline of all claims; nothing where there is none, or several."""
    dates = {each.deadline for each in claims}
    only = dates.pop() if len(dates) == 1 else None
    return date_words(only) if only else ""


def _steps(charges: Sequence[Charge]) -> list[tuple[str, int]]:
    steps = [(_model(charge), charge.adjustment) for charge in charges if charge.adjustment]
    return cut(
        steps,
        _MOST_MODELS,
        lambda step: step[1],
        lambda rest: (f"and {len(rest):,} more discounts", sum(money for _, money in rest)),
    )


def _other_charges(rest: Sequence[tuple[Html, int]]) -> tuple[Html, int]:
    return Html(f"and {len(rest):,} more discounts"), sum(money for _, money in rest)


def _resolved(of: Resolved) -> Html:
    said = f"Claim {of.claim.number} of operator {of.claim.claimant}, {of.outcome}"
    return Html(f"{safe(said)} <small>{safe(of.claim.words)}</small>")


def _other_resolved(rest: Sequence[tuple[Html, int, int]]) -> tuple[Html, int, int]:
    return (
        Html(f"and {len(rest):,} more claims"),
        sum(each[1] for each in rest),
        sum(each[2] for each in rest),
    )


def _other_claims(rest: Sequence[Claim]) -> Claim:
    words = f"and {len(rest):,} more"
    return Claim(0, "", words, 0, sum(each.count for each in rest), _claimed(rest))


def _share(part: int, whole: int) -> str:
    """Never 100 % where something is missing from it."""
    return f"{part * 1000 // whole / 10:g} %" if whole else "none"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
