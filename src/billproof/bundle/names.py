"""What files of an account are called."""

from billproof.commitment.keccak import keccak

_MAX_NAME = 120


def file_name(account: str) -> str:
    """A file name for an account number: itself where that is safe, else percent-encoded.

    Each account has another, also where file systems do not tell letters by their case: capitals stay as
    they are, and a name with small letters ends with ``~`` and the first 8 bytes of the number's hash. A
    long one is cut and ends with the whole hash. No name depends on which other accounts there are.
    """
    name = "".join(
        c if c.isascii() and (c.isalnum() or c in "-_+@" or (c == "." and at)) else _percent(c)
        for at, c in enumerate(account)
    )
    if len(name) > _MAX_NAME:
        return f"{name[:_MAX_NAME]}~{keccak(account.encode()).hex()}"
    return name if name.upper() == name else f"{name}~{keccak(account.encode())[:8].hex()}"


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
