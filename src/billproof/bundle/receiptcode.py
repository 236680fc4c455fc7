"""A receipt as a text that fits in a QR code: ``BP1:`` and base45 of deflated CBOR, and back.

Base45 is RFC 9285's, deflate raw (RFC 1951), CBOR RFC 8949's deterministic encoding. The receipt is an array:

    [chainId, ledger, operatorId, period, region, sequence,
     account, recordCount, currency, tariff, totals,
     [index, service, startedAt, utcOffset, usage, billedUsage, peer, network, amount, rate, corrects
      (, number, salt)],
     recordProof, nextAccount, proof]

Integers are CBOR's, a chain id beyond 64 bits its big-endian bytes; hashes and addresses are byte strings, a
``tariff`` or ``corrects`` of zeros an empty one; proofs are their hashes, joined. A reader refuses every
other encoding of the same receipt but for the choices of the compressor.
"""

from __future__ import annotations

import zlib
from typing import Any

from billproof.bundle import documents as doc
from billproof.bundle.cbor import dumps, loads
from billproof.errors import InputError

PREFIX = "BP1:"

#: What the largest QR code holds in its alphanumeric mode, at the lowest error correction.
MAX_CODE = 4296

_MOST_CBOR = 1 << 14
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_PLACES = {character: at for at, character in enumerate(_ALPHABET)}
_AGAIN = "Read the code again, or ask for the receipt's file."
_RECORD = (
    *("index", "service", "startedAt", "utcOffset", "usage", "billedUsage", "peer", "network", "amount"),
    *("rate", "corrects"),
)
_TEXTS = ("network", "rate", "number")
_HASHES = ("peer", "corrects", "salt")


