"""A clearing's report as a test reads it: tables with their money, bars with their lengths."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree as ET

from page_tree import text_of, tree_of

NANO = 10**9


class Report:
    """A report, read."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.tree = tree_of(page)

    def table(self, caption: str) -> ET.Element:
        """The table of a caption."""
        (found,) = (one for one in self.tree.iter("table") if text_of(one.find("caption")) == caption)
        return found

    def rows(self, caption: str) -> list[list[int]]:
        """The money in the rows of a table."""
        rows = [_money(row) for row in self.table(caption).findall("tbody/tr")]
        return [row for row in rows if row]

    def money(self, caption: str) -> tuple[list[list[int]], list[int]]:
        """The same, and in its last row."""
        return self.rows(caption), _money(self.table(caption).find("tfoot/tr"))

    def chart(self, title: str) -> ET.Element:
        """The picture of a title."""
        (found,) = (one for one in self.tree.iter("svg") if one.findtext("title") == title)
        return found

    def bars(self, title: str) -> list[tuple[str, float, float]]:
        """Style, left and right of each bar, in per cent."""
        rects = [one.attrib for one in self.chart(title).iter("rect")]
        return [(one["class"], left := _percent(one["x"]), left + _percent(one["width"])) for one in rects]


def _money(row: ET.Element) -> list[int]:
    """Of a row's own cells: not of tables within them."""
    found = [cell.find("data") for cell in row]
    return [int(Decimal(one.attrib["value"]) * NANO) for one in found if one is not None]


def _percent(text: str) -> float:
    assert text.endswith("%")
    return float(text[:-1])
