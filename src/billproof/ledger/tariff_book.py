"""The tariff book in Python: publication and withdrawal, by whoever the ledger lets."""

from __future__ import annotations

from billproof.errors import InputError
from billproof.ledger.artifact import TARIFF_BOOK, book_address, load_artifact
from billproof.ledger.calls import encode_call
from billproof.ledger.client import LedgerClient
from billproof.ledger.reads import code_at
from billproof.ledger.states import ForeignCodeError
from billproof.ledger.tariff_reads import no_book
from billproof.ledger.transactions import Receipt

_PUBLISH_TYPE = {
    "Publish": [
        {"name": "operatorId", "type": "uint64"},
        {"name": "tariffHash", "type": "bytes32"},
        {"name": "validFrom", "type": "uint64"},
        {"name": "validUntil", "type": "uint64"},
        {"name": "publisher", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]
}


class TariffBook:
    """Sends to the book of a client's ledger; the client says on which chain, and who signs.

    ``valid_from`` and ``valid_until`` (0: no end) are wall clock times written as UTC seconds. Transactions
    wait for their block, and raise as those of ``LedgerClient`` do.
    """

    def __init__(self, client: LedgerClient) -> None:
        self.client = client
        self.address = book_address(client.deployment.ledger)
        self._checked = False

    def publish(self, operator_id: int, tariff: bytes, valid_from: int, valid_until: int = 0) -> Receipt:
        """Publishes the hash of a tariff; an anchorer or the admin signs."""
        return self._transact("publish", operator_id, tariff, valid_from, valid_until)

    def withdraw(self, operator_id: int, tariff: bytes, withdrawn_from: int) -> Receipt:
        """Says from when on (UTC seconds, not in the past) a version is not used; the admin signs."""
        return self._transact("withdraw", operator_id, tariff, withdrawn_from)

    def sign_publish(
        self, operator_id: int, tariff: bytes, valid_from: int, valid_until: int, deadline: int
    ) -> bytes:
        """The signer's EIP-712 signature over a publication, for somebody else to send until ``deadline``
        (UTC seconds)."""
        publisher = self.client.signer.address
        encode_call("publish", [operator_id, tariff, valid_from, valid_until], TARIFF_BOOK)
        if not 0 <= deadline < 1 << 256:
            raise InputError("not a time", field="deadline", advice="give UTC seconds")
        domain = {
            "name": "Billproof TariffBook",
            "version": "1",
            "chainId": self.client.deployment.chain_id,
            "verifyingContract": self.address,
        }
        message = {
            "operatorId": operator_id,
            "tariffHash": tariff,
            "validFrom": valid_from,
            "validUntil": valid_until,
            "publisher": publisher,
            "nonce": self.client.view("nonceOf", operator_id, publisher),
            "deadline": deadline,
        }
        return self.client.signer.sign_typed(domain, _PUBLISH_TYPE, message)

    def publish_by_sig(
        self,
        operator_id: int,
        tariff: bytes,
        valid_from: int,
        valid_until: int,
        publisher: str,
        deadline: int,
        signature: bytes,
    ) -> Receipt:
        """Sends a signed publication; anyone may sign the transaction and pay."""
        terms = (operator_id, tariff, valid_from, valid_until)
        return self._transact("publishBySig", *terms, publisher.lower(), deadline, signature)

    def check(self) -> None:
        """Raises unless the book stands beside the ledger on the endpoint's chain; asks once."""
        if self._checked:
            return
        self.client.check()
        endpoint = self.client.endpoint
        code = code_at(endpoint, self.address)
        if not code:
            raise no_book(self.client.deployment)
        if not load_artifact(TARIFF_BOOK).is_code_of(code):
            raise ForeignCodeError(
                f"the contract at {self.address} is not the tariff book (says {endpoint.name})",
                advice="do not rely on this endpoint; use another with --rpc",
            )
        self._checked = True

    def _transact(self, name: str, *arguments: object) -> Receipt:
        self.check()
        return self.client.send(self.address, encode_call(name, arguments, TARIFF_BOOK))
