"""A small Ethereum chain inside this process, on py-evm, that says the same again when replayed.

Rules of Shanghai, those the contract is compiled for. Everything a block depends on is given: its time and
its transactions; fee recipient, random value and gas limit are constants. So the same journal yields the
same block hashes on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth.abc import SignedTransactionAPI
from eth.chains.base import MiningChain
from eth.consensus.applier import ConsensusApplier
from eth.consensus.noproof import NoProofConsensus
from eth.db import get_db_backend
from eth.exceptions import Revert, VMError
from eth.vm.forks.shanghai import ShanghaiVM
from eth.vm.spoof import SpoofTransaction
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException  # type: ignore[import-untyped]

from billproof.ledger.abi import END_OF_TIME

GAS_LIMIT = 30_000_000
_ZERO = b"\0" * 20
_INVALID = (ValidationError, VMError, RLPException)


class TransactionRefused(Exception):
    """The chain cannot take the transaction (nonce, balance, gas, signature, chain id); reason in words."""


@dataclass(frozen=True)
class CallResult:
    """What a call did: output or revert data, why it failed, gas (intrinsic included, no refunds)."""

    output: bytes
    failure: str
    reverted: bool
    gas: int


@dataclass(frozen=True)
class Block:
    """A sealed block with what its transactions did."""

    header: Any
    transactions: tuple[Any, ...]
    receipts: tuple[Any, ...]
    created: tuple[bytes | None, ...]


class LocalChain:
    """Blocks from genesis on, in memory.

    Args:
        chain_id: EIP-155 chain id.
        time: the genesis' time, UTC seconds.
        accounts: address (20 bytes) to balance in wei.

    Raises:
        TransactionRefused: no block can have this time, or no account this balance.
    """

    def __init__(self, chain_id: int, time: int, accounts: dict[bytes, int]) -> None:
        _require_time(time)
        rules = ConsensusApplier(NoProofConsensus).amend_vm_configuration(((0, ShanghaiVM),))
        kind: Any = MiningChain.configure("LocalChain", vm_configuration=rules, chain_id=chain_id)
        state = {
            address: {"balance": balance, "nonce": 0, "code": b"", "storage": {}}
            for address, balance in accounts.items()
        }
        genesis = {
            "timestamp": time,
            "gas_limit": GAS_LIMIT,
            "coinbase": _ZERO,
            "extra_data": b"",
            "difficulty": 0,
        }
        try:
            self._chain: Any = kind.from_genesis(get_db_backend(), genesis, state)
        except _INVALID as error:
            raise TransactionRefused(f"no such genesis ({type(error).__name__})") from error
        self.chain_id = chain_id
        header = self._chain.get_canonical_block_header_by_number(0)
        self.blocks = [Block(header, (), (), ())]
        self.index: dict[bytes, tuple[int, int]] = {}
        """Transaction hash to (block number, index)."""

    @property
    def head(self) -> Any:
        return self.blocks[-1].header

    def decode(self, raw: bytes) -> SignedTransactionAPI:
        """A signed transaction from its raw bytes (legacy, EIP-2930, EIP-1559)."""
        try:
            transaction: SignedTransactionAPI = self._chain.get_vm().get_transaction_builder().decode(raw)
            transaction.validate()
            transaction.sender  # noqa: B018  (recovers it: a bad signature raises)
        except Exception as error:
            raise TransactionRefused(f"not a signed transaction ({type(error).__name__})") from error
        if transaction.chain_id not in (None, self.chain_id):
            raise TransactionRefused(f"signed for chain {transaction.chain_id}, this is {self.chain_id}")
        return transaction

    def seal(self, transactions: tuple[SignedTransactionAPI, ...], time: int) -> Block:
        """The next block, with these transactions, at ``time`` (later than its parent's).

        Raises:
            TransactionRefused: one of them cannot be included; nothing changed.
        """
        _require_time(time)
        parent = self.head
        if time <= parent.timestamp:
            raise TransactionRefused(f"block time {time} is not after the last block's {parent.timestamp}")
        self._check(transactions)
        self._chain.header = self._chain.create_header_from_parent(
            parent, timestamp=time, gas_limit=GAS_LIMIT, coinbase=_ZERO, extra_data=b""
        )
        try:
            result, receipts, computations = self._chain.mine_all(transactions)
        except _INVALID as error:
            raise TransactionRefused(str(error)) from error
        created = tuple(c.msg.storage_address if c.msg.is_create else None for c in computations)
        block = Block(result.imported_block.header, transactions, tuple(receipts), created)
        self.blocks.append(block)
        for position, transaction in enumerate(transactions):
            self.index[transaction.hash] = (len(self.blocks) - 1, position)
        return block

    def state(self, number: int) -> Any:
        """The state after block ``number``; do not change it."""
        return self._chain.get_vm(self.blocks[number].header).state

    def scratch_state(self) -> Any:
        """A state after the newest block that may be changed at will: nothing of it comes back."""
        return self._chain.get_vm(self.head).state

    def call(
        self, number: int, to: bytes, data: bytes, sender: bytes = _ZERO, value: int = 0, gas: int = GAS_LIMIT
    ) -> CallResult:
        """Runs a message call, or a creation when ``to`` is empty, on the state after block ``number``."""
        vm = self._chain.get_vm(self.blocks[number].header)
        with vm.in_costless_state() as state:
            try:
                unsigned = vm.create_unsigned_transaction(
                    nonce=state.get_nonce(sender), gas_price=0, gas=gas, to=to, value=value, data=data
                )
                transaction = SpoofTransaction(unsigned, from_=sender)
                computation = state.costless_execute_transaction(transaction)
            except _INVALID as error:
                return CallResult(b"", str(error), False, 0)
            used = transaction.intrinsic_gas + computation.get_gas_used()
            failed = computation.error if computation.is_error else None
        if failed is None:
            return CallResult(computation.output, "", False, used)
        return CallResult(
            computation.output, str(failed) or type(failed).__name__, isinstance(failed, Revert), used
        )

    def _check(self, transactions: tuple[SignedTransactionAPI, ...]) -> None:
        """The words that clients know (those of go-ethereum) for the two nonce errors."""
        state = self.state(len(self.blocks) - 1)
        nonces: dict[bytes, int] = {}
        for transaction in transactions:
            sender = transaction.sender
            expected = nonces.setdefault(sender, state.get_nonce(sender))
            if transaction.nonce != expected:
                word = "low" if transaction.nonce < expected else "high"
                raise TransactionRefused(
                    f"nonce too {word}: next nonce {expected}, tx nonce {transaction.nonce}"
                )
            nonces[sender] = expected + 1


def _require_time(time: int) -> None:
    if not 0 <= time < END_OF_TIME:
        raise TransactionRefused("a block's time is not between the years 1970 and 9999")
