"""`brownie run anchor`: anchor a period's batches.

BILLPROOF_STORE, BILLPROOF_OPERATOR and BILLPROOF_PERIOD say which.
"""

from pathlib import Path

from billproof.anchoring import anchor_period
from scripts.connection import client, setting


def main():
    """Anchors what is not anchored yet; may be interrupted and run again."""
    store, operator_id, period = (setting(f"BILLPROOF_{name}") for name in ("STORE", "OPERATOR", "PERIOD"))
    results = anchor_period(Path(store), client(), int(operator_id), int(period))
    for result in results:
        print(f"{result.request.key}: block {result.anchored.block_number}, {result.anchored.gas_used:,} gas")
    return results
