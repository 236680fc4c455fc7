"""Each line at most one entry, each entry at most one line, at the least cost (docs/matching.md, section 6).

Lines and entries that are candidates fall into small groups; nearly all have one line or one entry, which
columns settle at once. The others go, one by one, to a solver in whole numbers.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from billproof.matching.candidates import ALONE, Pairs
from billproof.matching.windows import starts_of

Ints = NDArray[np.int64]


def assign(pairs: Pairs, lines: int, entries: int) -> Ints:
    """The entry of each line, -1 for none."""
    found = np.full(lines, -1, np.int64)
    of_line = np.bincount(pairs.line, minlength=lines)
    of_entry = np.bincount(pairs.entry, minlength=entries)
    single = (of_line[pairs.line] == 1) & (of_entry[pairs.entry] == 1)
    found[pairs.line[single]] = pairs.entry[single]
    rest = np.flatnonzero(~single)
    if not len(rest):
        return found
    line, entry, cost = pairs.line[rest], pairs.entry[rest], pairs.cost[rest]
    part = _components(line, entry)
    order = np.lexsort((entry, line, part))
    line, entry, cost, part = line[order], entry[order], cost[order], part[order]
    starts = starts_of(part)
    ends = np.append(starts[1:], len(part))
    one_line = line[starts] == line[ends - 1]
    one_entry = np.minimum.reduceat(entry, starts) == np.maximum.reduceat(entry, starts)
    simple = np.repeat(one_line | one_entry, ends - starts)
    cheap = np.flatnonzero(simple)
    best = cheap[
        np.lexsort((cheap, cost[cheap], part[cheap]))
    ]  # in a part, the first of equals is first in order
    best = best[starts_of(part[best])]
    found[line[best]] = entry[best]
    for first, end in zip(
        starts[~(one_line | one_entry)].tolist(), ends[~(one_line | one_entry)].tolist(), strict=True
    ):
        chosen = solve(line[first:end].tolist(), entry[first:end].tolist(), cost[first:end].tolist())
        for of, to in chosen.items():
            found[of] = to
    return found


def _components(line: Ints, entry: Ints) -> Ints:
    """A number for each pair, the same for pairs that hang together."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for of, to in zip(line.tolist(), entry.tolist(), strict=True):
        one, two = root(of), root(-1 - to)
        if one != two:
            parent[two] = one
    return np.array([root(of) for of in line.tolist()], np.int64)


def solve(line: Sequence[int], entry: Sequence[int], cost: Sequence[int]) -> dict[int, int]:
    """The best entry of each line that gets one, given the pairs there are.

    The least sum of costs, of 1500 for a line without entry; of equal ones the first in lexicographic order
    of entries by line. Shortest augmenting paths find one of least cost, and with it the pairs that any of
    least cost may have (those whose price the potentials leave nothing of). Among these, line by line takes
    the first entry with which the lines after it still find theirs.
    """
    rows = sorted(set(line))
    columns = sorted(set(entry))
    row_of = {key: at for at, key in enumerate(rows)}
    column_of = {key: at for at, key in enumerate(columns)}
    edges: list[dict[int, int]] = [{} for _ in rows]
    for of, to, price in zip(line, entry, cost, strict=True):
        edges[row_of[of]][column_of[to]] = price
    for row in range(len(rows)):  # a column of its own for each row: no entry
        edges[row][len(columns) + row] = ALONE
    taken, level, height = _shortest_paths(edges, len(columns) + len(rows))
    tight = [
        sorted(column for column, price in of.items() if price == level[row] + height[column])
        for row, of in enumerate(edges)
    ]
    _first_in_order(tight, taken, [at for at, value in enumerate(height) if not value])
    return {rows[row]: columns[column] for column, row in taken.items() if column < len(columns)}


def _first_in_order(tight: list[list[int]], taken: dict[int, int], idle: list[int]) -> None:
    """Changes ``taken`` to the first in order of the assignments that use ``tight`` pairs alone.

    All but the ``idle`` columns stay taken: they have a potential that only a row's price pays for.
    """
    held = {row: column for column, row in taken.items()}
    fixed: set[int] = set()  # columns of rows before
    for row in range(len(tight)):
        dead: set[int] = set()  # columns from which no other way leads on, this row's being free
        for column in tight[row]:
            if column == held[row]:
                break
            if column not in fixed and _moved(row, column, tight, taken, held, fixed, idle, dead):
                break
        fixed.add(held[row])


def _moved(
    row: int,
    column: int,
    tight: list[list[int]],
    taken: dict[int, int],
    held: dict[int, int],
    fixed: set[int],
    idle: list[int],
    dead: set[int],
) -> bool:
    """Gives a column to a row, if its holder can go on, and so on to the one that the row leaves.

    A column that is free may go on being free elsewhere: as any of ``idle``.
    """
    left = held[row]
    before: dict[int, int] = {}  # the column whose holder goes to a column
    waiting = [] if column in dead else [column]
    seen = {column}
    end = -1
    while waiting and end < 0:
        at = waiting.pop()
        if at == left:
            end = at
            break
        for further in tight[taken[at]] if at in taken else idle:
            if further not in seen and further not in fixed and further not in dead:
                seen.add(further)
                before[further] = at
                waiting.append(further)
    if end < 0:
        dead |= seen
        return False
    del taken[left]
    while end != column:
        origin = before[end]
        if origin in taken:
            mover = taken[origin]
            taken[end], held[mover] = mover, end
        else:
            taken.pop(end, None)
        end = origin
    taken[column], held[row] = row, column
    return True


def _shortest_paths(edges: list[dict[int, int]], columns: int) -> tuple[dict[int, int], list[int], list[int]]:
    """The row of each column taken, every row having one, at the least sum of prices (all ≥ 0).

    And the potentials of rows and of columns, which prove it.
    """
    taken: dict[int, int] = {}
    held_by: dict[int, int] = {}
    height = [0] * columns  # potentials of columns
    level = [0] * len(edges)  # and of rows: price - level - height is never negative
    for start in range(len(edges)):
        distance: dict[int, int] = {}
        before: dict[int, int] = {}
        done: dict[int, int] = {}
        heap: list[tuple[int, bool, int]] = []  # of equals, free columns first: the search ends there
        row, base = start, 0
        reached = {start: 0}
        while True:
            for column, price in edges[row].items():
                if column in done:
                    continue
                far = base + price - level[row] - height[column]
                if column not in distance or far < distance[column]:
                    distance[column], before[column] = far, row
                    heapq.heappush(heap, (far, column in taken, column))
            base, _, column = heapq.heappop(heap)
            while column in done:
                base, _, column = heapq.heappop(heap)
            done[column] = base
            if column not in taken:
                break
            row = taken[column]
            reached[row] = base
        for other, far in reached.items():
            level[other] += base - far
        for other, far in done.items():
            height[other] -= base - far
        while True:
            row = before[column]
            held = held_by.get(row, -1)
            taken[column], held_by[row] = row, column
            if row == start:
                break
            column = held
    return taken, level, height
