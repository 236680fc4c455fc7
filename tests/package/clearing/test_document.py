"""A clearing's document: adds up to what its books say, however its records are divided."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.books.sides import Sides, sides_of
from billproof.clearing.books.sources import BatchSource
from billproof.clearing.clearing import Clearing, clear
from billproof.clearing.document.document import CauseWords, document, document_of
from billproof.clearing.document.form import File, tree_of
from billproof.clearing.document.reading import load_clear
from billproof.clearing.document.totals import (
    Group,
    Members,
    Rows,
    Totals,
    group_of,
    members_of,
    rows_of,
    sums_of,
    totals_of,
)
from billproof.clearing.document.turned import turned
from billproof.clearing.pairs.differences import Kind
from billproof.errors import InputError
from billproof.records import NANO, Service
from billproof.simulate.partners import SINGLE, SYSTEMATIC, partner_books

_FREE = {"time-zone", "number"}
_CALL = {
    "service": 1, "started_at": 1_790_812_800, "usage": 60, "billed_usage": 60, "number": "+447700900123",
    "network": "", "amount": 5 * NANO, "currency": "EUR", "rate": "",
}  # fmt: skip


def _bytes(file: File) -> bytes:
    return json.dumps(tree_of(file)).encode()


def _in_both(ours: int, theirs: int) -> int:
    """What is undisputed of two amounts."""
    return min(ours, theirs, key=abs) if ours * theirs > 0 else 0


def _one_by_one(clearing: Clearing) -> dict[str, Any]:
    """What the document should say, a record at a time."""
    (ours, theirs), pairs, found = clearing.books, clearing.pairs, clearing.differences
    names = clearing.agreement.route_names
    slices: dict[str, dict[str, Counter[str]]] = {
        key: defaultdict(Counter) for key in ("day", "route", "service")
    }
    traffic: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def count(book: Any, row: int, sums: dict[str, int]) -> None:
        service = Service(int(book.service[row])).name.lower().replace("_", "-")
        day = datetime.fromtimestamp(int(book.started_at[row]), UTC).strftime("%Y-%m-%d")
        for key, value in (("day", day), ("route", names[book.route[row]]), ("service", service)):
            slices[key][value].update(sums)

    for at, (a, b) in enumerate(zip(pairs.ours.tolist(), pairs.theirs.tolist(), strict=True)):
        mine, other = int(ours.settled[a]), int(theirs.settled[b])
        kinds = [kind.word for kind in Kind if int(found.kinds[at]) >> kind & 1]
        about_money = [kind.word for kind in Kind if kind.word not in _FREE]
        paying = next((kind for kind in (*about_money, "number", "time-zone") if kind in kinds), "agreed")
        both = _in_both(mine, other)
        sums = {"ours": mine, "theirs": other, "our": 1, "their": 1, "undisputed": both}
        sums |= {"pairs": 1, "agreed": int(not kinds)}
        count(ours, a, {**sums, f"at {paying}": mine - other})
        key = Service(int(ours.service[a])).name.lower().replace("_", "-"), names[ours.route[a]]
        volume = min(int(ours.billed_usage[a]), int(theirs.billed_usage[b]))
        traffic[key].update({"records": 1, "amount": both, "volume": volume if ours.service[a] < 32 else 0})
    for side, (book, left) in enumerate(((ours, pairs.ours_left), (theirs, pairs.theirs_left))):
        for row, kind in zip(left.tolist(), found.left[side].tolist(), strict=True):
            money = int(book.settled[row])
            own = {"ours": money, "our": 1} if side == 0 else {"theirs": money, "their": 1}
            count(book, row, {**own, f"at {Kind(kind).word}": money if side == 0 else -money})
    return {"slices": slices, "traffic": traffic}


def _told(file: File) -> dict[str, Any]:
    """The same of the document."""
    slices: dict[str, Any] = {}
    for key, entries in (("day", file.days), ("route", file.routes), ("service", file.services)):
        slices[key] = {
            getattr(each, key): Counter(
                {
                    "ours": int(each.ours.total),
                    "theirs": int(each.theirs.total),
                    "our": each.ours.records,
                    "their": each.theirs.records,
                    "undisputed": int(each.undisputed),
                    "pairs": each.pairs,
                    "agreed": each.agreed,
                    **{f"at {kind}": int(money) for kind, money in each.at_stake.items()},
                }
            )
            for each in entries
        }
    traffic = {
        (each.service, each.route): Counter(
            {"records": each.records, "amount": int(each.amount), "volume": int(each.volume)}
        )
        for each in file.traffic
    }
    return {"slices": slices, "traffic": traffic}


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 99),
    kinds=st.lists(st.sampled_from([*SINGLE, *SYSTEMATIC]), unique=True),
    count=st.integers(500, 2000),
)
def test_a_document_says_what_its_records_add_up_to(
    seed: int, kinds: list[str], count: int, cleared: Callable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = cleared(partner_books(count, seed, tuple(kinds)), tmp_path_factory.mktemp("books"))
    file = found.told()
    assert load_clear(_bytes(file)) == file
    assert _told(file) == _one_by_one(found.clearing)


def _amounts(clearing: Clearing, side: int | None, row: int) -> tuple[int, int]:
    """The settled amounts of a pair, or of a record and the one that there is not."""
    ours, theirs = clearing.books
    if side is not None:
        settled = int(clearing.books[side].settled[row])
        return (settled, 0) if side == 0 else (0, settled)
    pairs = clearing.pairs
    return int(ours.settled[pairs.ours[row]]), int(theirs.settled[pairs.theirs[row]])


def _check_claims(clearing: Clearing, file: File) -> None:
    """What a document says is claimed is what its records add up to; with the rest, each book's total."""
    paying = clearing.differences.paying.tolist()
    claims: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    groups = [(cause.kind, cause.side, cause.rows) for cause in clearing.explained.causes]
    groups += [(kind, side, rows) for (kind, side), rows in clearing.explained.findings.items()]
    for number, (kind, side, rows) in enumerate(groups):
        for row in rows.tolist() if kind.word not in _FREE else ():
            if side is None and paying[row] != kind:
                continue
            amounts = _amounts(clearing, side, row)
            for claimant, amount in zip((1, 2), amounts, strict=True):
                if beyond := amount - _in_both(*amounts):
                    one = claims[number, kind.word, claimant, beyond > 0]
                    one[0] += 1
                    one[1] += beyond
    expected = sorted((kind, claimant, *of) for (_, kind, claimant, _), of in claims.items())
    found = [(each.kind, each.claimant, each.count, int(each.amount)) for each in file.disputes]
    assert sorted(found) == expected
    undisputed = sum(int(each.amount) for each in file.traffic)
    for side, of in enumerate(file.sides):
        tolerated = 0
        for row, kind in enumerate(paying):
            if kind < 0 or Kind(kind).word in _FREE:
                amounts = _amounts(clearing, None, row)
                tolerated += amounts[side] - _in_both(*amounts)
        claimed = sum(int(each.amount) for each in file.disputes if each.claimant == side + 1)
        assert int(of.tolerated) == tolerated
        assert int(of.total) == undisputed + claimed + tolerated


