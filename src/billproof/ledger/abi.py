"""The few calls that a verifier makes, encoded by hand: every argument and most answers are static words.

Selectors and the event's topic are constants, so that no ABI library is loaded; a test derives them from
the shipped ABI. Solidity ABI specification: https://docs.soliditylang.org/en/latest/abi-spec.html.
"""

from __future__ import annotations

from billproof.errors import InputError

GET_BATCH = "0xcdc22ff8"
GET_PERIOD = "0x35f22da3"
GET_OPERATOR = "0x5cb050f0"
OPERATOR_COUNT = "0x7c6f3158"
IS_ANCHORER = "0x7ec2158c"
TARIFF_OF = "0x49e0bc75"
TARIFF_COUNT = "0xc0be1631"
TARIFF_AT = "0x949e4a65"
BATCH_ANCHORED = "0xd0dfa63216666b540518cbd61c1ea80c10306551ce450056e6cdd0bae989f2f1"


_OPERATOR, _PERIOD = ("operator", 64), ("period", 32)
_ARGUMENTS = {
    GET_BATCH: (_OPERATOR, _PERIOD, ("region", 32), ("sequence", 32)),
    GET_PERIOD: (_OPERATOR, _PERIOD),
    GET_OPERATOR: (_OPERATOR,),
    OPERATOR_COUNT: (),
    IS_ANCHORER: (_OPERATOR, ("address", 160)),
    TARIFF_OF: (_OPERATOR, ("tariff", 256)),
    TARIFF_COUNT: (_OPERATOR,),
    TARIFF_AT: (_OPERATOR, ("index", 256)),
}

END_OF_TIME = 253_402_300_800
"""UTC seconds: the year 10000, which no calendar here writes."""


class OddEncoding(Exception):
    """The answer is not what the ABI says; the text says where."""


def call_data(selector: str, *arguments: int) -> str:
    """The data of a call with unsigned integers (or addresses as such) as arguments.

    Raises:
        InputError: a number is larger than the ledger's.
    """
    kinds = _ARGUMENTS[selector]
    return selector + "".join(
        argument_word(argument, name, bits) for argument, (name, bits) in zip(arguments, kinds, strict=True)
    )


def argument_word(number: int, name: str, bits: int) -> str:
    """One argument as 64 hex digits; ``name`` is what an error calls it."""
    if not 0 <= number < 1 << bits:
        raise InputError(f"there is no {name} {str(number)[:80]}", advice=f"it goes up to {(1 << bits) - 1}")
    return f"{number:064x}"


def words(answer: object, count: int | None = None) -> list[int]:
    """The 32-byte words of an answer, as unsigned integers; exactly ``count`` of them when given."""
    if not isinstance(answer, str) or not answer.startswith("0x"):
        raise OddEncoding("no hexadecimal string")
    body = answer[2:]
    if len(body) % 64 or (count is not None and len(body) != 64 * count):
        raise OddEncoding(f"{len(body) // 2} bytes" + (f" instead of {32 * count}" if count else ""))
    try:
        raw = bytes.fromhex(body)
    except ValueError:
        raise OddEncoding("no hexadecimal string") from None
    return [int.from_bytes(raw[i : i + 32], "big") for i in range(0, len(raw), 32)]


def uint(word: int, bits: int) -> int:
    """A word that must fit into ``bits`` bits."""
    if word >> bits:
        raise OddEncoding(f"a number larger than {bits} bits")
    return word


def moment(word: int) -> int:
    """A word that must be a time in UTC seconds."""
    if word >= END_OF_TIME:
        raise OddEncoding("a time after the year 9999")
    return word


def flag(word: int) -> bool:
    """A word that must be 0 or 1."""
    if word > 1:
        raise OddEncoding("a flag that is neither 0 nor 1")
    return word == 1


def text(heap: list[int], offset: int, limit: int = 4096) -> str:
    """A string that begins ``offset`` bytes into ``heap``, cut after ``limit`` bytes: anybody may store a
    longer one. UTF-8, invalid bytes replaced."""
    if offset % 32 or offset // 32 >= len(heap):
        raise OddEncoding("a string outside the answer")
    start = offset // 32
    size = heap[start]
    if size > 32 * (len(heap) - start - 1):
        raise OddEncoding("a string longer than the answer")
    size = min(size, limit)
    raw = b"".join(word.to_bytes(32, "big") for word in heap[start + 1 : start + 1 + (size + 31) // 32])
    return raw[:size].decode("utf-8", "replace")