def encode(receipt: doc.Receipt) -> str:
    """The code's text; :class:`InputError` where it fits in no QR code."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    code = PREFIX + base45(packer.compress(dumps(fields_of(receipt))) + packer.flush())
    if len(code) > MAX_CODE:
        raise InputError(
            f"the receipt is too long for a QR code ({len(code):,} characters)",
            advice="Send its file, or give --link for a code that names it.",
        )
    return code


def decode(code: str) -> bytes:
    """The receipt's JSON; :class:`InputError` where the text is no such code.

    What it says of the receipt is for :func:`billproof.bundle.documents.parse` and the verifier to judge.
    """
    if not code.startswith(PREFIX):
        raise _bad(f"it does not begin with {PREFIX}")
    if len(code) > MAX_CODE:
        raise _bad("it is longer than any QR code")
    packed = _from_base45(code[len(PREFIX) :])
    unpacker = zlib.decompressobj(-15)
    try:
        content = unpacker.decompress(packed, _MOST_CBOR)
    except zlib.error as error:
        raise _bad("it is damaged") from error
    if not unpacker.eof or unpacker.unused_data:
        raise _bad("it is cut off, or has something after its end")
    try:
        return doc.encode(_document(loads(content)))
    except (ValueError, TypeError, IndexError) as error:
        raise _bad(str(error)) from error


def text_of(content: bytes) -> str:
    """The code in a text file, without the space around it."""
    try:
        return content[: 4 * MAX_CODE].decode("ascii").strip("\r\n\t ")
    except UnicodeDecodeError as error:
        raise _bad("it holds characters that no code has") from error


def _bad(reason: str) -> InputError:
    return InputError(f"this code cannot be used: {reason}", advice=_AGAIN)


# --- the receipt as an array ---------------------------------------------------------------------------


def fields_of(receipt: doc.Receipt) -> list[Any]:
    """The array that stands for a receipt."""
    batch, statement, record = receipt.batch, receipt.statement, receipt.record
    chain = int(batch.chainId)
    names = [*_RECORD, *(("number", "salt") if record.number is not None else ())]
    return [
        chain if chain < 1 << 64 else chain.to_bytes((chain.bit_length() + 7) // 8),
        _raw(batch.ledger),
        int(batch.operatorId),
        int(batch.period),
        int(batch.region),
        int(batch.sequence),
        _raw(statement.account),
        int(statement.recordCount),
        statement.currency,
        _short(statement.tariff),
        _raw(statement.totals),
        [_packed(name, getattr(record, name)) for name in names],
        b"".join(map(_raw, receipt.recordProof)),
        _raw(receipt.entry.nextAccount),
        b"".join(map(_raw, receipt.entry.proof)),
    ]


def _packed(name: str, value: str) -> Any:
    if name in _TEXTS:
        return value
    if name == "corrects":
        return _short(value)
    return _raw(value) if name in _HASHES else int(value)


def _document(fields: Any) -> dict[str, Any]:
    if type(fields) is not list or len(fields) != 15:
        raise ValueError("it is no receipt")
    chain, ledger, operator, period, region, sequence, account, count, currency, tariff, totals = fields[:11]
    values, record_proof, following, proof = fields[11:]
    if type(values) is not list or len(values) not in (len(_RECORD), len(_RECORD) + 2):
        raise ValueError("it is no receipt")
    if type(chain) is bytes:
        if len(chain) < 9 or chain[0] == 0:
            raise ValueError("its chain id is written in another way than ours")
        chain = int.from_bytes(chain)
    names = (*_RECORD, "number", "salt")[: len(values)]
    return {
        "schema": doc.RECEIPT,
        "batch": {
            "chainId": _decimal(chain),
            "ledger": _hex(ledger, 20),
            "operatorId": _decimal(operator),
            "period": _decimal(period),
            "region": _decimal(region),
            "sequence": _decimal(sequence),
        },
        "statement": {
            "account": _hex(account, 32),
            "recordCount": _decimal(count),
            "currency": _text(currency),
            "tariff": _long(tariff),
            "totals": _hex(totals, 32),
        },
        "record": {name: _unpacked(name, value) for name, value in zip(names, values, strict=True)},
        "recordProof": _hashes(record_proof),
        "entry": {"nextAccount": _hex(following, 32), "proof": _hashes(proof)},
    }


def _unpacked(name: str, value: Any) -> str:
    if name in _TEXTS:
        return _text(value)
    if name == "corrects":
        return _long(value)
    return _hex(value, 32) if name in _HASHES else _decimal(value)


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _short(text: str) -> bytes:
    return _raw(text) if text.strip("0x") else b""


def _long(value: Any) -> str:
    if value == bytes(32):
        raise ValueError("zeros are written in another way than ours")
    return _hex(value or bytes(32), 32) if type(value) is bytes else _hex(value, 32)


def _hex(value: Any, length: int) -> str:
    if type(value) is not bytes or len(value) != length:
        raise ValueError("a hash or an address has another length")
    return "0x" + value.hex()


def _hashes(value: Any) -> list[str]:
    if type(value) is not bytes or len(value) % 32:
        raise ValueError("a proof has another length")
    return ["0x" + value[at : at + 32].hex() for at in range(0, len(value), 32)]


def _decimal(value: Any) -> str:
    if type(value) is not int:
        raise ValueError("a number is missing")
    return str(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("a text is missing")
    return value


# --- base45 --------------------------------------------------------------------------------------------


def base45(content: bytes) -> str:
    """RFC 9285's text of some bytes."""
    out = []
    for at in range(0, len(content), 2):
        pair = content[at : at + 2]
        value = int.from_bytes(pair)
        out += [value % 45, value // 45 % 45, value // 2025][: len(pair) + 1]
    return "".join(_ALPHABET[digit] for digit in out)


def _from_base45(text: str) -> bytes:
    try:
        digits = [_PLACES[character] for character in text]
    except KeyError as error:
        raise _bad("it holds characters that no code has") from error
    out = bytearray()
    for at in range(0, len(digits), 3):
        group = digits[at : at + 3]
        value = sum(digit * 45**place for place, digit in enumerate(group))
        if len(group) == 1 or value >= 1 << 8 * (len(group) - 1):
            raise _bad("it is damaged")
        out += value.to_bytes(len(group) - 1)
    return bytes(out)
