"""A settlement as a workbook (XLSX). The same settlement gives the same bytes.

Texts come from the other side, so no cell is ever a formula: texts are written as texts, whatever they begin
with, and those that a spreadsheet would take for a formula when edited or exported carry the text prefix.
"""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from billproof.clearing.settlement.settlement import Settlement
from billproof.clearing.settlement.tables import Cell, Money, Sheet, facts, sheets
from billproof.printable import printable
from billproof.tariff import values

#: What begins a formula in one spreadsheet or another.
_FORMULA = tuple("=+-@\t\r|%＝＋－＠")

_LONGEST = 1000
_NARROW, _WIDE = 18, 70
_A4 = 9  # ECMA-376, part 1, 18.3.1.63
_NUMBER, _COUNT = "#,##0.00#######", "#,##0"


def workbook(settlement: Settlement, document_hash: bytes) -> bytes:
    """The workbook; ``document_hash`` is that of the ``settlement.json`` that it shows."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"title": "Settlement", "created": datetime(2000, 1, 1)})
    writer = _Writer(book)
    writer.summary([*facts(settlement), ("keccak256 of settlement.json", "0x" + document_hash.hex())])
    for sheet in sheets(settlement):
        writer.table(sheet)
    book.close()
    return out.getvalue()


class _Writer:
    """The workbook's formats, and how cells are written."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._formats: dict[tuple[str, bool, bool], Any] = {}

    def _format(self, number: str = "", *, bold: bool = False, quoted: bool = False) -> Any:
        key = (number, bold, quoted)
        if key not in self._formats:
            properties: dict[str, Any] = {"num_format": number or "@", "bold": bold, "valign": "top"}
            if quoted:
                properties["quote_prefix"] = True
            self._formats[key] = self._book.add_format(properties)
        return self._formats[key]

    def _page(self, title: str) -> Any:
        """A sheet that is as wide as the paper it is printed on."""
        page = self._book.add_worksheet(title)
        page.set_landscape()
        page.set_paper(_A4)
        page.fit_to_pages(1, 0)
        return page

    def summary(self, rows: list[tuple[str, Cell]]) -> None:
        page = self._page("Settlement")
        page.set_column(0, 0, 34)
        page.set_column(1, 1, _WIDE)
        for row, (name, value) in enumerate(rows):
            self._write(page, row, 0, name, bold=row == 0)
            self._write(page, row, 1, value, bold=row == 0)

    def table(self, sheet: Sheet) -> None:
        page = self._page(sheet.title)
        page.freeze_panes(1, 0)
        page.repeat_rows(0)
        for column, name in enumerate(sheet.columns):
            page.set_column(column, column, _WIDE if column in sheet.wide else _NARROW)
            self._write(page, 0, column, name, bold=True)
        rows = [*sheet.rows, *([sheet.sums] if sheet.sums else [])]
        for row, cells in enumerate(rows, 1):
            for column, cell in enumerate(cells):
                self._write(page, row, column, cell, bold=row > len(sheet.rows))

    def _write(self, page: Any, row: int, column: int, cell: Cell, *, bold: bool = False) -> None:
        if isinstance(cell, str):
            text = printable(cell, _LONGEST)
            page.write_string(
                row, column, text, self._format(bold=bold, quoted=text.lstrip().startswith(_FORMULA))
            )
            return
        exact = (
            values.decimal_of(cell.billionths, values.MONEY_DECIMALS)
            if isinstance(cell, Money)
            else str(cell)
        )
        # A cell's number is a binary fraction; what it cannot say to the last billionth is a text.
        if Decimal(repr(float(exact))) == Decimal(exact):
            number = _NUMBER if isinstance(cell, Money) else _COUNT
            page.write_number(row, column, float(exact), self._format(number, bold=bold))
        else:
            page.write_string(row, column, exact, self._format(bold=bold))
