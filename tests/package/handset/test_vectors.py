"""Every sample gives what is written beside it, whatever its name and wherever it is read from."""

import json
from pathlib import Path
from typing import Any

import pytest

from billproof.errors import InputError
from billproof.handset import ENTRY_SCHEMA, PhoneLogError, read_phone_log

VECTORS = Path(__file__).parents[2] / "vectors" / "handset"
SAMPLES = sorted(path for path in VECTORS.iterdir() if not path.name.endswith(".expected.json"))


def expected(path: Path) -> dict[str, Any]:
    return json.loads(path.with_name(f"{path.name}.expected.json").read_text("utf-8"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("way", ["path", "bytes", "other name"])
def test_sample(path: Path, way: str) -> None:
    want = expected(path)
    source = {"path": path, "bytes": (path.name, path.read_bytes()), "other name": ("x", path.read_bytes())}[
        way
    ]
    if "error" in want:
        with pytest.raises(InputError) as caught:
            read_phone_log(source)
        assert isinstance(caught.value, PhoneLogError)
        assert caught.value.code == want["error"]
        assert caught.value.advice
        return
    (log,) = read_phone_log(source)
    assert log.entries.schema.equals(ENTRY_SCHEMA)
    assert log.entries.to_pylist() == want["entries"]
    assert [vars(reject) for reject in log.rejects] == want["rejects"]
    assert (log.format, log.clock, log.step, log.duration_step, log.exported_at) == (
        want["format"],
        want["clock"],
        want["step"],
        want["durationStep"],
        want["exportedAt"],
    )
    assert log.name == want["name"] or way == "other name"


def test_there_are_samples_of_every_format() -> None:
    formats = {expected(path).get("format") for path in SAMPLES}
    assert formats >= {
        "sms-backup-restore",
        "android-call-log",
        "iphone-call-history",
        "spreadsheet",
        "google-voice",
        "fritzbox",
    }
