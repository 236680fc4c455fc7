"""How fast two partners' books are cleared, and what memory it takes.

Prints one JSON line. `python benchmarks/clearing.py [RECORDS]`; two threads sort, everything else is one.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_SEED = 1
_WRITE = "--write"


def write(records: int, home: Path) -> None:
    """Simulated books with all errors."""
    from billproof.simulate.partners import partner_books

    partner_books(records, _SEED).write(home)


def measured(home: Path) -> dict[str, object]:
    """Seconds to read and to clear, of the clock and of the processor, and the most memory."""
    from billproof.clearing.agreement import load_agreement
    from billproof.clearing.books import Codes, load_book
    from billproof.clearing.clearing import clear

    agreement, codes = load_agreement(home / "agreement.toml"), Codes()
    start, used = time.perf_counter(), time.process_time()
    books = [load_book(home / side, agreement, codes) for side in ("ours", "theirs")]
    read = time.perf_counter()
    found = clear(books[0], books[1], agreement, codes)
    end = time.perf_counter()
    return {
        "pairs": len(found.pairs.ours),
        "causes": len(found.explained.causes),
        "read_seconds": round(read - start, 2),
        "clear_seconds": round(end - read, 2),
        "processor_seconds": round(time.process_time() - used, 2),
        "records_per_second": round(len(books[0]) / (end - start)),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20), 2),
    }


def main() -> None:
    if sys.argv[1:2] == [_WRITE]:
        write(int(sys.argv[2]), Path(sys.argv[3]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as home:
        # in a process of its own, or making the books would be measured as memory
        subprocess.run([sys.executable, __file__, _WRITE, str(count), home], check=True)
        figures = measured(Path(home))
    print(json.dumps({"benchmark": "clearing", "records": count, **figures}))


if __name__ == "__main__":
    main()
