"""What a bill charges above its tariff, in the letter."""

from __future__ import annotations

from textwrap import wrap

from billproof.matching.report.rows import Match, Price

_WIDTH = 78
_TITLE = "Charged above the tariff"
_CLAIM = (
    "These cost more than the tariff says that the bill itself names. Please charge what the tariff says."
)


def claim(match: Match) -> str:
    """The letter's part."""
    count = len(match.prices)
    head = f"{_TITLE}: {count} line{'' if count == 1 else 's'}, {match.overcharged}"
    lines = [head, "-" * len(head), "\n".join(wrap(_CLAIM, _WIDTH)), ""]
    for found in match.prices:
        lines.append(f"  {_line(match, found)}")
        besides = f", besides the {match.money(found.already)} because of the phone" if found.already else ""
        lines.append(f"    disputed: {match.money(found.stake)}{besides}; {found.words}")
        if found.index is not None:
            lines.append(f"    {match.rows[found.index].hash}")
    return "\n".join(lines)


def _line(match: Match, found: Price) -> str:
    if found.index is None:
        return f"a line that is missing, {found.name}"
    row = match.rows[found.index]
    return f"line {row.line.number}: {row.line}"
