"""``--rpc embedded:FILE``: an Ethereum chain in this process that outlives it, for demos and tests.

``FILE`` journals the genesis (chain id, funded accounts, start time) and then, a line a block, its time and
raw signed transactions; opening it replays them and compares every block hash and state root. Each accepted
transaction is a block of its own, final at once. Its chain id belongs to no public network and is never
accepted as one; everybody knows the keys of its funded accounts.
"""

from __future__ import annotations

import re
import threading
import time as clock
from pathlib import Path
from typing import Any

from billproof.errors import BillproofError, InputError
from billproof.ledger import evm_json
from billproof.ledger.devaccounts import DEVELOPMENT_ADDRESSES, EMBEDDED_CHAIN_ID
from billproof.ledger.evm import Block, LocalChain, TransactionRefused
from billproof.ledger.journal import Journal
from billproof.ledger.rpc import EndpointError, RpcError, printable

SCHEMA = "billproof/chain/1"
FUNDS = 10**24
"""Wei of each development account at genesis: a million ether."""

_TAGS = {"latest", "pending", "safe", "finalized"}
_REFUSED = -32000
_INVALID_PARAMS = -32602
_REVERTED = 3
_UNKNOWN_METHOD = -32601


class EmbeddedChain:
    """An ``Endpoint``. Open it with ``EmbeddedChain.open``; it may be used as a context manager."""

    host = ""
    operated_by = "this process"

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._chain: LocalChain
        self._time: int | None = None
        self._turn = threading.Lock()
        self.name = f"embedded:{printable(journal.path.name)}"

    @classmethod
    def open(
        cls, path: str | Path, *, writable: bool = False, start_time: int | None = None
    ) -> EmbeddedChain:
        """Opens and replays a chain.

        Args:
            path: the journal.
            writable: accept transactions, and begin the chain if the file is missing or empty; a torn last
                line is cut. If not, nothing is ever written.
            start_time: time of a new chain's genesis, UTC seconds; default now.

        Raises:
            InputError: no such chain, or a line that does not replay to what it says, by line and field.
        """
        journal = Journal(Path(path), writable=writable)
        chain = cls(journal)
        try:
            if writable:
                with journal.turn():
                    chain._catch_up()
                    journal.cut_torn_end()
                    if journal.line == 0:
                        chain._begin(int(clock.time()) if start_time is None else start_time)
            else:
                chain._catch_up()
                chain._require_genesis()
        except BaseException:
            journal.close()
            raise
        return chain

    def __enter__(self) -> EmbeddedChain:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EmbeddedChain({self.name})"

    def close(self) -> None:
        self._journal.close()

    def set_time(self, time: int | None) -> None:
        """The time of the blocks from now on, UTC seconds (each at least one later than its parent);
        None: the machine's clock."""
        self._time = time

    def request(self, method: str, params: list[Any]) -> Any:
        """The ``result`` of the call; see ``Endpoint.request``. Threads take turns."""
        with self._turn:
            self._catch_up()
            return self._answer(method, params)

    def _answer(self, method: str, params: list[Any]) -> Any:
        answer = getattr(self, f"_{method}", None) if method.startswith("eth_") else None
        if answer is None:
            raise self._error(method, _UNKNOWN_METHOD, "the embedded chain has no such method")
        try:
            return answer(*params)
        except BillproofError:
            raise
        except TransactionRefused as error:
            raise self._error(method, _REFUSED, str(error)) from error
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            why = f"invalid parameters ({type(error).__name__})"
            raise self._error(method, _INVALID_PARAMS, why) from error

    # --- journal -----------------------------------------------------------------------------------

    def _begin(self, time: int) -> None:
        accounts = {bytes.fromhex(address[2:]): FUNDS for address in DEVELOPMENT_ADDRESSES}
        self._chain = self._genesis(time, accounts, None)
        self._journal.append(
            {
                "schema": SCHEMA,
                "chainId": str(EMBEDDED_CHAIN_ID),
                "time": time,
                "accounts": dict.fromkeys(DEVELOPMENT_ADDRESSES, str(FUNDS)),
                "hash": evm_json.hexed(self._chain.head.hash),
            }
        )

    def _require_genesis(self) -> None:
        if self._journal.line == 0:
            raise InputError("the chain is empty", file=self._journal.shown, advice="deploy to it first")

    def _catch_up(self) -> None:
        """Replays what this or another process appended since."""
        for number, entry in self._journal.new_lines():
            try:
                if number == 1:
                    self._replay_genesis(entry, number)
                else:
                    self._replay_block(entry, number)
            except TransactionRefused as error:
                raise self._tampered(number, "transactions", printable(str(error))) from error
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                raise self._tampered(number, None, "not a block of an embedded chain") from error

    def _replay_genesis(self, entry: dict[str, Any], number: int) -> None:
        if entry.get("schema") != SCHEMA:
            raise InputError(
                f"not an embedded chain of this version ({SCHEMA})", file=self._journal.shown, line=number
            )
        if entry["chainId"] != str(EMBEDDED_CHAIN_ID):
            raise self._tampered(number, "chainId", f"an embedded chain's id is always {EMBEDDED_CHAIN_ID}")
        accounts = {}
        for account, balance in entry["accounts"].items():
            if not re.fullmatch("0x[0-9a-f]{40}", account) or not re.fullmatch("[0-9]{1,78}", balance):
                raise self._tampered(number, "accounts", "not an address and its balance")
            accounts[bytes.fromhex(account[2:])] = int(balance)
        self._chain = self._genesis(_whole(entry["time"]), accounts, number)
        self._compare(number, "hash", entry["hash"], self._chain.head.hash)

    def _genesis(self, time: int, accounts: dict[bytes, int], line: int | None) -> LocalChain:
        try:
            return LocalChain(EMBEDDED_CHAIN_ID, time, accounts)
        except TransactionRefused as error:
            raise InputError(str(error), file=self._journal.shown, line=line) from error

    def _replay_block(self, entry: dict[str, Any], number: int) -> None:
        if _whole(entry["block"]) != len(self._chain.blocks):
            raise self._tampered(number, "block", f"expected block {len(self._chain.blocks)}")
        raws = entry["transactions"]
        if not isinstance(raws, list) or not all(re.fullmatch("0x([0-9a-f]{2})*", raw) for raw in raws):
            raise self._tampered(number, "transactions", "not a list of signed transactions")
        transactions = tuple(self._chain.decode(bytes.fromhex(raw[2:])) for raw in raws)
        header = self._chain.seal(transactions, _whole(entry["time"])).header
        self._compare(number, "stateRoot", entry["stateRoot"], header.state_root)
        self._compare(number, "hash", entry["hash"], header.hash)

    def _compare(self, number: int, field: str, journaled: str, replayed: bytes) -> None:
        if journaled != evm_json.hexed(replayed):
            raise self._tampered(number, field, f"the replay gives {evm_json.hexed(replayed)}")

    def _tampered(self, number: int, field: str | None, why: str) -> InputError:
        return InputError(
            f"the embedded chain does not replay: {why}",
            file=self._journal.shown,
            line=number,
            field=field,
            advice="this line or one before it was changed; restore the file from a copy",
        )

    # --- methods -----------------------------------------------------------------------------------

    def _eth_chainId(self) -> str:
        return hex(EMBEDDED_CHAIN_ID)

    def _eth_blockNumber(self) -> str:
        return hex(len(self._chain.blocks) - 1)

    def _eth_gasPrice(self) -> str:
        return hex(2 * self._chain.head.base_fee_per_gas + 10**9)

    def _eth_maxPriorityFeePerGas(self) -> str:
        return hex(10**9)

    def _eth_getBalance(self, address: str, block: str = "latest") -> str:
        return hex(self._state(block).get_balance(evm_json.address(address)))

    def _eth_getTransactionCount(self, address: str, block: str = "latest") -> str:
        return hex(self._state(block).get_nonce(evm_json.address(address)))

    def _eth_getCode(self, address: str, block: str = "latest") -> str:
        return evm_json.hexed(self._state(block).get_code(evm_json.address(address)))

    def _eth_getStorageAt(self, address: str, slot: str, block: str = "latest") -> str:
        value = self._state(block).get_storage(evm_json.address(address), int(slot, 16))
        return f"0x{value:064x}"

    def _eth_getBlockByNumber(self, block: str, full: bool = False) -> dict[str, Any] | None:
        number = self._number(block, missing=-1)
        return None if number < 0 else evm_json.block(self._chain.blocks[number], full)

    def _eth_getTransactionByHash(self, tx_hash: str) -> dict[str, Any] | None:
        block, position = self._find(tx_hash)
        return None if block is None else evm_json.transaction(block, position)

    def _eth_getTransactionReceipt(self, tx_hash: str) -> dict[str, Any] | None:
        block, position = self._find(tx_hash)
        return None if block is None else evm_json.receipt(block, position)

    def _eth_getLogs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        last = len(self._chain.blocks) - 1
        start = min(self._number(query.get("fromBlock", "latest"), missing=last + 1), last + 1)
        end = self._number(query.get("toBlock", "latest"), missing=last)
        return [
            log
            for block in self._chain.blocks[start : end + 1]
            for log in evm_json.logs(block)
            if evm_json.matches(log, query.get("address"), query.get("topics") or [])
        ]

    def _eth_call(self, call: dict[str, Any], block: str = "latest") -> str:
        result = self._chain.call(self._number(block), **evm_json.call_arguments(call))
        if result.failure:
            raise self._failed("eth_call", result.failure, result.reverted, result.output)
        return evm_json.hexed(result.output)

    def _eth_estimateGas(self, call: dict[str, Any], block: str = "latest") -> str:
        number, arguments = self._number(block), evm_json.call_arguments(call)
        arguments.pop("gas", None)
        result = self._chain.call(number, **arguments)
        if result.failure:
            raise self._failed("eth_estimateGas", result.failure, result.reverted, result.output)
        # A call may hold back a 64th of its gas from those it makes: more than it uses can be needed.
        enough = result.gas
        while self._chain.call(number, **arguments, gas=enough).failure:
            enough += enough // 16
        return hex(enough)

    def _eth_sendRawTransaction(self, raw: str) -> str:
        if not self._journal.writable:
            raise EndpointError(
                f"{self.name} is open for reading only",
                endpoint=self.name,
                cause="read-only",
                advice="open it writable to send transactions",
            )
        transaction = self._chain.decode(bytes.fromhex(raw[2:]))
        with self._journal.turn():
            self._catch_up()
            self._journal.cut_torn_end()
            if transaction.hash in self._chain.index:
                raise TransactionRefused("already known")
            earliest = self._chain.head.timestamp + 1
            wanted = int(clock.time()) if self._time is None else self._time
            block = self._chain.seal((transaction,), max(wanted, earliest))
            try:
                self._journal.append(evm_json.journal_entry(block, [raw.lower()]))
            except OSError as error:
                self._journal.rewind()  # memory is ahead of the disk: replay before the next answer
                raise InputError(f"cannot be written: {error.strerror}", file=self._journal.shown) from error
        return evm_json.hexed(transaction.hash)

    # --- helpers -----------------------------------------------------------------------------------

    def _number(self, block: str, missing: int | None = None) -> int:
        if block in _TAGS:
            return len(self._chain.blocks) - 1
        number = 0 if block == "earliest" else int(block, 16)
        if number < len(self._chain.blocks):
            return number
        if missing is None:
            raise TransactionRefused(f"there is no block {number} yet")
        return missing

    def _state(self, block: str) -> Any:
        return self._chain.state(self._number(block))

    def _find(self, tx_hash: str) -> tuple[Block | None, int]:
        number, position = self._chain.index.get(bytes.fromhex(tx_hash[2:]), (-1, 0))
        return (None, 0) if number < 0 else (self._chain.blocks[number], position)

    def _failed(self, method: str, failure: str, reverted: bool, output: bytes) -> RpcError:
        if reverted:
            return self._error(method, _REVERTED, "execution reverted", evm_json.hexed(output))
        return self._error(method, _REFUSED, failure)

    def _error(self, method: str, code: int, message: str, data: Any = None) -> RpcError:
        return RpcError(self.name, method, code, message, data)


def _whole(number: Any) -> int:
    """A number of the journal.

    Raises:
        TypeError: it is another type, booleans and fractions included.
    """
    if type(number) is not int:
        raise TypeError("no whole number")
    return number
