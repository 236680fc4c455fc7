"""Clear documents made from lists of pairs and single records, added up naively, to test reports with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from billproof.clearing.agreement.agreement import Party, Rounding
from billproof.clearing.settlement.settlement import Amount, Charge, Dispute, Settlement, Year
from billproof.tariff.values import service_of

HASH = "0x" + "5a" * 32
PARTIES = ((1, "Meridian"), (2, "Skylark"))
KINDS = ("time-zone", "number", "unit", "duration", "rounding", "currency", "rate")
LEFT = ("missing", "duplicate", "cycle-shift")
WORDS = {
    "time-zone": "{theirs}'s clock is 60 minutes ahead (data, {theirs}'s batch 1-0)",
    "number": "records that have another number",
    "unit": "records that are counted in another unit",
    "duration": "records that differ in usage",
    "rounding": "records that differ in billed usage",
    "currency": "records that differ as currencies do",
    "rate": "{theirs}'s price is 1.25 times {ours}'s (data, route london)",
    "missing": "records that are missing in the other book",
    "duplicate": "records that are in a book twice",
    "cycle-shift": "records that are not in the other book of this period, but at its edge (data)",
}
#: Kinds of which the documents here have a cause; of the others they have findings.
CAUSED = ("rate", "time-zone", "cycle-shift")
FREE = ("time-zone", "number")


@dataclass(frozen=True)
class Row:
    """A pair, or a record of one side; amounts in billionths, ``kind`` empty where a pair agrees."""

    day: str
    route: str
    service: str
    kind: str
    ours: int | None
    theirs: int | None
    usage: int = 60

    @property
    def money(self) -> int:
        """Ours less theirs."""
        return (self.ours or 0) - (self.theirs or 0)

    @property
    def both(self) -> int:
        """What is in both books."""
        ours, theirs = self.ours or 0, self.theirs or 0
        return min(ours, theirs, key=abs) if ours * theirs > 0 else 0

    @property
    def beyond(self) -> tuple[int, int]:
        """What each book has beyond that."""
        return (self.ours or 0) - self.both, (self.theirs or 0) - self.both


def some_rows(days: int = 31, routes: Sequence[str] = ("uk-mobile", "london", "elsewhere")) -> list[Row]:
    """A month of which most agrees, and something of every kind does not."""
    rows = []
    services = {"voice-originated": 1, "voice-terminated": 2, "message-sent": 0, "data": 2 * 10**6}
    kinds = ("", *KINDS, *LEFT)
    for at in range(days * 48):
        day = f"2026-10-{at % days + 1:02d}"
        service, unit = list(services.items())[at // 3 % 4]
        usage = at * 389 % 900 * unit or 1
        amount = (at * 7919 % 4000 + 300) * 10**7
        kind = kinds[at * 31 % 37 - 26] if at * 31 % 37 > 26 else ""
        place = day, routes[at % len(routes)], service, kind
        theirs = {
            "": amount - 10**6 * (at % 2),
            "number": amount,
            "rate": amount * 5 // 4,
            "rounding": amount * 11 // 10,
            "currency": amount * 9 // 10,
        }
        if kind in LEFT:
            side = at % 3 == 0
            rows.append(Row(*place, amount if side else None, None if side else amount))
        else:
            rows.append(Row(*place, amount, theirs.get(kind, amount + 3 * 10**7), usage))
    return rows


def document(
    rows: Sequence[Row], payer: int = 2, parties: Sequence[tuple[int, str]] = PARTIES, period: str = "202610"
) -> dict[str, Any]:
    """The document of these; ``parties`` are ours, then theirs."""
    groups = _groups(rows)
    told = [_told(number, *group, parties) for number, group in enumerate(groups, 1)]
    return {
        "schema": "billproof/clear/1",
        "agreement": {"name": "Meridian and Skylark, roaming", "hash": HASH},
        "settlement": "EUR",
        "period": period,
        "payer": payer,
        "ours": _side(rows, "ours", parties[0]),
        "theirs": _side(rows, "theirs", parties[1]),
        "difference": str(sum(row.money for row in rows)),
        "pairs": sum(_paired(row) for row in rows),
        "agreed": sum(not row.kind for row in rows),
        "atStake": _at_stake(rows),
        "counts": {kind: sum(row.kind == kind for row in rows) for kind in (*KINDS, *LEFT)},
        "traffic": [
            {
                "service": service,
                "route": route,
                "records": len(of),
                "volume": str(sum(row.usage for row in of)),
                "amount": str(_undisputed(of)),
            }
            for (service, route), of in _by([row for row in rows if _paired(row)], "service", "route").items()
        ],
        **{
            f"{name}s": [{name: value[0], **_slice(of)} for value, of in sorted(_by(rows, name).items())]
            for name in ("day", "route")
        },
        "services": [
            {"service": name, **_slice(of), "volume": str(sum(row.usage for row in of if _paired(row)))}
            for (name,), of in sorted(_by(rows, "service").items())
        ],
        "causes": [one for one in told if "dimension" in one],
        "findings": [one for one in told if "dimension" not in one],
        "disputes": [
            {
                "number": number,
                "kind": kind,
                "words": told[number - 1]["words"],
                "claimant": parties[side][0],
                "count": len(claimed),
                "amount": str(sum(claimed)),
            }
            for number, (kind, of) in enumerate(groups, 1)
            for side in (0, 1)
            for sign in (1, -1)
            if (claimed := [claim for row in of if (claim := row.beyond[side]) * sign > 0])
            and kind not in FREE
        ],
    }


def both() -> list[dict[str, Any]]:
    """A month both ways."""
    return [document(some_rows()), document(some_rows(12), payer=1)]


CHARGES = (
    Charge(2, "mobile", 10**12, 10**12, 0, 0, 13 * 10**11),
    Charge(1, "data, both ways", 5 * 10**11, 5 * 10**11, 3 * 10**11, 0, 2 * 10**11),
)


def settlement(documents: Sequence[dict[str, Any]], charges: Sequence[Charge] = ()) -> Settlement:
    """What is undisputed of documents, with their disputes, numbered through."""
    names = {side["operator"]: side["name"] for side in (documents[0]["ours"], documents[0]["theirs"])}
    amounts: list[Amount] = []
    disputes: list[Dispute] = []
    after = 0
    for each in sorted(documents, key=lambda each: each["payer"]):
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for one in each["traffic"]:
            for place, key in enumerate(("records", "volume", "amount")):
                sums[one["service"]][place] += int(one[key])
        amounts += [Amount(each["payer"], service_of(name), *of) for name, of in sums.items()]
        disputes += [
            Dispute(
                one["number"] + after,
                one["kind"],
                one["words"],
                one["claimant"],
                each["payer"],
                one["count"],
                int(one["amount"]),
                "2026-12-15",
            )
            for one in each["disputes"]
        ]
        after += len(each["causes"]) + len(each["findings"])
    one, other = sorted(names)
    return Settlement(
        agreement=documents[0]["agreement"]["name"],
        agreement_hash=bytes.fromhex(documents[0]["agreement"]["hash"][2:]),
        parties=(Party(one, names[one], "EUR"), Party(other, names[other], "GBP")),
        currency=documents[0]["settlement"],
        exchange={},
        rounding=Rounding(),
        period=202610,
        issued="2026-11-05",
        due="2026-11-30",
        amounts=tuple(amounts),
        charges=tuple(charges),
        disputes=tuple(disputes),
        year=Year((202610,), ()) if charges else None,
    )


def _paired(row: Row) -> bool:
    return row.ours is not None and row.theirs is not None


def _by(rows: Sequence[Row], *names: str) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(getattr(row, name) for name in names)].append(row)
    return found


def _side(rows: Sequence[Row], side: str, party: tuple[int, str]) -> dict[str, Any]:
    amounts = [getattr(row, side) for row in rows if getattr(row, side) is not None]
    root = "0x" + f"{party[0]:02d}" * 32
    return {
        "operator": party[0],
        "name": party[1],
        "book": f"{side}.parquet",
        "records": len(amounts),
        "total": str(sum(amounts)),
        "unpaired": sum(not _paired(row) for row in rows if getattr(row, side) is not None),
        "tolerated": str(sum(row.beyond[side == "theirs"] for row in rows if row.kind in ("", *FREE))),
        "batches": [{"period": "202610", "region": "1", "sequence": "0", "root": root}],
        "ledger": {"chainId": "31337", "address": "0x" + "ab" * 20},
    }


def _undisputed(rows: Sequence[Row]) -> int:
    return sum(row.both for row in rows)


def _slice(rows: Sequence[Row]) -> dict[str, Any]:
    sides = {}
    for side in ("ours", "theirs"):
        amounts = [getattr(row, side) for row in rows if getattr(row, side) is not None]
        sides[side] = {"records": len(amounts), "total": str(sum(amounts))}
    counts = {"pairs": sum(map(_paired, rows)), "agreed": sum(not row.kind for row in rows)}
    return {**sides, **counts, "undisputed": str(_undisputed(rows)), "atStake": _at_stake(rows)}


def _at_stake(rows: Sequence[Row]) -> dict[str, str]:
    found = dict.fromkeys(("agreed", *KINDS, *LEFT), 0)
    for row in rows:
        found[row.kind or "agreed"] += row.money
    return {kind: str(money) for kind, money in found.items()}


def _groups(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    found = {kind: of for (kind,), of in _by(rows, "kind").items() if kind}
    return sorted(
        found.items(), key=lambda group: (group[0] not in CAUSED, -abs(sum(r.money for r in group[1])))
    )


def _told(number: int, kind: str, rows: Sequence[Row], parties: Sequence[tuple[int, str]]) -> dict[str, Any]:
    best = sorted(rows, key=lambda row: -abs(row.money))[:3]
    found = {
        "number": number,
        "kind": kind,
        "words": WORDS[kind].format(ours=parties[0][1], theirs=parties[1][1]),
        "side": "both",
        "count": len(rows),
        "money": str(sum(row.money for row in rows)),
        "examples": [_example(row, at) for at, row in enumerate(best)],
    }
    if kind in CAUSED:
        found |= {
            "services": ["data"],
            "dimension": "route",
            "value": rows[0].route,
            "what": {"ratio": "1.25"},
        }
    return found


def _example(row: Row, at: int) -> dict[str, Any]:
    return {
        side: {
            "batch": "1-0",
            "row": at,
            "service": row.service,
            "startedAt": 1_790_812_800 + at,
            "number": "+447700900123",
            "usage": str(row.usage),
            "billedUsage": str(row.usage),
            "amount": str(amount),
            "currency": "EUR",
        }
        for side, amount in (("ours", row.ours), ("theirs", row.theirs))
        if amount is not None
    }
