"""Operators that the user has checked and pinned: (chain id, ledger, operator number) and a name for them.

The file is the user's own, ``trust.json`` in the configuration folder unless ``--trust`` or BILLPROOF_TRUST
names another. A pin needs no network and outranks what a domain says.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from billproof.errors import InputError
from billproof.files import json_bytes, write_file
from billproof.ledger.safe_json import loads

SCHEMA = "billproof/trust/1"
VARIABLE = "BILLPROOF_TRUST"
_MAX_FILE = 4 * 1024 * 1024
_MAX_NAME = 200


@dataclass(frozen=True)
class Pin:
    """One trusted operator. ``ledger`` is a lower-case address, ``name`` what the user calls it."""

    chain_id: int
    ledger: str
    operator_id: int
    name: str

    @property
    def triple(self) -> tuple[int, str, int]:
        """What identifies the operator."""
        return self.chain_id, self.ledger, self.operator_id


def default_path() -> Path:
    """The file that BILLPROOF_TRUST names, or the one in the user's configuration folder."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("billproof") / "trust.json"


class Pins:
    """The pins of one file. Changes are written at once, the file replaced in one step."""

    def __init__(self, path: Path, pins: tuple[Pin, ...] = ()) -> None:
        self.path = path
        self._pins = {pin.triple: pin for pin in pins}

    @classmethod
    def load(cls, path: str | Path | None = None) -> Pins:
        """The pins of a file (default: ``default_path``); none when it does not exist.

        Raises:
            InputError: it cannot be read or is no trust file.
        """
        file = Path(path) if path is not None else default_path()
        try:
            with file.open("rb") as handle:
                content = handle.read(_MAX_FILE + 1)
        except FileNotFoundError:
            return cls(file)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", file=file) from error
        return cls(file, _parse(content, file))

    def __iter__(self) -> Any:
        return iter(sorted(self._pins.values(), key=lambda pin: pin.triple))

    def __len__(self) -> int:
        return len(self._pins)

    def find(self, chain_id: int, ledger: str, operator_id: int) -> Pin | None:
        """The pin of an operator, if there is one."""
        return self._pins.get((chain_id, ledger.lower(), operator_id))

    def names(self, chain_id: int, ledger: str) -> dict[int, str]:
        """What the operators of a ledger are called, those that are pinned, by number."""
        return {pin.operator_id: pin.name for pin in self if pin.triple[:2] == (chain_id, ledger.lower())}

    def add(self, chain_id: int, ledger: str, operator_id: int, name: str) -> Pin:
        """Pins an operator, or renames the pin; writes the file.

        Raises:
            InputError: a value that cannot be, or a file that cannot be written.
        """
        pin = _pin(
            {
                "chainId": str(chain_id),
                "ledger": ledger.lower(),
                "operatorId": str(operator_id),
                "name": name,
            },
            self.path,
        )
        self._pins[pin.triple] = pin
        self._save()
        return pin

    def remove(self, chain_id: int, ledger: str, operator_id: int) -> Pin:
        """Takes a pin away; writes the file.

        Raises:
            InputError: there is no such pin.
        """
        pin = self._pins.pop((chain_id, ledger.lower(), operator_id), None)
        if pin is None:
            raise InputError(
                f"operator {operator_id} of chain {chain_id} is not pinned",
                file=self.path,
                advice="billproof trust list shows the pins",
            )
        self._save()
        return pin

    def _save(self) -> None:
        operators = [
            {
                "chainId": str(pin.chain_id),
                "ledger": pin.ledger,
                "operatorId": str(pin.operator_id),
                "name": pin.name,
            }
            for pin in self
        ]
        write_file(self.path, json_bytes({"schema": SCHEMA, "operators": operators}), mode=0o600)


def _parse(content: bytes, file: Path) -> tuple[Pin, ...]:
    try:
        tree = loads(content) if len(content) <= _MAX_FILE else None
    except ValueError:
        tree = None
    if not isinstance(tree, dict) or set(tree) != {"schema", "operators"}:
        raise InputError(
            "not a trust file", file=file, advice="give the file that `billproof trust add` has written"
        )
    if tree["schema"] != SCHEMA:
        raise InputError(f"must be {SCHEMA}", file=file, field="schema", advice="update billproof")
    if not isinstance(tree["operators"], list):
        raise InputError("must be a list", file=file, field="operators")
    pins = tuple(_pin(entry, file) for entry in tree["operators"])
    if len({pin.triple for pin in pins}) != len(pins):
        raise InputError("names an operator twice", file=file, field="operators")
    return pins


def _pin(entry: Any, file: Path) -> Pin:
    if not isinstance(entry, dict) or set(entry) != {"chainId", "ledger", "operatorId", "name"}:
        raise InputError("needs chainId, ledger, operatorId, name", file=file, field="operators")
    patterns = {
        "chainId": r"[1-9][0-9]{0,18}",
        "ledger": r"0x[0-9a-f]{40}",
        "operatorId": r"[1-9][0-9]{0,18}",
    }
    for name, pattern in patterns.items():
        if not isinstance(entry[name], str) or not re.fullmatch(pattern, entry[name]):
            raise InputError("has a value that cannot be", file=file, field=name)
    name = entry["name"]
    if not isinstance(name, str) or not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        raise InputError("must be a short name on one line", file=file, field="name")
    return Pin(int(entry["chainId"]), entry["ledger"], int(entry["operatorId"]), name)
