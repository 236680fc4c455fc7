"""A bill laid against what phones have logged: docs/matching.md."""

from billproof.matching.columns import Invoice
from billproof.matching.matcher import match
from billproof.matching.result import MatchedEntry, MatchedLine, MatchedLog, MatchResult

__all__ = ["Invoice", "MatchResult", "MatchedEntry", "MatchedLine", "MatchedLog", "match"]
