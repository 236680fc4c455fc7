"""Mapping files: what is refused and how; how a preset is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from billproof.errors import InputError
from billproof.intake import FORMATS, load_mapping, read
from billproof.intake.keys import Place, check_keys, merge
from billproof.intake.mapping import preset_tree


def load(folder: Path, text: str, preset: str | None = None) -> None:
    path = folder / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    load_mapping(path, preset=preset)


def with_section(plain: str, text: str) -> str:
    """``plain`` with the section that ``text`` begins in it, its keys added to those of ``plain``."""
    heading = text.partition("\n")[0]
    if heading + "\n" not in plain:
        return f"{text}\n{plain}"
    before, _, after = plain.partition(heading + "\n")
    source, _, rest = after.partition("\n")
    stated = "cases" in text or "column =" in text
    return f"{before}{text}\n{'' if stated else source}\n{rest}"


@pytest.mark.parametrize("name", [form.preset for form in FORMATS.values() if form.preset])
def test_presets_are_complete_and_known(name: str) -> None:
    check_keys(preset_tree(name), Place(name))
    assert load_mapping(None, preset=name).columns


def test_a_complete_mapping(tmp_path: Path, plain: str) -> None:
    load(tmp_path, plain)


def test_the_example_of_the_reference(tmp_path: Path) -> None:
    """Every TOML block of docs/formats.md is a mapping, or part of one."""
    text = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in text.split("```toml\n")[1:]]
    assert len(blocks) >= 4
    for block in blocks:
        named = block.splitlines()[0].removeprefix("# ").removesuffix(".toml")
        complete = all(f"[{section}]" in block for section in ("account", "time", "amount"))
        load(
            tmp_path,
            block,
            None if complete and named not in FORMATS else named if named in FORMATS else "itemised-bill",
        )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[acount]\ncolumn = 'x'", ["acount", "did you mean 'account'"]),
        ("[file]\ndelimeter = ';'", ["file.delimeter", "did you mean 'delimiter'"]),
        ("[file]\nquux = 1", ["file.quux", "known: encoding, delimiter"]),
        ("[time]\nzoen = 'UTC'", ["time.zoen", "did you mean 'zone'"]),
        ("[usage]\ncases = [{ colum = 'x' }]", ["usage.cases[1].colum", "did you mean 'column'"]),
        ("[file]\nheader = 1", ["file.header", "true or false"]),
        ("[file]\nskip_lines = true", ["file.skip_lines", "whole number"]),
        ("[file]\nencoding = 'utf-7'", ["file.encoding", "'utf-7'"]),
        ("[file]\ndelimiter = ';;'", ["file.delimiter", "one ASCII character"]),
        ("[file]\nquote = ','", ["file.quote", "is the delimiter too"]),
        ("[file]\nheader = false", ["file.columns"]),
        ("[file]\nskip_lines = -1", ["file.skip_lines"]),
        ("[file]\ndecimal = ','\nthousands = ','", ["file.thousands"]),
        ("[time]\nzone = 'Europe/Dubln'", ["time.zone", "'Europe/Dubln' is not a time zone"]),
        ("[time]\nzone = '../../etc/passwd'", ["time.zone", "is not a time zone"]),
        ("[time]\nformat = '%d %Q'", ["time.format", "%Q is not one of"]),
        ("[time]\nformat = '%d %d'", ["time.format", "%d stands twice"]),
        ("[time]\nformat = '%d %m'", ["time.format", "lacks the year"]),
        ("[time]\nformat = 'DD.MM.YYYY'", ["time.format", "is not iso, epoch_s"]),
        ("[usage]\nunit = 'kb'", ["usage.unit", "did you mean 'kB'"]),
        ("[usage]\nround = 'sideways'", ["usage.round", "'half-even'"]),
        ("[usage]\nunit = 0", ["usage.unit", "between 1"]),
        ("[amount]\nunit = 'cents'", ["amount.unit", "did you mean 'cent'"]),
        ("[amount]\nvalue = 1", ["amount", "column and value"]),
        ("[number]\nregion = 'ie'", ["number.region", "ISO 3166"]),
        ("[number]\nregion = 'IE'\ninternational = true", ["number", "region and international"]),
        ("[account]\ncolumn = ['a', 'b']", ["account.column"]),
        ("[account]\ncases = []", ["account.cases", "is empty"]),
        ("[account]\ncases = [{ column = 'a' }, { column = 'b' }]", ["account.cases[1]", "not the last"]),
        ("[account]\ncases = [{ when = {}, column = 'a' }]", ["account.cases[1].when", "names no column"]),
        ("[account]\ncases = [{ when = { a = 1 }, column = 'a' }]", ["account.cases[1].when.a", "in quotes"]),
        ("[account]\ncases = [{ when = { a = { nto = 'x' } }, column = 'a' }]", ["account.cases[1].when.a"]),
        (
            "[account]\ncases = [{ when = { a = { matches = '(' } }, column = 'a' }]",
            ["matches", "regular expression"],
        ),
        ("[account]\notherwise = 'x'", ["account.otherwise", "no values"]),
        ("[rate]\ntemplate = 'a {b'", ["rate.template", "names no column"]),
        ("[rate]\ntemplate = 'a } b'", ["rate.template", "closing brace"]),
        ("[period]\nfrom = 'column'", ["period", "needs column and format"]),
        ("[period]\nfrom = 'column'\ncolumn = 'x'\nformat = '%Y'", ["period.format"]),
        ("[period]\ncycle_day = 31", ["period.cycle_day", "1 to 28"]),
        ("[skip]\nreason = 'x'", ["skip", "[[skip]]"]),
        ("[[skip]]\nreason = 'x'", ["skip[1]", "lacks 'when'"]),
        ("rate = 3", ["rate", "is not a table"]),
        ("[account\n", ["is not TOML"]),
    ],
)
def test_refused_with_the_key_and_what_to_do(tmp_path: Path, plain: str, text: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, with_section(plain, text))
    for part in parts:
        assert part in str(caught.value)
    assert "mapping.toml" in str(caught.value)


def test_missing_sections_and_files(tmp_path: Path, plain: str) -> None:
    with pytest.raises(InputError, match="time"):
        load(tmp_path, plain.replace('[time]\ncolumn = "at"', ""))
    with pytest.raises(InputError, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not TOML"):
        load_mapping(tmp_path / "binary.toml")


def test_another_source_drops_the_presets() -> None:
    base = {"amount": {"value": "0"}, "service": {"column": "k", "values": {"a": 1}, "otherwise": 6}}
    over = {"amount": {"column": "price", "unit": "cent"}, "service": {"column": "kind"}}
    assert merge(base, over) == {"amount": {"column": "price", "unit": "cent"}, "service": {"column": "kind"}}
    assert merge(base, {"service": {"values": {"b": 4}}})["service"]["values"] == {"a": 1, "b": 4}
    assert merge({"time": {"column": "a", "zone": "UTC"}}, {"time": {"zone": "Asia/Tokyo"}}) == {
        "time": {"column": "a", "zone": "Asia/Tokyo"}
    }
    assert merge({"file": {"header": False, "columns": ["a"]}}, {"file": {"header": True}}) == {
        "file": {"header": True}
    }


def test_formats_and_periods_are_checked_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'asterisk'"):
        read(tmp_path / "x", "asterix", period=202611)
    with pytest.raises(InputError, match="needs a mapping"):
        read(tmp_path / "x", "csv", period=202611)
    for period in (0, 202600, 202613, 2026, 196912):
        with pytest.raises(InputError, match="is not a billing period"):
            read(tmp_path / "x", "asterisk", period=period)