def test_disputes_are_what_either_book_has_beyond_what_is_in_both(cleared: Callable) -> None:
    found = cleared(partner_books(20_000, 5, (*SINGLE, *SYSTEMATIC)))
    _check_claims(found.clearing, found.told())
    assert len({each.claimant for each in found.told().disputes}) == 2


@pytest.mark.parametrize(
    ("ours", "theirs", "undisputed", "claims"),
    [
        (100, -1_000_000, 0, {(1, 100), (2, -1_000_000)}),
        (-10, -1000, -10, {(2, -990)}),
        (-1000, -10, -10, {(1, -990)}),
        (10, 1000, 10, {(2, 990)}),
        (0, -7, 0, {(2, -7)}),
        (7, 0, 0, {(1, 7)}),
        (None, -7, 0, {(2, -7)}),
        (-7, None, 0, {(1, -7)}),
        (None, 7, 0, {(2, 7)}),
    ],
)
def test_no_side_draws_money_by_an_amount_of_its_own(
    ours: int | None, theirs: int | None, undisputed: int, claims: set[tuple[int, int]],
    tmp_path: Path, agreement: Agreement,
) -> None:  # fmt: skip
    books = []
    for amount in (theirs, ours):
        rows = [{**_CALL, "number": "+447700900999"}]
        rows += [] if amount is None else [{**_CALL, "amount": amount * NANO}]
        books.append(rows)
    clearing, sides = _cleared((books[0], books[1]), tmp_path, agreement)
    file = document(clearing, sides)
    assert load_clear(_bytes(file)) == file
    assert sum(int(each.amount) for each in file.traffic) == (5 + undisputed) * NANO
    found = {(each.claimant, int(each.amount)) for each in file.disputes}
    assert found == {(claimant, amount * NANO) for claimant, amount in claims}
    assert (file.ours.tolerated, file.theirs.tolerated) == ("0", "0")


