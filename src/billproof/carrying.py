"""What the accounts of a billing run carried into its cycle, and carry on (``docs/tariff.md``, section 6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.account_tariffs import AccountTariffs
from billproof.tariff import Tariff
from billproof.tariff.balances import Balances, Held, write_balances


class Carrying:
    """Balances of accounts of several tariffs, part by part; from several threads at once too.

    ``loaded`` are the tariffs of the accounts' codes. :class:`InputError` where an account's tariff does not
    carry over what stands there, also of an account that has no statement.
    """

    def __init__(self, tariffs: AccountTariffs, loaded: Sequence[Tariff], balances: Balances) -> None:
        self._balances = balances
        self._loaded = loaded
        self._codes = tariffs.codes(balances.accounts)
        self._met: list[pa.Array] = []
        self._next: list[pa.Table] = []
        for code, tariff in enumerate(loaded):
            balances.of(balances.accounts.filter(pa.array(self._codes == code)), tariff)

    def held(self, accounts: pa.Array, tariff: Tariff) -> Held:
        """What accounts of that tariff carried over, for their statements."""
        self._met.append(accounts)
        return self._balances.of(accounts, tariff)

    def carry_on(self, held: Held, left: NDArray[np.int64]) -> None:
        """``left``, (accounts, allowances), is what their statements leave."""
        self._next.append(held.carried_on(left).table)

    @property
    def used(self) -> pa.Table:
        """What accounts that have a statement carried over."""
        return self._balances.taken(np.flatnonzero(self._with_statement))

    @property
    def next_file(self) -> bytes:
        """The file of the next cycle. Accounts without a statement used nothing; those without a tariff have
        no next cycle."""
        tables = [*self._next]
        idle = ~self._with_statement
        for code, tariff in enumerate(self._loaded):
            rows = pa.array(idle & (self._codes == code))
            held = self._balances.of(self._balances.accounts.filter(rows), tariff)
            tables.append(held.carried_on(held.whole).table)
        return write_balances(tables)

    @property
    def _with_statement(self) -> NDArray[np.bool_]:
        met = pa.chunked_array(self._met, pa.string())
        with_statement: NDArray[np.bool_] = pc.is_in(self._balances.accounts, met).to_numpy(
            zero_copy_only=False
        )
        return with_statement
