"""Bad rows and rows of other months, exactly where ``simulation.json`` says."""

from __future__ import annotations

from collections import Counter

import pytest

from billproof.errors import InputError
from billproof.simulate import FORMATS, simulate

REJECTS, OTHERS = 70, 45


@pytest.fixture(scope="module")
def blemished(tmp_path_factory):
    return simulate(
        tmp_path_factory.mktemp("blemished"),
        operators=2,
        subscribers=40,
        period=202512,
        seed=8,
        formats=list(FORMATS),
        rejects=REJECTS,
        other_periods=OTHERS,
    )


def test_as_many_as_asked_for_in_every_format(blemished, document):
    notes = document(blemished)["blemishes"]
    assert Counter(note["kind"] for note in notes) == {"reject": REJECTS, "other_period": OTHERS}
    files = [file for operator in blemished.operators for file in operator.files]
    assert sum(file.rejects for file in files) == REJECTS
    assert sum(file.other_periods for file in files) == OTHERS
    assert {file.format for file in files if file.rejects} == set(FORMATS)
    assert {note["period"] for note in notes if note["kind"] == "other_period"} == {202511, 202601}


def test_good_rows_are_those_of_the_clean_simulation(blemished, tmp_path):
    """Blemishes come on top: without them the same rows remain, in the same order."""
    clean = simulate(tmp_path, operators=2, subscribers=40, period=202512, seed=8, formats=list(FORMATS))
    bad = {(note.file, note.line) for note in blemished.blemishes}
    for with_them, without in zip(blemished.operators, clean.operators, strict=True):
        for dirty, pure in zip(with_them.files, without.files, strict=True):
            lines = (blemished.out / dirty.path).read_text(encoding="utf-8").splitlines()
            good = [line for k, line in enumerate(lines, 1) if (dirty.path, k) not in bad]
            expected = (clean.out / pure.path).read_text(encoding="utf-8").splitlines()
            if dirty.format == "ipdr-xml":
                good, expected = good[:-2], expected[:-2]
            assert good == expected
            assert (dirty.records, dirty.amount) == (pure.records, pure.amount)
            assert dirty.rows == dirty.records + dirty.rejects + dirty.other_periods


def test_spoilt_text_stands_in_the_line_that_is_named(blemished):
    for note in blemished.blemishes:
        line = (blemished.out / note.file).read_text(encoding="utf-8").splitlines()[note.line - 1]
        if note.field:
            assert note.reason.split("'")[1] in line


def test_nothing_to_blemish(tmp_path):
    with pytest.raises(InputError, match="no freeswitch rows"):
        simulate(
            tmp_path, operators=1, subscribers=1, period=202609, seed=1, formats=["asterisk", "freeswitch"],
            rejects=5,
        )  # fmt: skip
