"""Figures, texts and tables of the report, as HTML: rounded to read, exact beside it, everything escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from billproof.clearing.settlement.tables import Money
from billproof.printable import plain_cell, printable
from billproof.records import NANO, money

_LONGEST = 1000


@dataclass(frozen=True)
class Html:
    """A cell that is HTML already."""

    text: str


@dataclass(frozen=True)
class Figure:
    """A cell that is a figure with words, such as a volume; set to the right."""

    text: str


Cell = str | int | Money | Html | Figure


@dataclass(frozen=True)
class Currency:
    """The settlement currency and its decimals."""

    code: str
    decimals: int

    def text(self, billionths: int) -> str:
        """Rounded half up to the currency's decimals, with a true minus; less than that is told so."""
        unit = 10 ** (9 - self.decimals)
        rounded = (abs(billionths) + unit // 2) // unit * unit
        if billionths and not rounded:
            return f"<{self.exact(unit)}" if billionths > 0 else f">{self.exact(-unit)}"
        return self.exact(rounded if billionths >= 0 else -rounded)

    def exact(self, billionths: int) -> str:
        """To the last billionth, and no fewer decimals than the currency's."""
        return exact(billionths, self.decimals)

    def sum(self, billionths: int) -> str:
        """Rounded, with the currency."""
        return f"{self.text(billionths)}\u00a0{self.code}"

    def html(self, billionths: int) -> str:
        """Rounded, and what it is exactly for whoever computes with it."""
        exact = money(billionths).replace(",", "")
        return f'<data value="{exact}">{escape(self.text(billionths))}</data>'


def exact(billionths: int, decimals: int = 0) -> str:
    """To the last billionth, of no fewer decimals, with a true minus."""
    whole, rest = divmod(abs(billionths), NANO)
    shown = f"{rest:09d}".rstrip("0").ljust(decimals, "0")
    return ("−" if billionths < 0 else "") + (f"{whole:,}.{shown}" if shown else f"{whole:,}")


def currency_of(code: str) -> Currency:
    """A currency by its ISO code; one that nobody knows has two decimals."""
    from babel.numbers import get_currency_precision

    return Currency(code, get_currency_precision(code))


def safe(text: str, limit: int = _LONGEST) -> str:
    """A text from elsewhere: one line of plain text, which no spreadsheet takes for a formula either."""
    return escape(plain_cell(printable(text, limit)))


def short(text: str, limit: int) -> str:
    """A text of at most ``limit`` characters, cut where it says so."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    currency: Currency,
    *,
    sums: Sequence[Cell] | None = None,
    style: str = "plain",
) -> str:
    """A table; the first cell of a row is its head.

    Where the page is narrow it scrolls by itself, or folds each row when its style is "fold": then cells have
    the names of their columns. A column is of figures, to the right, where its first row's cell is one.
    """
    if not rows:
        return ""
    figures = [isinstance(cell, int | Money | Figure) for cell in rows[0]]
    head = "".join(
        f'<th scope="col"{_aligned(right)}>{safe(name)}</th>'
        for name, right in zip(columns, figures, strict=True)
    )
    named = [f' data-name="{safe(name)}"' if style.startswith("fold") else "" for name in columns]

    def line(row: Sequence[Cell]) -> str:
        cells = [
            f"<td{_aligned(right)}{name}>{cell_html(cell, currency)}</td>"
            for cell, right, name in zip(row[1:], figures[1:], named[1:], strict=True)
        ]
        first = f'<th scope="row"{_aligned(figures[0])}>{cell_html(row[0], currency)}</th>'
        return f"<tr>{first}{''.join(cells)}</tr>"

    body = "\n".join(map(line, rows))
    foot = f"\n<tfoot>{line(sums)}</tfoot>" if sums is not None else ""
    return framed(caption, f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>{foot}", style)


def section(name: str, title: str, parts: Sequence[str], style: str) -> str:
    """A section under its heading, of those parts that there are."""
    body = "\n".join(part for part in parts if part)
    head = f'<section class="{style}" aria-labelledby="{name}"><h2 id="{name}">{safe(title)}</h2>'
    return f"{head}\n{body}</section>"


def framed(caption: str, content: str, style: str) -> str:
    """A table in a frame that scrolls, also from the keyboard."""
    said = safe(caption)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{said}"><table class="{style}">'
        f"<caption>{said}</caption>\n{content}</table></div>"
    )


def _aligned(right: bool) -> str:
    return ' class="n"' if right else ""


def cell_html(cell: Cell, currency: Currency) -> str:
    """What is in a cell."""
    if isinstance(cell, Money):
        return currency.html(cell.billionths)
    if isinstance(cell, Html):
        return cell.text
    if isinstance(cell, Figure):
        return safe(cell.text)
    return f"{cell:,}" if isinstance(cell, int) else safe(cell)