def test_what_is_within_tolerance_is_told_of_either_book(tmp_path: Path, agreement: Agreement) -> None:
    most = agreement.tolerance.amount
    assert most > 2
    clearing, sides = _cleared(
        ([{**_CALL, "amount": -1}], [{**_CALL, "amount": most - 1}]), tmp_path, agreement
    )
    file = document(clearing, sides)
    assert load_clear(_bytes(file)) == file
    assert (file.disputes, file.agreed, file.ours.tolerated, file.theirs.tolerated) == (
        [], 1, "-1", str(most - 1),
    )  # fmt: skip


def test_books_that_agree_have_nothing_to_dispute(cleared: Callable) -> None:
    file = cleared(partner_books(2_000, 5, ())).told()
    assert (file.agreed, file.disputes, file.causes, file.findings) == (file.pairs, [], [], [])


def _divided(clearing: Clearing, parts: int, seed: int) -> list[Totals]:
    """The sums of a clearing whose records were dealt into parts, in any order."""
    random = np.random.default_rng(seed)
    found: list[Totals] = []

    def some(columns: Any, names: list[str], rows: np.ndarray) -> Any:
        return replace(columns, **{name: getattr(columns, name)[rows] for name in names})

    for rows in rows_of(clearing):
        part = random.integers(0, parts, len(rows.day))
        names = [name for name in Rows.__dataclass_fields__ if name != "side"]
        found += [sums_of(some(rows, names, np.flatnonzero(part == at))) for at in range(parts)]
    for members in members_of(clearing):
        part = random.integers(0, parts, len(members.money))
        for at in range(parts):
            here = random.permutation(np.flatnonzero(part == at))
            if len(here):
                group = group_of(
                    Members(
                        members.of,
                        members.ours[here],
                        members.theirs[here],
                        tuple(column[here] for column in members.rank),
                        lambda row, here=here, record=members.record: record(int(here[row])),
                    )
                )
                found.append(Totals(groups={members.of: group}))
    return [found[at] for at in random.permutation(len(found))]


@pytest.mark.parametrize("parts", [2, 7])
def test_sums_of_parts_make_the_same_document(parts: int, cleared: Callable) -> None:
    found = cleared(partner_books(6_000, 8, (*SINGLE, *SYSTEMATIC)))
    clearing, file = found.clearing, found.told()
    sides = sides_of(clearing.books, clearing.agreement, operator=1, period=202610)
    totals = sum(_divided(clearing, parts, parts), Totals())
    assert totals == totals_of(clearing)
    causes = [
        CauseWords(cause.kind, cause.side, told.words, cause.services, told.dimension, told.value, cause.what)
        for cause, told in zip(clearing.explained.causes, file.causes, strict=True)
    ]
    assert _bytes(document_of(totals, causes, clearing.agreement, sides)) == _bytes(file)


def test_of_equal_money_the_first_by_batch_and_row_are_shown() -> None:
    def group(rows: list[tuple[int, str, int]]) -> Group:
        money = np.array([row[0] for row in rows], np.int64)
        order = {text: at for at, text in enumerate(sorted({row[1] for row in rows}))}
        rank = np.array([order[row[1]] for row in rows]), np.array([row[2] for row in rows])
        return group_of(
            Members(
                (0, Kind.RATE, None),
                money + 1,
                np.ones_like(money),
                rank,
                lambda at: {"ours": {"batch": rows[at][1], "row": rows[at][2]}},
            )
        )

    rows = [(5, "b", 1), (5, "a", 9), (-5, "a", 3), (5, "b", 0), (7, "z", 8), (1, "a", 0)]
    expected = [(7, "z", 8), (-5, "a", 3), (5, "a", 9)]

    def shown(found: Group) -> list[tuple[int, str, int]]:
        return [(money, of["ours"]["batch"], of["ours"]["row"]) for money, of in found.examples]

    assert shown(group(rows)) == expected
    assert shown(group(rows[:3]) + group(rows[3:])) == expected
    assert shown(group(rows[3:]) + group(rows[:3])) == expected


