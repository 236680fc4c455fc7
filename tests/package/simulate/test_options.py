"""Options that make no sense are refused in words."""

from __future__ import annotations

import pytest

from billproof.cli import main
from billproof.errors import InputError
from billproof.simulate import simulate

GOOD = {"operators": 1, "subscribers": 5, "period": 202609, "seed": 1, "formats": ["csv"]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"operators": 0}, "operators"),
        ({"subscribers": 0}, "subscribers"),
        ({"subscribers": 2_000_000}, "subscribers"),
        ({"period": 202613}, "period"),
        ({"period": 9}, "period"),
        ({"seed": -1}, "seed"),
        ({"formats": []}, "format"),
        ({"formats": ["csv", "csv"]}, "format"),
        ({"formats": ["tap3"]}, "format"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc"}, "timezone"),
        ({"records_per_subscriber": 0}, "records_per_subscriber"),
        ({"rejects": -1}, "rejects"),
        ({"currency": "euro"}, "currency"),
    ],
)
def test_refused(tmp_path, change, field):
    with pytest.raises(InputError) as caught:
        simulate(tmp_path / "out", **{**GOOD, **change})
    assert caught.value.field == field
    assert caught.value.advice
    assert not (tmp_path / "out").exists()


def test_an_earlier_simulation_is_replaced_only_on_request(tmp_path):
    simulate(tmp_path, **{**GOOD, "operators": 2})
    with pytest.raises(InputError, match="already holds"):
        simulate(tmp_path, **GOOD)
    simulate(tmp_path, **GOOD, overwrite=True)
    assert not (tmp_path / "cdr/operator-2").exists()


def test_foreign_files_are_never_removed(tmp_path):
    (tmp_path / "cdr").mkdir()
    (tmp_path / "cdr/precious.csv").write_text("x")
    with pytest.raises(InputError, match="left alone"):
        simulate(tmp_path, **GOOD, overwrite=True)
    assert (tmp_path / "cdr/precious.csv").exists()


def test_progress_counts_subscribers(tmp_path):
    seen = []
    simulate(tmp_path, **{**GOOD, "operators": 2}, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(5, 10), (10, 10)]


@pytest.mark.parametrize("name", ["asterisk", "freeswitch", "ipdr-csv", "ipdr-xml", "itemised-bill"])
def test_one_format_alone_carries_what_it_can(tmp_path, name):
    simulation = simulate(tmp_path, **{**GOOD, "subscribers": 40, "formats": [name]})
    assert 35 < simulation.records / 40 < 65


def test_a_single_subscriber_of_a_single_operator(tmp_path):
    assert simulate(tmp_path, **{**GOOD, "subscribers": 1}, records_per_subscriber=500).records > 20


def test_very_few_records(tmp_path):
    assert simulate(tmp_path, **GOOD, records_per_subscriber=0.5).records >= 15


def test_a_large_seed_is_a_string_in_json(tmp_path, document):
    simulation = simulate(tmp_path, **{**GOOD, "seed": 2**60})
    assert document(simulation)["seed"] == str(2**60)


def test_the_command_line_writes_logs_and_labels(tmp_path, capsys):
    words = "simulate --subscribers 20 --period 202610 --phone-logs --phone-format iphone --errors 0.05 --out"
    with pytest.raises(SystemExit) as ended:
        main([*words.split(), str(tmp_path / "out")])
    assert ended.value.code in (0, None)
    assert "labels.csv" in capsys.readouterr().out
    assert (tmp_path / "out/labels.csv").exists()
    assert list((tmp_path / "out/phones/operator-1").glob("M*/CallHistory.storedata"))
