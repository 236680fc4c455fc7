#!/usr/bin/env python3
"""Write the vectors of bills laid against phone logs, `tests/vectors/matching/*.json`.

What must become of each line and entry is stated by hand where a case is made (`tools/matching_cases.py`),
and this fails when the package says otherwise; the rest of each result (medians, most stakes) is the
package's, for other implementations to agree with. `--check` writes nothing and fails when a file differs.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matching_case import Case
from matching_cases import cases

from billproof.handset.entries import ENTRY_SCHEMA, PhoneLog
from billproof.matching import Invoice, match

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests/vectors/matching"

_FAULTS: list[str] = []


def invoice_of(document: dict[str, Any]) -> Invoice:
    """The bill of a vector."""
    lines = document["lines"]

    def ints(name: str) -> Any:
        return np.array([int(line[name]) for line in lines], np.int64)

    return Invoice(
        period=document["period"],
        currency=document["currency"],
        service=ints("service"),
        started_at=ints("startedAt"),
        utc_offset=ints("utcOffset"),
        usage=ints("usage"),
        billed_usage=ints("billedUsage"),
        number=pa.array([line["number"] for line in lines], pa.string()),
        amount=ints("amount"),
        rate=pa.array([line["rate"] for line in lines], pa.string()),
        corrects=np.array([int(line["corrects"], 16) != 0 for line in lines], bool),
    )


def log_of(document: dict[str, Any]) -> PhoneLog:
    """A phone log of a vector."""
    entries = document["entries"]
    columns = {name: [entry[name] for entry in entries] for name in ENTRY_SCHEMA.names}
    return PhoneLog(
        document["name"],
        document["format"],
        document["clock"],
        document["step"],
        document["durationStep"],
        document["exportedAt"],
        pa.table({name: pa.array(values) for name, values in columns.items()}).cast(ENTRY_SCHEMA)
        if entries
        else ENTRY_SCHEMA.empty_table(),
    )


def answer(vector: dict[str, Any]) -> dict[str, Any]:
    """What the package says of a vector's input."""
    logs = [log_of(log) for log in vector["logs"]]
    return match(invoice_of(vector["invoice"]), logs, region=vector.get("region")).document()


def vector_of(case: Case) -> dict[str, Any]:
    """The case with its result, once that agrees with what the case states by hand."""
    vector = case.document()
    result = answer(vector)
    for line, wanted in zip(result["lines"], case.wanted_lines, strict=True):
        for field, value in wanted.items():
            _agree(case, f"line {line['index']} {field}", line[field], value)
    for log, (entries, wants) in enumerate(zip(result["entries"], case.wanted_entries, strict=True)):
        for at, (entry, want) in enumerate(zip(entries, wants, strict=True)):
            if want is not None:
                _agree(case, f"entry {log}.{at}", entry["class"], want)
    for path, value in case.facts.items():
        found: Any = result
        for step in path.split("."):
            found = found[int(step)] if isinstance(found, list) else found[step]
        _agree(case, path, found, value)
    return {**vector, "expected": result}


def _agree(case: Case, place: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        _FAULTS.append(f"{case.name}: {place} is {found!r}, but the case says {wanted!r}")


def text_of(vector: dict[str, Any]) -> str:
    """JSON with a line for each line, entry and judgement, so that differences are readable."""

    def rows(values: list[Any], indent: str) -> str:
        inner = ",\n".join(f"{indent} {json.dumps(value, ensure_ascii=False)}" for value in values)
        return f"[\n{inner}\n{indent}]" if values else "[]"

    held: list[str] = []

    def hold(values: list[Any]) -> str:
        held.append(rows(values, "   "))
        return f"@{len(held) - 1}@"

    shown = json.loads(json.dumps(vector))
    shown["invoice"]["lines"] = hold(shown["invoice"]["lines"])
    for log in shown["logs"]:
        log["entries"] = hold(log["entries"])
    shown["expected"]["lines"] = hold(shown["expected"]["lines"])
    shown["expected"]["entries"] = [hold(entries) for entries in shown["expected"]["entries"]]
    text = json.dumps(shown, indent=1, ensure_ascii=False)
    for at, part in enumerate(held):
        text = text.replace(f'"@{at}@"', part)
    return text + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file differs")
    check = parser.parse_args().check
    VECTORS.mkdir(parents=True, exist_ok=True)
    made = {f"{case.name}.json": text_of(vector_of(case)) for case in cases()}
    if _FAULTS:
        sys.exit("\n".join(_FAULTS))
    stale = {path.name for path in VECTORS.glob("*.json")} - made.keys()
    for name, text in made.items():
        path = VECTORS / name
        if check and (not path.exists() or path.read_text() != text):
            sys.exit(f"{path} differs from what the package says: run tools/make_matching_vectors.py")
        if not check:
            path.write_text(text)
    for name in stale:
        if check:
            sys.exit(f"{VECTORS / name} belongs to no case")
        (VECTORS / name).unlink()
    print(f"{len(made)} vectors {'agree' if check else 'written'}")


if __name__ == "__main__":
    main()