def test_sums_leave_64_bits() -> None:
    most = np.full(3, (1 << 62) - 1, np.int64)
    none = np.zeros(3, np.int64)
    rows = Rows(
        0, none.astype(np.uint8) + 1, none.astype(np.int32), none, most, none, none,
        np.full(3, 1 << Kind.MISSING, np.uint16), np.full(3, Kind.MISSING, np.int8),
    )  # fmt: skip
    (sums,) = sums_of(rows).places.values()
    assert sums.totals == (3 * ((1 << 62) - 1), 0)
    assert sums.at_stake[1 + Kind.MISSING] == sums.totals[0]


def test_a_book_of_thousands_of_days_is_refused() -> None:
    days = np.arange(5_000)
    none = np.zeros(5_000, np.int64)
    rows = Rows(
        0, none.astype(np.uint8) + 1, none.astype(np.int32), days, none, none, none,
        np.full(5_000, 1 << Kind.MISSING, np.uint16), np.full(5_000, Kind.MISSING, np.int8),
    )  # fmt: skip
    with pytest.raises(InputError, match="records of 5,000 days"):
        sums_of(rows)


_RECORD = st.fixed_dictionaries(
    {
        "service": st.sampled_from([1, 4, 6, 32, 36]),
        "started_at": st.integers(1_790_812_800, 1_790_813_400) | st.integers(0, 253_402_300_799),
        "usage": st.sampled_from([1, 60, 61, 90_000]),
        "billed_usage": st.sampled_from([1, 60, 90_000]),
        "number": st.sampled_from(["+447700900123", "+33639980001", "", "+4477xxx\u202e", "171"]),
        "network": st.sampled_from(["", "999-71", "999-72"]),
        "amount": st.integers(-(10**12), 10**12),
        "currency": st.sampled_from(["EUR", "GBP"]),
        "rate": st.sampled_from(["", "peak"]),
    }
)
_BOOK = st.lists(_RECORD, min_size=1, max_size=30)


def _cleared(books: tuple[list[dict], ...], home: Path, agreement: Agreement) -> tuple[Clearing, Sides]:
    codes = Codes()
    loaded = []
    for name, rows in zip(("a", "b"), books, strict=True):
        pq.write_table(pa.Table.from_pylist(rows), home / f"{name}.parquet")
        loaded.append(load_book(home / f"{name}.parquet", agreement, codes))
    both = loaded[0], loaded[1]
    sides = sides_of(both, agreement, operator=2, payer=0)
    return clear(*sides.turned(both), agreement, codes), sides


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(books=st.tuples(_BOOK, _BOOK))
def test_the_document_of_any_books_can_be_read(
    books: tuple[list[dict], list[dict]], tmp_path: Path, agreement: Agreement
) -> None:
    clearing, sides = _cleared(books, tmp_path, agreement)
    file = document(clearing, sides)
    assert load_clear(_bytes(file)) == file
    assert turned(turned(file)) == file
    assert _told(turned(file)) == _one_by_one(clearing)
    _check_claims(clearing, turned(file))
    assert (file.payer, file.ours.operator, file.period) == (2, 2, None)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("service", 99, "service 99"),
        ("started_at", -1, "between 1970 and 9999"),
        ("started_at", 1 << 60, "between 1970 and 9999"),
    ],
)
def test_what_a_document_cannot_say_is_refused(
    column: str, value: int, message: str, tmp_path: Path, agreement: Agreement
) -> None:
    record = {**_CALL, column: value}
    with pytest.raises(InputError, match=message):
        document(*_cleared(([record], [record]), tmp_path, agreement))


