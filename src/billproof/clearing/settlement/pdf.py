"""A settlement on paper (PDF). The same settlement gives the same bytes."""

from __future__ import annotations

import io
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from billproof.bundle.pdf import built_in_fonts
from billproof.clearing.settlement.settlement import Settlement
from billproof.clearing.settlement.tables import Cell, Money, Sheet, facts, sheets
from billproof.printable import printable
from billproof.records import money

_LONGEST = 1000
_SIZE, _LEADING = 7.5, 9.5
_MARGIN = 15 * mm
_WIDTH = landscape(A4)[0] - 2 * _MARGIN
_TOGETHER = 22 * mm  # of a table on the page that has its heading, at least


def paper(settlement: Settlement, document_hash: bytes) -> bytes:
    """The pages; ``document_hash`` is that of the ``settlement.json`` that they show."""
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=landscape(A4),
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        invariant=1,
        title="Settlement",
        author="",
        creator="Billproof",
        producer="Billproof",
    )
    styles = _Styles()
    (first, amount), *rest = facts(settlement)
    shown = f"{first}: {_text(amount)} {settlement.currency}" if settlement.net.amount else first
    story: list[Any] = [styles.paragraph(shown, styles.title), Spacer(1, 4 * mm)]
    story += [styles.facts([*rest, ("keccak256 of settlement.json", "0x" + document_hash.hex())])]
    for sheet in sheets(settlement):
        story += [Spacer(1, 5 * mm), CondPageBreak(_TOGETHER)]
        story += [styles.paragraph(sheet.title, styles.heading), Spacer(1, 1.5 * mm)]
        story.append(styles.table(sheet))
    footer = partial(_footer, words=f"Settlement {document_hash.hex()[:16]}", font=styles.regular)
    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


def _footer(canvas: Canvas, document: Any, *, words: str, font: str) -> None:
    canvas.setFont(font, _SIZE)
    canvas.drawString(_MARGIN, 8 * mm, words)
    canvas.drawRightString(_MARGIN + _WIDTH, 8 * mm, str(canvas.getPageNumber()))


def _text(cell: Cell) -> str:
    if isinstance(cell, Money):
        return money(cell.billionths)
    return f"{cell:,}" if isinstance(cell, int) else printable(cell, _LONGEST)


class _Styles:
    """The fonts and styles, and the parts that are made of them."""

    def __init__(self) -> None:
        regular, bold = built_in_fonts()
        self.regular, self.bold = regular.fontName, bold.fontName
        make = partial(
            ParagraphStyle, fontName=self.regular, fontSize=_SIZE, leading=_LEADING, wordWrap="CJK"
        )
        self.left = make("left")
        self.right = make("right", alignment=2)
        self.strong = make("strong", fontName=self.bold)
        self.strong_right = make("strong right", fontName=self.bold, alignment=2)
        self.heading = make("heading", fontName=self.bold, fontSize=10, leading=13)
        self.title = make("title", fontName=self.bold, fontSize=15, leading=19)

    @staticmethod
    def paragraph(text: str, style: ParagraphStyle) -> Paragraph:
        """A text as it stands: nothing in it is markup."""
        return Paragraph(escape(printable(text, _LONGEST)), style)

    def facts(self, rows: list[tuple[str, Cell]]) -> LongTable:
        """Names and values."""
        cells = [
            [self.paragraph(name, self.left), self.paragraph(_text(value), self.left)] for name, value in rows
        ]
        return LongTable(cells, colWidths=[0.3 * _WIDTH, 0.7 * _WIDTH], style=_PLAIN, hAlign="LEFT")

    def table(self, sheet: Sheet) -> LongTable:
        """A table whose head is on every page."""
        head = [
            self.paragraph(name, self.strong_right if self._right(sheet, column) else self.strong)
            for column, name in enumerate(sheet.columns)
        ]
        rows = [[self._cell(cell, sums=False) for cell in row] for row in sheet.rows]
        if sheet.sums:
            rows.append([self._cell(cell, sums=True) for cell in sheet.sums])
        parts = [4 if column in sheet.wide else 1 for column in range(len(sheet.columns))]
        widths = [_WIDTH * part / sum(parts) for part in parts]
        return LongTable([head, *rows], colWidths=widths, repeatRows=1, style=_RULED, hAlign="LEFT")

    @staticmethod
    def _right(sheet: Sheet, column: int) -> bool:
        return not isinstance(sheet.rows[0][column], str)

    def _cell(self, cell: Cell, *, sums: bool) -> Paragraph:
        styles = (self.left, self.right) if not sums else (self.strong, self.strong_right)
        return self.paragraph(_text(cell), styles[not isinstance(cell, str)])


_PLAIN = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
    ]
)
_RULED = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.Color(0.95, 0.95, 0.95)]),
    ]
)
