"""Whether an address signed a digest, as the contracts decide it: keys by ECDSA, contracts by ERC-1271."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from billproof.ledger.artifact import keccak
from billproof.ledger.reads import code_at, state_call
from billproof.ledger.rpc import Endpoint, RpcError

_IS_VALID = keccak(b"isValidSignature(bytes32,bytes)")[:4]
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def is_signed_by(endpoint: Endpoint, address: str, digest: bytes, signature: bytes) -> bool:
    """Whether the key of an address signed, or the contract there says that it did, now."""
    if not code_at(endpoint, address):
        return _recovered(digest, signature) == address.lower()
    call = {
        "to": address,
        "data": "0x" + (_IS_VALID + encode(["bytes32", "bytes"], [digest, signature])).hex(),
    }
    try:
        answer = state_call(endpoint, "eth_call", [call, "latest"], "latest")
    except RpcError:
        return False  # a wallet may revert for a signature that is none
    return isinstance(answer, str) and answer[:66] == "0x" + _IS_VALID.hex().ljust(64, "0")


def _recovered(digest: bytes, signature: bytes) -> str | None:
    """The address whose key signed; None for what is no signature of 65 bytes (r, s, v) with the lower s."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if s > _HALF_ORDER:
        return None
    try:
        found = Signature(vrs=(signature[64] - 27, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError):
        return None
    return str(found.to_address()).lower()