def test_sums_that_leave_64_bits_are_exact(tmp_path: Path, agreement: Agreement) -> None:
    """Of pairs, of records without one, and of what is claimed."""
    large = (1 << 62) - 1
    record = {
        "service": 1, "started_at": 1_790_812_800, "usage": 60, "billed_usage": 60, "number": "+447700900123",
        "network": "", "amount": large, "currency": "EUR", "rate": "",
    }  # fmt: skip
    pairs = [{**record, "started_at": record["started_at"] + 3600 * at} for at in range(5)]
    alone = [{**record, "number": "+33639980001", "usage": 900 + 100 * at} for at in range(5)]
    file = document(*_cleared((pairs + alone, [{**one, "amount": 1} for one in pairs]), tmp_path, agreement))
    assert (file.ours.total, file.theirs.total) == (str(10 * large), "5")
    assert int(file.difference) == 10 * large - 5
    assert {(each.kind, each.amount) for each in file.disputes} == {
        ("rate", str(5 * (large - 1))),
        ("missing", str(5 * large)),
    }
    assert load_clear(_bytes(file)) == file


def _source(operator: int, **more: Any) -> BatchSource:
    given = {"period": 202610, "region": 1, "sequence": 0, "chain_id": 1, "ledger": "0x" + "ab" * 20, **more}
    return BatchSource(operator, root=bytes(32), account="partner", path=Path("store"), **given)


def _with(clearing: Clearing, ours: list[BatchSource], theirs: list[BatchSource]) -> Any:
    return tuple(
        replace(book, sources=dict(enumerate(sources)))
        for book, sources in zip(clearing.books, (ours, theirs), strict=True)
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Clearing:
    """Two books of nothing but what who is who needs."""
    from billproof.clearing.agreement.agreement import load_agreement
    from billproof.simulate.partners import AGREEMENT

    home = tmp_path_factory.mktemp("small")
    agreement, codes = load_agreement(AGREEMENT.encode()), Codes()
    ours, theirs, _ = partner_books(50, 1, ()).write(home)
    return clear(load_book(ours, agreement, codes), load_book(theirs, agreement, codes), agreement, codes)


@pytest.mark.parametrize(
    ("ours", "theirs", "given", "message"),
    [
        ([], [], {}, "whose books"),
        ([], [], {"operator": 3}, "operator 3 is no party"),
        ([_source(3)], [_source(2)], {}, "operator 3 is no party"),
        ([_source(1)], [_source(1)], {}, "operator 1's as the first"),
        ([_source(1)], [_source(2)], {"operator": 2}, "our book is operator 1's"),
        ([], [_source(2)], {"operator": 2}, "our book is operator 1's"),
        ([_source(1)], [_source(2, period=202609)], {}, "2026-09, 2026-10"),
        ([_source(1)], [_source(2)], {"period": 202609}, "2026-09, 2026-10"),
        ([_source(1, period=202710)], [_source(2, period=202710)], {}, "no month 2027-10"),
        ([_source(1)], [_source(2, chain_id=5)], {}, "on chain 5"),
        ([_source(1)], [_source(2, ledger="0x" + "cd" * 20)], {}, "of the ledger 0xcd"),
    ],
)
def test_books_that_are_not_the_two_parties_of_one_month_are_refused(
    ours: list[BatchSource], theirs: list[BatchSource], given: dict, message: str, small: Clearing
) -> None:
    with pytest.raises(InputError, match=message):
        sides_of(_with(small, ours, theirs), small.agreement, **given)


def test_batches_say_who_is_who(small: Clearing) -> None:
    two = [_source(2, region=2), _source(2, sequence=3), _source(2, region=2)]  # of one batch two accounts
    books = _with(small, two, [_source(1, ledger="0x" + "AB" * 20)])
    file = document(replace(small, books=books), sides_of(books, small.agreement))
    assert (file.ours.operator, file.ours.name, file.theirs.name) == (2, "Skylark", "Meridian")
    assert (file.period, file.payer) == ("202610", 1)
    assert [(each.region, each.sequence) for each in file.ours.batches] == [("1", "3"), ("2", "0")]
    assert load_clear(_bytes(file)) == file
    alone = sides_of(_with(small, [], [_source(2)]), small.agreement, payer=0)
    assert ([side.party.operator for side in alone.both], alone.ours) == ([2, 1], 1)
    assert document(small, alone).payer == 1
