"""Keccak-256 for tools that run on the standard library alone; `hashlib.sha3_256` pads otherwise."""

_RATE = 136
_MASK = (1 << 64) - 1


def _round_constants() -> list[int]:
    """The 24 iota constants, from the LFSR x^8 + x^6 + x^5 + x^4 + 1 (FIPS 202, 3.2.5)."""
    constants, state = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            constant |= (state & 1) << ((1 << j) - 1)
            state = state << 1 ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return constants


_IOTA = _round_constants()


def _rotate(lane: int, by: int) -> int:
    return (lane << by | lane >> (64 - by)) & _MASK if by else lane


def _permute(lanes: list[int]) -> None:
    """Keccak-f[1600] in place; lane (x, y) is `lanes[x + 5 * y]`."""
    for iota in _IOTA:
        parity = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        for i in range(25):
            lanes[i] ^= parity[(i - 1) % 5] ^ _rotate(parity[(i + 1) % 5], 1)
        x, y, moving = 1, 0, lanes[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            at = x + 5 * y
            lanes[at], moving = _rotate(moving, (t + 1) * (t + 2) // 2 % 64), lanes[at]
        for row in range(0, 25, 5):
            a = lanes[row : row + 5]
            for i in range(5):
                lanes[row + i] = a[i] ^ (~a[(i + 1) % 5] & a[(i + 2) % 5] & _MASK)
        lanes[0] ^= iota


def keccak256(message: bytes) -> bytes:
    """The hash of Ethereum: Keccak with rate 136 and the original padding."""
    padded = bytearray(message + b"\x01" + bytes(-(len(message) + 1) % _RATE))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for i in range(_RATE // 8):
            lanes[i] ^= int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
        _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def checksum_address(raw: bytes) -> str:
    """ERC-55 spelling of a 20-byte address."""
    digits = raw.hex()
    case = keccak256(digits.encode()).hex()
    return "0x" + "".join(d.upper() if int(c, 16) > 7 else d for d, c in zip(digits, case, strict=False))
