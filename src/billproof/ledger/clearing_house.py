"""The clearing house in Python: a method per transaction, and the signatures that bind operators."""

from __future__ import annotations

from collections.abc import Sequence

from billproof.errors import LedgerError
from billproof.ledger import token
from billproof.ledger.artifact import CLEARING_HOUSE, house_address
from billproof.ledger.calls import encode_call
from billproof.ledger.client import LedgerClient
from billproof.ledger.house_hashes import net_amount_values, netting_values, signable
from billproof.ledger.house_reads import OPENED, clearing_state, require_house
from billproof.ledger.house_states import (
    BatchReference,
    Deadlines,
    NetAmount,
    Netting,
    Opening,
)
from billproof.ledger.reads import hash32
from billproof.ledger.transactions import Receipt


class ClearingHouse:
    """Sends to the house of a client's ledger; the client says on which chain, and who signs.

    Transactions wait for their block, and raise as those of ``LedgerClient`` do.
    """

    def __init__(self, client: LedgerClient) -> None:
        self.client = client
        self.address = house_address(client.deployment.ledger)
        self._checked = False

    # --- books -------------------------------------------------------------------------------------

    def open(
        self, operator_id: int, partner_id: int, period: int, deadlines: Deadlines
    ) -> tuple[bytes, Receipt]:
        """Opens the next round; an anchorer or the admin signs. Returns its id and the receipt."""
        receipt = self._transact("open", operator_id, partner_id, period, deadlines)
        endpoint, deployment = self.client.endpoint, self.client.deployment
        for log in receipt.logs:
            topics = log.get("topics")
            if str(log.get("address")).lower() != self.address or not isinstance(topics, list):
                continue
            if len(topics) == 4 and topics[0] == OPENED:
                found = bytes.fromhex(hash32(endpoint, topics[1])[2:])
                return clearing_state(endpoint, deployment, found).id, receipt
        raise LedgerError(f"transaction {receipt.hash} opened nothing", advice="check --deployment")

    def commit(self, clearing: bytes, operator_id: int, commitment: bytes) -> Receipt:
        """Commits to a book; an anchorer or the admin signs."""
        return self._transact("commit", clearing, operator_id, commitment)

    def reveal(
        self,
        clearing: bytes,
        operator_id: int,
        batches: Sequence[BatchReference],
        statements_hash: bytes,
        salt: bytes,
    ) -> Receipt:
        """Opens the commitment; an anchorer or the admin signs."""
        return self._transact("reveal", clearing, operator_id, list(batches), statements_hash, salt)

    # --- ends --------------------------------------------------------------------------------------

    def refuse(self, clearing: bytes, operator_id: int) -> Receipt:
        """Ends a clearing before its last part is agreed; the admin signs."""
        return self._transact("refuse", clearing, operator_id)

    def close_overdue(self, clearing: bytes, operator_id: int) -> Receipt:
        """Ends a clearing whose deadline has passed; an anchorer or the admin of a side signs."""
        return self._transact("closeOverdue", clearing, operator_id)

    def close_repudiated(self, clearing: bytes, operator_id: int) -> Receipt:
        """Ends a clearing of which an opened batch was repudiated; as above."""
        return self._transact("closeRepudiated", clearing, operator_id)

    # --- money -------------------------------------------------------------------------------------

    def sign_net_amount(self, net: NetAmount, nonces: tuple[int, int]) -> bytes:
        """The signer's signature of a part; ``nonces`` of A and B."""
        return self._sign("NetAmount", net_amount_values(net, nonces))

    def sign_netting(self, netting: Netting, nonces: Sequence[int]) -> bytes:
        """The signer's signature of a netting; ``nonces`` in the order of its operators."""
        return self._sign("Netting", netting_values(netting, nonces))

    def agree(self, net: NetAmount, signature_a: bytes, signature_b: bytes) -> Receipt:
        """Submits the next part; anybody signs the transaction."""
        return self._transact("agree", net, signature_a, signature_b)

    def confirm(self, source: bytes, part: int, payment_hash: bytes) -> Receipt:
        """Says that a part was paid elsewhere; the creditor's admin signs."""
        return self._transact("confirm", source, part, payment_hash)

    def pay(self, source: bytes, part: int, opening: Opening) -> list[Receipt]:
        """Pays a part from the signer's tokens, and before that lets the house move exactly the amount, if it
        may not; returns the receipts. **Makes the amount public.**

        Raises:
            LedgerError: the signer has too little of the token.
        """
        self.check()
        endpoint, payer = self.client.endpoint, self.client.signer.address
        held = token.balance(endpoint, opening.token, payer)
        if held < opening.amount:
            raise LedgerError(
                f"{payer} has {held} of the token {opening.token}, {opening.amount} are needed",
                advice="send it some, or pay from another account",
            )
        receipts = []
        allowed = token.allowance(endpoint, opening.token, payer, self.address)
        if allowed < opening.amount:
            # Some tokens change an allowance only from nothing.
            for amount in (0, opening.amount) if allowed else (opening.amount,):
                call = token.approve_call(self.address, amount)
                receipts.append(self.client.send(opening.token, call))
        return [*receipts, self._transact("pay", source, part, opening)]

    def net(self, netting: Netting, signatures: Sequence[bytes]) -> Receipt:
        """Submits a netting; anybody signs the transaction. ``signatures`` in the order of its operators."""
        return self._transact("net", netting, list(signatures))

    def withdraw_signatures(self, operator_id: int) -> Receipt:
        """Voids what the operator has signed and nobody has submitted; the admin signs."""
        return self._transact("withdrawSignatures", operator_id)

    # -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises unless the house stands beside the ledger on the endpoint's chain; asks once."""
        if not self._checked:
            self.client.check()
            require_house(self.client.endpoint, self.client.deployment)
            self._checked = True

    def _sign(self, struct: str, values: Sequence[object]) -> bytes:
        domain, types, message = signable(struct, values, self.client.deployment.chain_id, self.address)
        return self.client.signer.sign_typed(domain, types, message)

    def _transact(self, name: str, *arguments: object) -> Receipt:
        self.check()
        return self.client.send(self.address, encode_call(name, arguments, CLEARING_HOUSE))
