"""Every test of typed hashes, salts and trees runs twice: message by message, and in the compiled kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billproof.commitment import keccak


@pytest.fixture(scope="module", params=["single calls", "kernel"], autouse=True)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which of the two implementations hashes, whatever the number of messages."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "kernel":
            patch.setattr(keccak, "LOAD_AFTER", -1)
            patch.setattr(keccak, "WORTH_A_CALL", 0)
            assert keccak.batch_kernel(1) is not None
        else:
            patch.setattr(keccak, "LOAD_AFTER", 1 << 62)
            patch.setattr(keccak, "WORTH_A_CALL", 1 << 62)
            assert keccak.batch_kernel(1 << 40) is None
        yield request.param
