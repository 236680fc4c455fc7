"""Two books of any records, for the properties of clearings."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Book, Codes, load_book

RECORD = st.fixed_dictionaries(
    {
        "service": st.sampled_from([1, 4, 6, 32]),
        "started_at": st.integers(1_790_812_800, 1_790_813_400) | st.integers(1_790_812_800, 1_790_900_000),
        "usage": st.sampled_from([1, 30, 60, 61, 90_000, 5_000_000]),
        "billed_usage": st.sampled_from([1, 60, 61, 90_000]),
        "number": st.sampled_from(["+447700900123", "+33639980001", "447700900123", "", "+4477xxx", "171"]),
        "network": st.sampled_from(["", "999-71", "999-72"]),
        "amount": st.integers(-(10**12), 10**12),
        "currency": st.sampled_from(["EUR", "GBP"]),
        "rate": st.sampled_from(["", "peak"]),
    }
)
#: Two books of any records.
BOOKS = st.tuples(*[st.lists(RECORD, min_size=1, max_size=40)] * 2)


def book_of(rows: list[dict], home: Path, name: str, agreement: Agreement, codes: Codes) -> Book:
    """A book of some records, read from a file."""
    table = pa.Table.from_pylist(rows)
    path = home / f"{name}.parquet"
    pq.write_table(table, path)
    return load_book(path, agreement, codes)
