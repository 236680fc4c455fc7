"""What a match says, for people: a page to read and print, a letter to send, rows for a spreadsheet.

All three take the result of docs/matching.md, section 11, as plain objects, and the bundle that it is of.
"""

from billproof.matching.report.letter import letter
from billproof.matching.report.page import html_report
from billproof.matching.report.sheet import csv_rows

__all__ = ["csv_rows", "html_report", "letter"]
