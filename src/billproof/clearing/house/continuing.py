"""A part whose settlement continues another: compared with it, and with what was agreed since."""

from __future__ import annotations

from collections.abc import Mapping

from billproof.clearing.house.model import Part
from billproof.clearing.house.parts import documents_of
from billproof.clearing.settlement.resolving import require_continues
from billproof.clearing.settlement.settlement import Settlement
from billproof.errors import DifferenceError, InputError
from billproof.ledger.client import LedgerClient

_OPTION = "--continues"


def require_continued(
    client: LedgerClient, part: Part, settlement: Settlement, documents: Mapping[bytes, Settlement]
) -> None:
    """Compares a disputed settlement with the one that it continues, so that no claim is settled twice.

    ``documents`` are settlements by their documents' hashes: that one, and those of the parts agreed since.
    Compare the part first: :func:`billproof.clearing.house.parts.require_part`.

    Raises:
        InputError: one of them is missing, or there is nothing to compare.
        DifferenceError: the settlement does not follow from it, or another part has continued it.
    """
    continues = settlement.continues
    if continues is None:
        if documents:
            raise InputError("the settlement continues none", field=_OPTION, advice="Leave it out.")
        return
    if continues not in documents:
        raise InputError(
            f"the settlement continues the document 0x{continues.hex()}",
            field=_OPTION,
            advice="Give that settlement.json: it says what was open.",
        )
    require_continues(settlement, documents[continues], continues)
    agreed = documents_of(client, part)
    since = agreed.index(continues) + 1
    for number, document in enumerate(agreed[since:], since + 1):
        if document not in documents:
            raise InputError(
                f"part {number} was agreed since, and may have settled the same claims",
                field=_OPTION,
                advice=f"Give the settlement.json of part {number} with --continues, too.",
            )
        if documents[document].continues == continues:
            raise DifferenceError(
                f"part {number} continues the same document: its claims may be settled already",
                advice=f"do not sign; continue the document of part {number}: billproof resolve",
            )
