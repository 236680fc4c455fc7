"""What accounts carry over of their allowances, from one cycle to the next (``docs/tariff.md``, section 6).

The file is a CSV with the columns account, allowance, left and age: units of usage that were carried for
``age`` cycles by now. What is oldest is used first, and lost first.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from billproof.errors import InputError
from billproof.intake.keys import nearest
from billproof.tariff.model import Allowance, Tariff

#: Of one account and allowance: (age, units), the oldest first.
Parts = tuple[tuple[int, int], ...]

#: (account, place of the allowance in the file) → parts.
Balances = dict[tuple[str, int], Parts]

_LARGEST = 1 << 62


def read_balances(path: Path, tariff: Tariff) -> Balances:
    """The balances in a file; :class:`InputError` with the line for what the tariff does not carry over."""
    names = {allowance.name: place for place, allowance in enumerate(tariff.allowances)}
    found: Balances = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            if not {"account", "allowance", "left"} <= set(rows.fieldnames or ()):
                raise InputError(
                    "no header account,allowance,left",
                    file=path,
                    line=1,
                    advice="Write it, with age or without.",
                )
            for row in rows:
                _add(found, row, rows.line_num, path, names, tariff)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", file=path) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"is not CSV in UTF-8: {error}", file=path) from error
    return found


def _add(
    found: Balances,
    row: Mapping[str, str | None],
    line: int,
    path: Path,
    names: Mapping[str, int],
    tariff: Tariff,
) -> None:
    name, account = row["allowance"] or "", row["account"] or ""
    if name not in names:
        raise InputError(
            f"{name!r} is no allowance of {tariff.words}",
            file=path,
            line=line,
            field="allowance",
            advice=nearest(name, tuple(names)),
        )
    left, age = (
        _number(row["left"], path, line, "left", 0),
        _number(row.get("age") or "1", path, line, "age", 1),
    )
    place = names[name]
    cycles = tariff.allowances[place].cycles
    if age > cycles:
        raise InputError(
            f"{name!r} is carried over for {cycles} cycles, not {age}", file=path, line=line, field="age"
        )
    parts = dict(found.get((account, place), ()))
    if age in parts:
        raise InputError("the account's allowance of that age is there twice", file=path, line=line)
    found[account, place] = tuple(sorted({**parts, age: left}.items(), reverse=True))
    if sum(units for _, units in found[account, place]) >= _LARGEST:
        raise InputError("is too large", file=path, line=line, field="left")


def _number(text: str | None, path: Path, line: int, field: str, least: int) -> int:
    number = int(text) if text and text.isdecimal() and len(text) < 20 else -1
    if not least <= number < _LARGEST:
        raise InputError(
            f"{text!r} is not a whole number of at least {least}", file=path, line=line, field=field
        )
    return number


def carried_on(allowance: Allowance, carried: Parts, left: int) -> Parts:
    """What goes into the next cycle, when ``left`` of what was carried and the cycle's own amount is left."""
    if not allowance.cycles:
        return ()
    used = sum(units for _, units in carried) + allowance.amount - left
    rest: list[tuple[int, int]] = []
    for age, units in (*carried, (0, allowance.amount)):
        taken = min(used, units)
        used -= taken
        if age < allowance.cycles and units > taken:
            rest.append((age + 1, units - taken))
    beyond = sum(units for _, units in rest) - allowance.at_most
    kept = []
    for age, units in rest:
        lost = min(max(beyond, 0), units)
        beyond -= lost
        if units > lost:
            kept.append((age, units - lost))
    return tuple(kept)


def write_balances(balances: Balances, tariff: Tariff) -> str:
    """The file of the next cycle."""
    lines = ["account,allowance,left,age"]
    for (account, place), parts in sorted(balances.items()):
        lines += [
            ",".join(map(_cell, (account, tariff.allowances[place].name, units, age))) for age, units in parts
        ]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text
