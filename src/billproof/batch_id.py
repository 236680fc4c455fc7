"""The name of a batch: which chain, ledger, operator, period, region and sequence it was built for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from billproof.commitment.structs import BATCH_ID, hash_one
from billproof.errors import InputError


@dataclass(frozen=True)
class BatchId:
    """Names a batch for ever. ``ledger`` is a lower-case 0x address, ``period`` is YYYYMM."""

    chain_id: int
    ledger: str
    operator_id: int
    period: int
    region: int
    sequence: int

    @cached_property
    def hash(self) -> bytes:
        """``hashStruct(BatchId)``: what every statement and account key of the batch is bound to."""
        return hash_one(
            BATCH_ID,
            {
                "chainId": self.chain_id,
                "ledger": bytes.fromhex(self.ledger[2:]),
                "operatorId": self.operator_id,
                "period": self.period,
                "region": self.region,
                "sequence": self.sequence,
            },
        )

    @property
    def fields(self) -> dict[str, str]:
        """The batch id as every file of ours writes it."""
        return {
            "chainId": str(self.chain_id),
            "ledger": self.ledger,
            "operatorId": str(self.operator_id),
            "period": str(self.period),
            "region": str(self.region),
            "sequence": str(self.sequence),
        }

    @property
    def path(self) -> Path:
        """Where the batch lies inside a store: ``operator/period/region-sequence``."""
        return Path(str(self.operator_id), str(self.period), f"{self.region}-{self.sequence}")

    def __str__(self) -> str:
        return f"operator {self.operator_id}, period {self.period}, batch {self.region}-{self.sequence}"


def check_period(period: int) -> int:
    """The period itself when it is a YYYYMM that the ledger accepts; :class:`InputError` otherwise."""
    if not (200001 <= period <= 999912 and 1 <= period % 100 <= 12):
        raise InputError(
            f"{period} is not a billing period",
            advice="Write it as YYYYMM, for example 202610 for October 2026.",
        )
    return period


def period_before(period: int) -> int:
    """The month before a YYYYMM."""
    year, month = divmod(period, 100)
    return period - 1 if month > 1 else (year - 1) * 100 + 12
