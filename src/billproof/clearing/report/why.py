"""The report's pages about one direction: why the books differ, by day, by route and by service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from billproof.clearing.report.charts import Bar, Charts, Strip
from billproof.clearing.report.facts import (
    KINDS,
    Reason,
    Slice,
    Traffic,
    by_difference,
    cut,
    day_words,
    slices,
    spaced,
    total,
)
from billproof.clearing.report.figures import Cell, Currency, Figure, Html, framed, safe, section, table
from billproof.clearing.report.owed import legend
from billproof.clearing.settlement.tables import Money
from billproof.records import money

_MOST_BARS = 12
_MOST_ROWS = 25
_MOST_DAYS = 62
_MOST_REASONS = 40
_MOST_KINDS = 2
_FLAT = 60  # times lower than the highest column


class Why:
    """One direction. ``first`` is the operator whose colour is the plain one."""

    def __init__(self, traffic: Traffic, first: int, currency: Currency, charts: Charts) -> None:
        self._traffic = traffic
        self._currency = currency
        self._charts = charts
        self._styles = "ab" if traffic.sides[0].operator == first else "ba"
        self._name = f"of-{traffic.payer.operator}"

    def section(self) -> str:
        """Everything about this direction."""
        traffic = self._traffic
        parts = [
            f"<p>{safe(self._introduction())}</p>",
            self._reasons(),
            self._days(),
            self._slices("Routes", "route", traffic.routes),
            self._slices("Services", "service", traffic.services),
        ]
        return section(self._name, f"Why the books differ: {traffic.title}", parts, "why")

    def _introduction(self) -> str:
        traffic = self._traffic
        ours, theirs = traffic.names
        difference = traffic.difference
        more = ours if difference > 0 else theirs
        said = (
            f"{more}'s book has {self._currency.sum(abs(difference))} more."
            if difference
            else "Both books add up to the same."
        )
        one, other = traffic.sides
        return (
            f"{said} {one.name} has {one.records:,} records, {other.name} {other.records:,};"
            f" {traffic.pairs:,} are pairs, of which {traffic.agreed:,} agree. {one.unpaired:,} of"
            f" {one.name}'s and {other.unpaired:,} of {other.name}'s have no pair. Differences are"
            f" {ours}'s book less {theirs}'s."
        )

    def _heading(self, title: str, level: int = 3) -> str:
        return f"<h{level}>{safe(title)} <small>{safe(self._currency.code)}</small></h{level}>"

    def _signed(self, amount: int) -> str:
        return self._styles[amount < 0]

    def _legend(self, words: str = "{name}'s book has more") -> str:
        names = zip(self._styles, self._traffic.names, strict=True)
        return legend([(style, words.format(name=name)) for style, name in names])

    # --- by cause -----------------------------------------------------------------------------------

    def _reasons(self) -> str:
        traffic = self._traffic
        found = _most_first([*traffic.causes, *traffic.findings])
        within = traffic.at_stake.get("agreed", 0)
        if within:
            words = "pairs that agree within the tolerance"
            found.append(Reason(0, KINDS["agreed"], words, traffic.agreed, within, "", ()))
        if not found:
            return "<p>Nothing differs.</p>"
        groups = [
            self._group("Causes", _most_first(traffic.causes)),
            self._group("Single findings, which no cause explains", _most_first(traffic.findings)),
            self._group("Not disputed", found[-1:] if within else []),
        ]
        head = (
            '<tr><th scope="col">Cause</th><th scope="col">What differs</th>'
            f'<th scope="col" class="n">{safe(self._currency.code)}</th></tr>'
        )
        foot = (
            '<tr><th scope="row" colspan="2">Difference of the books</th>'
            f'<td class="n">{self._currency.html(traffic.difference)}</td></tr>'
        )
        content = f"<thead>{head}</thead>{''.join(groups)}<tfoot>{foot}</tfoot>"
        shown = framed(f"Money by cause, {traffic.title}", content, "reasons")
        return f"{self._heading('Money by cause')}{self._drawn(found)}{shown}"

    def _drawn(self, found: Sequence[Reason]) -> str:
        """The bars of what has money."""
        money = [each for each in found if each.money]
        if not money:
            return ""
        traffic = self._traffic
        most = max(money, key=lambda each: abs(each.money))
        bars = [
            Bar(_label(each), each.money, self._currency.text(each.money), self._signed(each.money))
            for each in cut(money, _MOST_BARS, lambda each: each.money, _others)
        ]
        chart = self._charts.bars(
            f"Money by cause, {traffic.title}, {self._currency.code}",
            f"{len(money):,} causes and kinds, {self._currency.sum(traffic.difference)} together."
            f" The most is {self._currency.sum(most.money)}: {most.words}.",
            bars,
        )
        return self._legend() + chart

    def _group(self, title: str, found: Sequence[Reason]) -> str:
        if not found:
            return ""
        kept = cut(found, _MOST_REASONS, lambda each: each.money, _others)
        rows = "".join(map(self._told, kept))
        return f'<tbody><tr><th scope="rowgroup" colspan="3">{safe(title)}</th></tr>{rows}</tbody>'

    def _told(self, reason: Reason) -> str:
        count = f"{reason.count:,} record{'' if reason.count == 1 else 's'}"
        return (
            f"<tr><td>{reason.number or ''}</td><td>{safe(_sentence(reason.words))}"
            f"<small>{safe(f'{reason.kind}, {count}')}</small></td>"
            f'<td class="n">{self._currency.html(reason.money)}</td></tr>{self._examples(reason)}\n'
        )

    def _examples(self, reason: Reason) -> str:
        rows = [
            self._record(name, example[side])
            for example in reason.examples
            for side, name in zip(("ours", "theirs"), self._traffic.names, strict=True)
            if side in example
        ]
        columns = ("Book", "Starts (UTC)", "Service", "Number", "Usage", "Billed", "Amount", "Batch, row")
        shown = table(f"Examples of {reason.number}", columns, rows, self._currency, style="records")
        if not rows:
            return ""
        folded = f"<details><summary>Examples with the most money</summary>{shown}</details>"
        return f'<tr class="examples"><td></td><td colspan="2">{folded}</td></tr>'

    def _record(self, name: str, record: Mapping[str, Any]) -> Sequence[Cell]:
        started = datetime.fromtimestamp(int(record["startedAt"]), UTC)
        return (
            name,
            f"{started:%Y-%m-%d %H:%M:%S}",
            spaced(record["service"]),
            record["number"] or "none",
            int(record["usage"]),
            int(record["billedUsage"]),
            Figure(f"{money(int(record['amount'])).replace('-', '−')} {record['currency']}"),
            f"{record['batch']}, {record['row']:,}",
        )

    # --- by day, route and service ------------------------------------------------------------------

    def _days(self) -> str:
        traffic, currency = self._traffic, self._currency
        days = slices(traffic.days, _MOST_DAYS, "days")
        if not days:
            return ""
        names = [day_words(each.name) for each in days]
        ours, theirs = traffic.names
        columns = self._charts.columns(
            f"Both books by day, {traffic.title}, {currency.code}",
            f"{len(traffic.days)} days; {ours}'s book on the left of each day, {theirs}'s on the right.",
            names,
            [each.totals for each in days],
            self._styles,
        )
        strips = self._strips(days)
        parts = [self._heading("By day"), self._legend("{name}'s book"), columns]
        if strips:
            parts.append(f"{self._heading('The difference by day and kind', 4)}{self._legend()}")
            parts.append(
                self._charts.strips(
                    f"The difference by day and kind, {traffic.title}, {currency.code}",
                    f"Of each kind, what {ours}'s book has more (up) or less (down) each day.",
                    names,
                    strips,
                    self._styles,
                )
            )
        shown = self._table("By day", "Day", days)
        parts.append(
            f"<details><summary>The {len(traffic.days):,} days as a table</summary>{shown}</details>"
        )
        return "\n".join(parts)

    def _strips(self, days: Sequence[Slice]) -> list[Strip]:
        """A strip for each kind, money first; those that would be flat lines are one."""
        values = {kind: [each.kinds.get(kind, 0) for each in days] for kind in KINDS}
        peaks = {kind: max(map(abs, column)) for kind, column in values.items() if any(column)}
        flat = [kind for kind, peak in peaks.items() if peak * _FLAT < max(peaks.values())]
        strips = [
            Strip(KINDS[kind], values[kind], self._currency.text(sum(values[kind])))
            for kind in peaks
            if kind not in flat or len(flat) == 1
        ]
        if len(flat) > 1:
            column = [sum(day) for day in zip(*(values[kind] for kind in flat), strict=True)]
            words = ", ".join(KINDS[kind] for kind in flat)
            strips.append(Strip(words, column, self._currency.text(sum(column))))
        return sorted(strips, key=lambda strip: -sum(map(abs, strip.values)))

    def _slices(self, title: str, word: str, found: Sequence[Slice]) -> str:
        if not found:
            return ""
        ordered = by_difference(found)
        heading = self._heading(f"By {word}")
        chart = ""
        if len(ordered) > 1 and any(each.difference for each in ordered):
            bars = [
                Bar(
                    each.name,
                    each.difference,
                    self._currency.text(each.difference),
                    self._signed(each.difference),
                )
                for each in slices(ordered, _MOST_BARS, f"{word}s")
            ]
            most = ordered[0]
            chart = self._legend() + self._charts.bars(
                f"The difference by {word}, {self._traffic.title}, {self._currency.code}",
                f"{len(ordered):,} {word}s. The most is {self._currency.sum(most.difference)}: {most.name}.",
                bars,
            )
        return (
            heading + chart + self._table(f"By {word}", title[:-1], slices(ordered, _MOST_ROWS, f"{word}s"))
        )

    def _table(self, caption: str, word: str, found: Sequence[Slice]) -> str:
        ours, theirs = self._traffic.names
        columns = (
            word,
            f"{ours}'s records",
            f"{theirs}'s records",
            f"{ours}'s book",
            f"{theirs}'s book",
            "In both",
            "Difference",
            "of which",
        )
        rows = [self._row(each) for each in found]
        return table(
            f"{caption}, {self._traffic.title}, {self._currency.code}",
            columns,
            rows,
            self._currency,
            sums=self._row(total(found)),
            style="slices",
        )

    def _row(self, each: Slice) -> Sequence[Cell]:
        kinds = [
            (KINDS.get(kind, kind), part)
            for kind, part in sorted(each.kinds.items(), key=lambda item: -abs(item[1]))
        ]
        kept = cut(
            kinds, _MOST_KINDS, lambda kind: kind[1], lambda rest: ("other", sum(part for _, part in rest))
        )
        words = ", ".join(f"{kind}\u00a0{self._currency.text(part)}" for kind, part in kept)
        return (
            each.name,
            *each.records,
            *map(Money, each.totals),
            Money(each.undisputed),
            Money(each.difference),
            Html(f"<small>{safe(words)}</small>"),
        )


def _most_first(found: Sequence[Reason]) -> list[Reason]:
    return sorted(found, key=lambda each: (-abs(each.money), each.number))


def _numbered(reason: Reason) -> str:
    return f"{reason.number} {reason.kind}" if reason.number else reason.kind


def _label(reason: Reason) -> str:
    return f"{_numbered(reason)}, {reason.place}" if reason.place else _numbered(reason)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _others(rest: Sequence[Reason]) -> Reason:
    words = f"and {len(rest):,} more"
    return Reason(0, words, words, sum(each.count for each in rest), sum(each.money for each in rest), "", ())
