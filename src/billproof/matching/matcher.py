"""Bills laid against phone logs, step by step as docs/matching.md has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from billproof.matching.assignment import assign
from billproof.matching.candidates import candidates
from billproof.matching.clock import clocks_of, views_of
from billproof.matching.columns import Invoice, check_region, stack
from billproof.matching.copies import copies_of
from billproof.matching.coverage import coverage_of
from billproof.matching.cycle import cycles_of
from billproof.matching.entries import judge_entries
from billproof.matching.joining import join
from billproof.matching.result import Answer, MatchResult, result_of
from billproof.matching.rounding import roundings
from billproof.matching.strays import find_strays, release
from billproof.matching.verdicts import Matched, durations_of, judge

if TYPE_CHECKING:
    from billproof.handset.entries import PhoneLog


def match(invoice: Invoice, logs: Sequence[PhoneLog], *, region: str | None = None) -> MatchResult:
    """Lays a bill against the logs of its subscriber's phones.

    ``region`` (ISO 3166 alpha-2) is where numbers without a country code belong; by default that of most
    numbers of the bill. Raises :class:`billproof.errors.InputError` for a region that does not exist.
    """
    check_region(region)
    return result_of(match_all([(invoice, logs)], region=region), 0, invoice, logs)


def match_all(cases: Sequence[tuple[Invoice, Sequence[PhoneLog]]], *, region: str | None = None) -> Answer:
    """The same for many bills at once, each with its own logs; the answer stays in columns."""
    given = stack(cases, region=region)
    cycles = cycles_of(given)
    views = views_of(given)
    clocks = clocks_of(given, views)
    copies = copies_of(given)
    found = assign(candidates(given, views, clocks, copies), len(given.lines), len(given.entries))
    release(given, found)
    strays = find_strays(given, views, clocks, found, copies)
    joined = join(given, found)
    has = (found >= 0) | (joined.to >= 0)
    coverage = coverage_of(given, views, clocks, has)
    durations = durations_of(given, np.where(strays, -1, found), joined)
    matched = Matched(found, strays, joined)
    said = judge(given, views, clocks, matched, coverage, durations, roundings(given), cycles)
    billed = np.zeros(len(given.entries), bool)
    billed[found[found >= 0]] = True
    entries = judge_entries(given, clocks, billed, copies, cycles)
    return Answer(given, cycles, clocks, found, joined, coverage, durations.bias, said, entries)
