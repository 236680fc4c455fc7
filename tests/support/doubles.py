"""Contracts of `contracts/test/ClearingDoubles.sol` on a chain.

`clearing_doubles.json` holds what they compile to.
"""

from __future__ import annotations

import json
from pathlib import Path

from billproof.ledger.artifact import keccak
from billproof.ledger.reads import chain_id
from billproof.ledger.rpc import Endpoint
from billproof.ledger.signers import AccountSigner
from billproof.ledger.transactions import broadcast, next_nonce, suggest_fees, wait

_CODES = json.loads((Path(__file__).parent / "clearing_doubles.json").read_bytes())


def put(endpoint: Endpoint, signer: AccountSigner, contract: str, arguments: bytes = b"") -> str:
    """Deploys a double from the signer's account, to which tokens are minted; gives its address."""
    fees = suggest_fees(endpoint)
    raw = signer.sign_transaction(
        {
            "chainId": chain_id(endpoint),
            "nonce": next_nonce(endpoint, signer.address),
            "value": 0,
            "data": "0x" + _CODES[contract].removeprefix("0x") + arguments.hex(),
            "gas": 3_000_000,
            "gasPrice": fees.maximum,
        }
    )
    broadcast(endpoint, raw)
    receipt = wait(endpoint, "0x" + keccak(raw).hex())
    assert receipt.success
    return receipt.contract
