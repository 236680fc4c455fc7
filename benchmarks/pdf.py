"""Times invoices: how many are printed a second, on one core and on all, and how long one takes to compare.

    python benchmarks/pdf.py --invoices 1000 --lines 60

Prints one line of JSON. All cores means `bundles --pdf`'s way, the start of its processes included.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import time
from pathlib import Path
from typing import Any

from billproof.bundle import documents as doc
from billproof.bundle.page import compare
from billproof.bundle.pdf import Look, Printer, print_all
from billproof.bundle.pdfread import PdfFile

VECTORS = Path(__file__).parents[1] / "tests/vectors/batch.json"
LOOK = Look("de_DE", "Meridian", "https://check.example/")


def bundles(count: int, lines: int) -> list[tuple[str, bytes]]:
    """Bundles whose lines differ as those of a month do."""
    dice = random.Random(1)  # noqa: S311
    held: Any = json.loads(VECTORS.read_bytes())["bundles"]["1001"]
    found = []
    for number in range(count):
        bundle = copy.deepcopy(held)
        bundle["account"]["accountId"] = f"M{number:07}"
        bundle["records"] = [
            {
                **held["records"][dice.randrange(len(held["records"]))],
                "index": str(index),
                "startedAt": str(1_790_800_000 + 43_000 * index + dice.randrange(43_000)),
                "number": f"+4930{dice.randrange(10**8):08}",
                "amount": str(10_000_000 * dice.randrange(1, 999)),
                "salt": "0x" + dice.randbytes(32).hex(),
                "hash": "0x" + dice.randbytes(32).hex(),
            }
            for index in range(lines)
        ]
        found.append((str(number), doc.encode(bundle)))
    return found


def main() -> None:
    """Parses the arguments and prints every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--invoices", type=int, default=1000)
    parser.add_argument("--lines", type=int, default=60)
    given = parser.parse_args()
    files = bundles(given.invoices, given.lines)
    alone = files[: max(1, given.invoices // 10)]
    printer = Printer(LOOK)
    printer.invoice(files[0][1])
    start = time.process_time()
    made = [printer.invoice(content) for _, content in alone]
    one_core = len(alone) / (time.process_time() - start)
    start = time.perf_counter()
    count = sum(1 for _ in print_all(iter(files), LOOK))
    all_cores = count / (time.perf_counter() - start)
    content = files[0][1]
    bundle = doc.parse(content)
    assert isinstance(bundle, doc.Bundle)  # noqa: S101
    start = time.perf_counter()
    compare(PdfFile(made[0]), content, bundle)
    figures = {
        "invoices a second of one core": one_core,
        "invoices a second, all cores": all_cores,
        "seconds to compare one": time.perf_counter() - start,
        "bytes of one": len(made[0]),
    }
    print(json.dumps({name: float(f"{value:.4g}") for name, value in figures.items()}))


if __name__ == "__main__":
    main()
