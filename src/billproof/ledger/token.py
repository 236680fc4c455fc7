"""The little of an ERC-20 token that a payment needs: decimals, balance, allowance, approval."""

from __future__ import annotations

from billproof.errors import CannotCheckError
from billproof.ledger import abi
from billproof.ledger.artifact import keccak
from billproof.ledger.reads import code_at, odd_answer, state_call
from billproof.ledger.rpc import Endpoint, RpcError

_MOST_DECIMALS = 77  # of a number of 256 bits


def decimals(endpoint: Endpoint, token: str) -> int:
    """How many decimals the token's amounts are written with; its smallest unit is 1.

    Raises:
        CannotCheckError: there is no token there, or it does not say.
    """
    found = _ask(endpoint, token, "decimals()")
    if found > _MOST_DECIMALS:
        raise odd_answer(endpoint, "decimals", f"{found}")
    return found


def balance(endpoint: Endpoint, token: str, owner: str) -> int:
    """What an address has, in the smallest unit."""
    return _ask(endpoint, token, "balanceOf(address)", owner)


def allowance(endpoint: Endpoint, token: str, owner: str, spender: str) -> int:
    """How much of it another may move, in the smallest unit."""
    return _ask(endpoint, token, "allowance(address,address)", owner, spender)


def approve_call(spender: str, amount: int) -> bytes:
    """The data of a call that lets ``spender`` move exactly ``amount``."""
    words = abi.argument_word(int(spender, 16), "address", 160) + abi.argument_word(amount, "amount", 256)
    return _selector("approve(address,uint256)") + bytes.fromhex(words)


def _ask(endpoint: Endpoint, token: str, function: str, *addresses: str) -> int:
    words = "".join(abi.argument_word(int(each, 16), "address", 160) for each in addresses)
    call = {"to": token, "data": "0x" + _selector(function).hex() + words}
    try:
        return abi.words(state_call(endpoint, "eth_call", [call, "latest"], "latest"), 1)[0]
    except (RpcError, abi.OddEncoding) as error:
        what = "does not answer as a token does" if code_at(endpoint, token) else "is no contract"
        raise CannotCheckError(
            f"{token} {what}: {function}", advice="check the token's address, and the chain of --rpc"
        ) from error


def _selector(function: str) -> bytes:
    return keccak(function.encode())[:4]
