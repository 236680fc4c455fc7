"""The clearing house's typed structs (``docs/clearing.md``, section 8): their hashes, and what wallets sign.

EIP-712, "Definition of hashStruct" and "Definition of encodeData"; of the types that these structs have.
A struct's values are given in the order of its members.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from billproof.ledger.artifact import keccak
from billproof.ledger.house_states import BatchReference, NetAmount, Netting, Opening, PartReference

NAME, VERSION = "Billproof ClearingHouse", "1"

_TYPES = {
    "EIP712Domain": "string name,string version,uint256 chainId,address verifyingContract",
    "Clearing": "uint256 chainId,address house,uint64 operatorA,uint64 operatorB,uint32 period,uint32 round",
    "BatchReference": "uint32 region,uint32 sequence",
    "Book": "bytes32 clearing,uint64 operatorId,BatchReference[] batches,bytes32 statementsHash,bytes32 salt",
    "Amount": "bytes32 source,uint32 part,bytes3 currency,uint256 amount,address token,address payee,"
    "bytes32 salt",
    "BatchKey": "uint64 operatorId,uint32 period,uint32 region,uint32 sequence",
    "NetAmount": "bytes32 clearing,uint32 part,bool last,uint64 creditor,bytes32 amountCommitment,"
    "bytes32 documentHash,BatchKey amendment,uint64 nonceA,uint64 nonceB,uint256 deadline",
    "PartReference": "bytes32 source,uint32 number",
    "NetPart": "uint64 creditor,uint64 debtor,bytes32 amountCommitment",
    "NettingId": "uint256 chainId,address house,PartReference[] replaced",
    "Netting": "uint64[] operators,uint64[] nonces,PartReference[] replaced,NetPart[] parts,"
    "bytes32 documentHash,uint256 deadline",
}


def clearing_id(chain_id: int, house: str, one: int, other: int, period: int, number: int) -> bytes:
    """A round's id, in either order of the operators."""
    first, second = sorted((one, other))
    return hash_struct("Clearing", (chain_id, house, first, second, period, number))


def book_commitment(
    clearing: bytes, operator_id: int, batches: Iterable[BatchReference], statements_hash: bytes, salt: bytes
) -> bytes:
    """What a side commits to."""
    references = [(each.region, each.sequence) for each in batches]
    return hash_struct("Book", (clearing, operator_id, references, statements_hash, salt))


def amount_commitment(source: bytes, part: int, opening: Opening) -> bytes:
    """What hides an amount."""
    terms = (opening.currency, opening.amount, opening.token, opening.payee, opening.salt)
    return hash_struct("Amount", (source, part, *terms))


def netting_id(chain_id: int, house: str, replaced: Iterable[PartReference]) -> bytes:
    """The source of the parts that come of a netting."""
    return hash_struct("NettingId", (chain_id, house, [(each.source, each.number) for each in replaced]))


def net_amount_values(net: NetAmount, nonces: tuple[int, int]) -> tuple[Any, ...]:
    """The members of ``NetAmount`` as both admins sign them; ``nonces`` of A and B."""
    key = net.amendment
    return (
        net.clearing,
        net.part,
        net.last,
        net.creditor,
        net.amount_commitment,
        net.document_hash,
        (key.operator_id, key.period, key.region, key.sequence),
        *nonces,
        net.deadline,
    )


def netting_values(netting: Netting, nonces: Sequence[int]) -> tuple[Any, ...]:
    """The members of ``Netting`` as all admins of the ring sign them; ``nonces`` in its order."""
    return (
        list(netting.operators),
        list(nonces),
        [(each.source, each.number) for each in netting.replaced],
        [(each.creditor, each.debtor, each.amount_commitment) for each in netting.parts],
        netting.document_hash,
        netting.deadline,
    )


def digest(struct: str, values: Sequence[Any], chain_id: int, house: str) -> bytes:
    """What is signed: the struct in the domain of the house on its chain."""
    domain = hash_struct("EIP712Domain", (NAME, VERSION, chain_id, house))
    return keccak(b"\x19\x01" + domain + hash_struct(struct, values))


def signable(struct: str, values: Sequence[Any], chain_id: int, house: str) -> tuple[Any, Any, Any]:
    """The same as domain, types and message by name, as wallets and signers take them."""
    domain = {"name": NAME, "version": VERSION, "chainId": chain_id, "verifyingContract": house}
    types = {each: [{"type": kind, "name": name} for kind, name in _members(each)] for each in _used(struct)}
    return domain, types, _named(struct, values)


def hash_struct(struct: str, values: Sequence[Any]) -> bytes:
    """``hashStruct`` of one struct; ValueError for a value outside its type."""
    words = [_type_hash(struct)]
    for (kind, name), value in zip(_members(struct), values, strict=True):
        try:
            words.append(_word(kind, value))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{struct}.{name}: not a {kind}") from error
    return keccak(b"".join(words))


def _word(kind: str, value: Any) -> bytes:
    if kind.endswith("[]"):
        return keccak(b"".join(_word(kind[:-2], each) for each in value))
    if kind in _TYPES:
        return hash_struct(kind, value)
    if kind == "string":
        return keccak(value.encode())
    if kind == "bool":
        return int(value is True).to_bytes(32, "big")
    if kind == "address":
        return _exactly(bytes.fromhex(value.removeprefix("0x")), 20).rjust(32, b"\0")
    width = int(kind.lstrip("abcdefghijklmnopqrstuvwxyz"))
    if kind.startswith("uint"):
        if not 0 <= value < 1 << width:
            raise ValueError(kind)
        return int(value).to_bytes(32, "big")
    return _exactly(value, width).ljust(32, b"\0")


def _exactly(value: bytes, width: int) -> bytes:
    if len(value) != width:
        raise ValueError(f"{width} bytes")
    return bytes(value)


@cache
def _members(struct: str) -> tuple[tuple[str, str], ...]:
    pairs = (member.split() for member in _TYPES[struct].split(","))
    return tuple((kind, name) for kind, name in pairs)


@cache
def _used(struct: str) -> tuple[str, ...]:
    """The struct and those inside it; these by name."""
    inner = {
        each
        for kind, _ in _members(struct)
        if kind.removesuffix("[]") in _TYPES
        for each in _used(kind.removesuffix("[]"))
    }
    return (struct, *sorted(inner))


@cache
def _type_hash(struct: str) -> bytes:
    return keccak("".join(f"{each}({_TYPES[each]})" for each in _used(struct)).encode())


def _named(struct: str, values: Sequence[Any]) -> dict[str, Any]:
    return {
        name: _named_value(kind, value) for (kind, name), value in zip(_members(struct), values, strict=True)
    }


def _named_value(kind: str, value: Any) -> Any:
    if kind.endswith("[]"):
        return [_named_value(kind[:-2], each) for each in value]
    return _named(kind, value) if kind in _TYPES else value
