"""The assignment is the best there is, and of equals the first in order: against trying everything."""

import time
from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.matching.assignment import assign, solve
from billproof.matching.candidates import ALONE, Pairs

NONE = float("inf")


def by_trying(line, entry, cost):
    options = defaultdict(list)
    for of, to, price in zip(line, entry, cost, strict=True):
        options[of].append((to, price))
    rows = sorted(options)
    best = None

    def walk(at, total, chosen):
        nonlocal best
        if at == len(rows):
            best = min(best or (total, chosen), (total, chosen))
            return
        for to, price in options[rows[at]]:
            if to not in chosen:
                walk(at + 1, total + price, [*chosen, to])
        walk(at + 1, total + ALONE, [*chosen, NONE])

    walk(0, 0, [])
    return {row: to for row, to in zip(rows, best[1], strict=True) if to != NONE}


pairs = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
    st.sampled_from([0, 0, 10, 20, 30, 700, 1499]) | st.integers(0, ALONE - 1),
    min_size=1,
    max_size=20,
)


@settings(max_examples=300, deadline=None)
@given(pairs)
def test_solver_agrees_with_trying_everything(given_pairs):
    line, entry = (list(column) for column in zip(*sorted(given_pairs), strict=True))
    cost = [given_pairs[key] for key in sorted(given_pairs)]
    assert solve(line, entry, cost) == by_trying(line, entry, cost)


def test_equals_settled_by_lines_that_stay_alone():
    given_pairs = {
        (0, 0): 1499,
        (0, 3): 750,
        (1, 0): 0,
        (1, 1): 750,
        (1, 3): 750,
        (2, 3): 1499,
        (3, 0): 750,
        (4, 0): 1499,
        (4, 2): 0,
        (4, 3): 0,
        (5, 0): 0,
        (5, 1): 700,
        (5, 2): 700,
        (5, 3): 750,
        (6, 1): 750,
        (7, 0): 700,
        (7, 1): 1499,
        (7, 2): 700,
        (8, 0): 0,
        (8, 1): 700,
        (8, 2): 700,
        (8, 3): 700,
        (9, 3): 700,
        (10, 1): 0,
        (10, 2): 750,
        (10, 3): 0,
    }
    line, entry = (list(column) for column in zip(*sorted(given_pairs), strict=True))
    cost = [given_pairs[key] for key in sorted(given_pairs)]
    assert solve(line, entry, cost) == by_trying(line, entry, cost)


@settings(max_examples=200, deadline=None)
@given(pairs)
def test_columns_and_solver_agree(given_pairs):
    line, entry = (np.array(column) for column in zip(*sorted(given_pairs), strict=True))
    cost = np.array([given_pairs[key] for key in sorted(given_pairs)])
    found = assign(Pairs(line, entry, cost), 6, 6)
    assert {at: to for at, to in enumerate(found.tolist()) if to >= 0} == by_trying(
        line.tolist(), entry.tolist(), cost.tolist()
    )


def test_a_large_tangle_is_solved():
    count = 120  # as many messages to one number within five minutes
    line, entry = np.divmod(np.arange(count * count), count)
    cost = 2 * np.abs(line - entry) + 5
    found = assign(Pairs(line, entry, cost), count, count)
    assert found.tolist() == list(range(count))


def test_hundreds_of_identical_messages_are_solved():
    count = 800
    line, entry = np.divmod(np.arange(count * count), count)
    start = time.monotonic()
    for lines, entries in ((count, count), (count, count // 2), (count // 2, count)):
        chosen = (line < lines) & (entry < entries)
        found = assign(Pairs(line[chosen], entry[chosen], np.full(chosen.sum(), 7)), lines, entries)
        least = min(lines, entries)
        assert found.tolist() == list(range(least)) + [-1] * (lines - least)
    assert time.monotonic() - start < 20
