"""Files for the clearing house: whatever is changed in one, once, is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from clearing_desk import ADMINS, Desk, desk, desk_template, fresh_desk
from commands import run
from doubles import put
from hypothesis import given
from hypothesis import strategies as st

from billproof.clearing.house.books import book_of_store
from billproof.clearing.house.files import read_book, read_netting, read_part, write_book
from billproof.clearing.house.form import json_schemas
from billproof.clearing.house.model import Book, Place, balances, in_currency
from billproof.clearing.house.parts import token_units
from billproof.clearing.house.rings import settled
from billproof.commitment.keccak import keccak
from billproof.errors import InputError
from billproof.ledger.house_states import BatchReference

__all__ = ["desk", "desk_template", "fresh_desk", "run"]

ROOT = Path(__file__).resolve().parents[3]


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(value, (*path, key))
    else:
        yield path, tree


def tables(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(tree, dict):
        yield path
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from tables(value, (*path, key))


def other(value: Any) -> Any:
    """A value of the same kind, which the form takes as well, wherever there is one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value.startswith("0x"):
        return value[:-1] + ("1" if value[-1] == "0" else "0")
    if value.isdecimal():
        return str(int(value) + 1) if value != "202612" else "202611"
    return "USD" if value == "EUR" else value + "2"


def tampered(content: bytes) -> Iterator[tuple[str, Any]]:
    """Every leaf changed or null, every key left out, and a key too many in every table."""
    tree = json.loads(content)
    for path, value in leaves(tree):
        for what in (other(value), None):
            changed = copy.deepcopy(tree)
            at = changed
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = what
            yield f"{path} is {what}", changed
    for path in tables(tree):
        for key in [*list(_at(tree, path)), None]:
            changed = copy.deepcopy(tree)
            table = _at(changed, path)
            if key is None:
                table["more"] = 1
            else:
                del table[key]
            yield f"{path} without {key}", changed


def _at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def refuse_all(desk: Desk, file: Path, *words: object, admin: int) -> int:
    """Runs the command on every tampered version of the file; none is taken, and the file stays."""
    content = file.read_bytes()
    count = 0
    for what, tree in tampered(content):
        changed = json.dumps(tree).encode()
        file.write_bytes(changed)
        result = desk.run("house", *words, "--dev-account", ADMINS[admin], "--json")
        assert result.code in (1, 2), f"{what}: {result.out}"
        assert "internal error" not in result.err
        assert file.read_bytes() == changed
        count += 1
    file.write_bytes(content)
    return count


def test_every_field_of_a_book(desk: Desk) -> None:
    clearing = desk.open()
    desk.commit(clearing, 1, 2)
    desk.commit(clearing, 2, 1)
    file = desk.folder(1) / "book-2.json"
    assert refuse_all(desk, file, "reveal", clearing, "--book", file, admin=1) > 40
    desk.reveal(clearing, 1, 2)


def test_every_field_of_a_part(desk: Desk) -> None:
    client = desk.client(7)
    euro = put(client.endpoint, client.signer, "TrickToken")
    clearing, settlement = desk.agreeing(), desk.settlement()
    part = desk.folder(1) / "part.json"
    words = ("--token", euro, "--payee", client.signer.address)
    desk.look("propose", clearing, settlement, "--part", part, *words)
    desk.call(1, "sign", part, "--settlement", settlement, *words[2:], admin=True)
    sign = ("sign", part, "--settlement", settlement)
    # A part without the other's signature is another proposal, for the other to judge: left out here.
    content = json.loads(part.read_bytes())
    assert refuse_all(desk, part, *sign, admin=2) > 60
    jsonschema.validate(content, json_schemas()["billproof/net-amount/1"])
    desk.call(2, *sign, admin=True)
    desk.call(3, "agree", part)


def test_every_field_of_a_netting(desk: Desk) -> None:
    ring = ((1, 2, 10**9, 2), (2, 3, 3 * 10**9, 3))
    parts = [desk.agreed(*each)[1] for each in ring]
    file = desk.home / "netting.json"
    desk.look("net", "propose", *parts, "--netting", file)
    desk.call(1, "net", "sign", file, admin=True)
    tree = json.loads(file.read_bytes())
    jsonschema.validate(tree, json_schemas()["billproof/netting/1"])
    agreed = {key: tree[key] for key in ("chainId", "ledger", "operators", "replaced", "parts")}
    assert tree["documentHash"] == "0x" + keccak(json.dumps(agreed, separators=(",", ":")).encode()).hex()
    assert refuse_all(desk, file, "net", "sign", file, admin=2) > 90
    for operator in (2, 3):
        desk.call(operator, "net", "sign", file, admin=True)
    desk.call(3, "net", "submit", file)


PLACE = Place(31337, "0x" + "5a" * 20, (1, 2), 202603, 1)
BOOK = Book(PLACE, 2, (BatchReference(0, 1), BatchReference(3, 2)), b"\1" * 32, b"\2" * 32)


def test_a_book_is_read_as_it_was_written_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "book.json"
    write_book(BOOK, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_book(file) == BOOK
    jsonschema.validate(json.loads(file.read_bytes()), json_schemas()["billproof/house-book/1"])
    content = file.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        write_book(BOOK, file)
    assert [each.name for each in tmp_path.iterdir()] == ["book.json"]
    assert file.read_bytes() == content
    with pytest.raises(InputError, match="cannot write"):
        write_book(BOOK, file / "below")


@pytest.mark.parametrize("read", [read_book, read_part, read_netting])
@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff", b"{}", b'{"schema":"billproof/bundle/1"}', b'{"a":1,"a":2}', b"[" * 10**5],
)
def test_what_is_no_such_file(tmp_path: Path, read: Any, content: bytes) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"file\.json"):
        read(file)
    with pytest.raises(InputError, match="cannot read"):
        read(tmp_path / "none.json")


def test_schemas_are_those_that_are_published() -> None:
    for name, schema in json_schemas().items():
        path = ROOT / f"docs/schemas/{name.split('/')[1]}.json"
        assert json.loads(path.read_text()) == schema


def test_a_store_without_the_account(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no statement of the account 'x'"):
        book_of_store(tmp_path, PLACE, 1, ["x"])


@pytest.mark.parametrize(
    ("billionths", "decimals", "units"), [(12_340_000_000, 6, 12_340_000), (10**9, 0, 1), (1, 18, 10**9)]
)
def test_amounts_in_a_tokens_units(billionths: int, decimals: int, units: int) -> None:
    assert token_units(billionths, decimals) == units


@pytest.mark.parametrize(("billionths", "decimals"), [(12_340_000_001, 6), (15 * 10**8, 0), (0, 18)])
def test_amounts_that_a_token_cannot_say(billionths: int, decimals: int) -> None:
    with pytest.raises(InputError):
        token_units(billionths, decimals)


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=12))
def test_what_is_left_of_a_ring(amounts: list[int]) -> None:
    """Everybody gets what it got before, in fewer payments than there are operators."""
    left = dict(enumerate([*amounts, -sum(amounts)], 1))
    payments = settled(left)
    assert len(payments) < len(left)
    found = dict.fromkeys(left, 0)
    for creditor, debtor, amount in payments:
        assert amount > 0
        found[creditor] += amount
        found[debtor] -= amount
    assert found == left


def test_balances_of_nothing() -> None:
    assert balances(()) == {}
    assert in_currency("EUR", 1_230_000_000, bytes(32)).words == "1.23 EUR"
