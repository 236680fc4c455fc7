"""Every vector comes out as written, and the cases that they are made of say the same by hand."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
VECTORS = sorted((ROOT / "tests/vectors/matching").glob("*.json"))


@pytest.fixture(scope="module")
def tool():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        spec = importlib.util.spec_from_file_location(
            "make_matching_vectors", ROOT / "tools/make_matching_vectors.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(ROOT / "tools"))


def test_there_are_vectors_of_every_class_and_reason():
    expected = [json.loads(path.read_bytes())["expected"] for path in VECTORS]
    lines = {(line["class"], line["reason"]) for result in expected for line in result["lines"]}
    entries = {entry["class"] for result in expected for log in result["entries"] for entry in log}
    assert len(VECTORS) >= 80
    assert lines == {
        *(("not-comparable", reason) for reason in ("service", "correction", "forwarded")),
        *(("hung", reason) for reason in ("paired", "overlap")),
        *(("longer", reason) for reason in ("unanswered", "talked", "rounding")),
        *(("late", reason) for reason in ("paired", "uncovered")),
        *(("matched", reason) for reason in ("paired", "shifted", "continued", "part")),
        *(("duplicate", reason) for reason in ("same", "near")),
        *(("not-covered", reason) for reason in ("outside", "hole", "foreign")),
        *(("invoice-only", reason) for reason in ("unknown", "absent")),
    }
    assert entries == {
        *("billed", "copy", "free", "incoming", "unanswered", "other-sim", "freephone"),
        *("other-period", "next-bill", "by-app", "missing"),
    }


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vector(tool, path):
    vector = json.loads(path.read_bytes())
    assert tool.answer(vector) == vector["expected"]


def test_vectors_are_those_of_the_cases(tool):
    made = {case.name: tool.vector_of(case) for case in tool.cases()}
    assert not tool._FAULTS
    assert made == {path.stem: json.loads(path.read_bytes()) for path in VECTORS}
