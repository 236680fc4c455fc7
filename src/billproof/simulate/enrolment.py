"""Enrolment lists: account numbers, and the address that holds the account where there is one."""

from __future__ import annotations

from pathlib import Path

import sha3

from billproof.simulate.draws import Draws

HEADER = "account,holder\n"


def write(path: Path, draws: Draws, accounts: list[str]) -> None:
    """One row for each account: no holder for 4 in 10, else a lower-case or a checksummed address."""
    kinds = draws.below(10, len(accounts)).tolist()
    octets = draws.octets(20 * len(accounts))
    rows = [HEADER]
    for position, (account, kind) in enumerate(zip(accounts, kinds, strict=True)):
        address = f"0x{octets[20 * position : 20 * position + 20].hex()}"
        holder = "" if kind < 4 else address if kind < 7 else _checksummed(address)
        rows.append(f"{account},{holder}\n")
    path.write_text("".join(rows), encoding="utf-8", newline="\n")


def _checksummed(address: str) -> str:
    """The spelling of EIP-55: letters are upper-case where the hash of the address has a digit from 8."""
    digits = address[2:]
    marks = sha3.keccak_256(digits.encode()).hexdigest()
    return "0x" + "".join(c.upper() if mark >= "8" else c for c, mark in zip(digits, marks, strict=False))
