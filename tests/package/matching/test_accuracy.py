"""A simulated month with errors: most are found, next to nobody is accused wrongly."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import matching  # the benchmark's own module

        yield matching
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


def test_errors_are_found_and_nobody_is_accused(benchmark, tmp_path):
    _, figures = benchmark.measure(200, [7], 0.02, tmp_path)
    assert figures["recallPercent"] >= 98
    assert figures["precisionPercent"] >= 97
    assert figures["questions"]["percent"] >= 95
    assert figures["errorFree"]["percent"] >= 97
    assert figures["errorFree"]["noQuestionPercent"] >= 90
    assert figures["questions"]["toAsk"] >= 1
    assert sum(kind["shown"] for kind in figures["recall"].values()) >= 20
