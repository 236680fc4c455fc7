"""A mapping: what the columns of a file mean. Read from TOML, checked in full before any row is read.

The reference is docs/formats.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from billproof.errors import InputError
from billproof.intake.clock import Clock, parse_clock
from billproof.intake.delimited import Layout
from billproof.intake.keys import SOURCE_KEYS, Place, check_keys, merge
from billproof.intake.options import options_for
from billproof.intake.source import encoding_name
from billproof.intake.splitting import Dialect


@dataclass(frozen=True)
class Condition:
    """A column's text is (or, ``negated``, is not) one of ``texts``, or matches ``pattern`` as a whole."""

    column: str
    texts: tuple[str, ...] = ()
    negated: bool = False
    pattern: str | None = None


@dataclass(frozen=True)
class Case:
    """One way to a field's text: from ``columns`` or from ``value``, for rows on which every condition
    holds.
    """

    when: tuple[Condition, ...]
    columns: tuple[str, ...]
    value: str | None
    end: str | None = None
    template: tuple[tuple[bool, str], ...] | None = None
    values: Mapping[str, str] | None = None
    otherwise: str | None = None
    empty: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def names(self) -> Iterator[str]:
        """The columns it reads."""
        yield from (condition.column for condition in self.when)
        yield from self.columns
        if self.end is not None:
            yield self.end
        yield from (text for is_column, text in self.template or () if is_column)


@dataclass(frozen=True)
class Skip:
    """Rows that are not on the bill, and why."""

    when: tuple[Condition, ...]
    reason: str


@dataclass(frozen=True)
class Period:
    """How a row's billing period is found; see ``[period]`` in docs/formats.md."""

    kind: str = "start"
    column: str = ""
    pattern: str = ""
    cycle_day: int = 1
    named_by: str = "start"


@dataclass(frozen=True)
class CdrMapping:
    """A complete, checked mapping. ``fields``: section name → cases, in order."""

    layout: Layout
    record: str
    decimal: str
    thousands: str
    fields: Mapping[str, tuple[Case, ...]]
    time: Clock
    period: Period
    skips: tuple[Skip, ...]

    @cached_property
    def columns(self) -> frozenset[str]:
        """Every column that the mapping reads."""
        names = {name for cases in self.fields.values() for case in cases for name in case.names()}
        names.update(condition.column for skip in self.skips for condition in skip.when)
        names.update(self.time.columns)
        if self.time.offset_column:
            names.add(self.time.offset_column)
        if self.period.kind == "column":
            names.add(self.period.column)
        return frozenset(names)

    @property
    def moments(self) -> frozenset[str]:
        """The columns of times, in which texts hardly repeat."""
        ends = {case.end for cases in self.fields.values() for case in cases if case.end is not None}
        return frozenset(self.time.columns) | ends


_REQUIRED = ("account", "service", "usage", "amount", "currency")
_OPTIONAL = ("billed_usage", "number", "network", "rate", "corrects")


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables, or an :class:`InputError` saying why not."""
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"the mapping cannot be read: {error.strerror or error}", file=path, advice="check the path"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            f"the mapping is not TOML: {error}", file=path, advice="see docs/formats.md"
        ) from error


def preset_tree(name: str) -> dict[str, Any]:
    """The tables of a mapping that ships with the package."""
    return tomllib.loads(
        (resources.files("billproof.intake") / "presets" / f"{name}.toml").read_text("utf-8")
    )


def load_mapping(path: Path | None, *, preset: str | None = None) -> CdrMapping:
    """The mapping in ``path``, laid over the preset where one is named.

    Raises :class:`InputError` with the file, the key and, for an unknown key, the nearest known one.
    """
    tree = preset_tree(preset) if preset else {}
    place = Place(path or f"preset {preset}")
    if path is not None:
        own = read_toml(path)
        check_keys(own, place)
        tree = merge(tree, own)
    return _build(tree, place)


def _build(tree: Mapping[str, Any], place: Place) -> CdrMapping:
    for section in (*_REQUIRED, "time"):
        if section not in tree:
            raise place.error(section, "is missing", f"add a [{section}] section; see docs/formats.md")
    file = tree.get("file", {})
    decimal = place.choice("file.decimal", file.get("decimal", "."), (".", ","))
    thousands = place.choice("file.thousands", file.get("thousands", ""), ("", ",", ".", "'", " ", "_"))
    if decimal == thousands:
        raise place.error("file.thousands", "is the decimal mark too")
    fields = {
        section: tuple(_cases(section, tree[section], place))
        for section in (*_REQUIRED, *_OPTIONAL)
        if section in tree
    }
    return CdrMapping(
        layout=_layout(file, place),
        record=file.get("record", "IPDR"),
        decimal=decimal,
        thousands=thousands,
        fields=fields,
        time=parse_clock(tree["time"], place),
        period=_period(tree.get("period", {}), place),
        skips=tuple(
            Skip(tuple(_conditions(f"skip[{number}].when", rule["when"], place)), rule["reason"])
            for number, rule in enumerate(tree.get("skip", ()), 1)
        ),
    )


def _layout(file: Mapping[str, Any], place: Place) -> Layout:
    encoding = encoding_name(file.get("encoding", "utf-8"))
    if encoding is None:
        raise place.error("file.encoding", f"{file['encoding']!r} is not an encoding that is known here")
    delimiter, quote = file.get("delimiter", ","), file.get("quote", '"')
    for key, mark in (("delimiter", delimiter), ("quote", quote)):
        if not (len(mark) == 1 and mark.isascii() and mark not in "\r\n\0") and (key, mark) != ("quote", ""):
            raise place.error(f"file.{key}", f"{mark!r} is not one ASCII character")
    if delimiter == quote:
        raise place.error("file.quote", "is the delimiter too")
    header, columns = file.get("header", True), file.get("columns", [])
    if header == bool(columns):
        raise place.error("file.columns", "is stated exactly when file.header is false")
    if not all(isinstance(name, str) for name in columns):
        raise place.error("file.columns", "must be a list of texts")
    skip_lines, least = file.get("skip_lines", 0), file.get("min_columns")
    if skip_lines < 0:
        raise place.error("file.skip_lines", "is negative")
    if least is not None and (least < 1 or (columns and least > len(columns))):
        raise place.error("file.min_columns", "must lie between 1 and the number of columns")
    dialect = Dialect(ord(delimiter), ord(quote) if quote else -1, file.get("strip", False))
    return Layout(encoding, dialect, skip_lines, tuple(columns), least)


def _cases(section: str, table: Mapping[str, Any], place: Place) -> Iterator[Case]:
    if "cases" not in table:
        yield _case(section, section, table, place)
        return
    shared = {key: value for key, value in table.items() if key != "cases"}
    clash = [key for key in SOURCE_KEYS if key in shared]
    if clash:
        raise place.error(
            f"{section}.{clash[0]}", "stands beside cases", "put it into a last case without `when`"
        )
    if not table["cases"]:
        raise place.error(f"{section}.cases", "is empty")
    for number, case in enumerate(table["cases"], 1):
        where = f"{section}.cases[{number}]"
        if "when" not in case and number < len(table["cases"]):
            raise place.error(
                where, "has no `when` but is not the last", "later cases would never be reached"
            )
        yield _case(where, section, {**shared, **case}, place)


def _case(where: str, section: str, table: Mapping[str, Any], place: Place) -> Case:
    sources = [key for key in SOURCE_KEYS if key in table]
    if len(sources) != 1:
        named = " and ".join(sources) or "none"
        raise place.error(
            where, f"needs exactly one source of its text; it has {named}", "state column, value or cases"
        )
    column = table.get("column", ())
    known = ("when", "values", "otherwise", "empty", *SOURCE_KEYS)
    options = {key: value for key, value in table.items() if key not in known}
    if "otherwise" in table and "values" not in table:
        raise place.error(f"{where}.otherwise", "has no values beside it")
    values = table.get("values")
    return Case(
        when=tuple(_conditions(f"{where}.when", table.get("when", {}), place)),
        columns=(column,) if isinstance(column, str) else tuple(column),
        value=_text(table.get("value")),
        end=table.get("end"),
        template=_template(f"{where}.template", table["template"], place) if "template" in table else None,
        values=None if values is None else {text: str(meaning) for text, meaning in values.items()},
        otherwise=_text(table.get("otherwise")),
        empty=_text(table.get("empty")),
        options=options_for(section, options, where, place),
    )


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _conditions(where: str, table: Mapping[str, Any], place: Place) -> Iterator[Condition]:
    for column, wanted in table.items():
        if isinstance(wanted, dict) and "matches" in wanted:
            pattern = f"^(?s:{wanted['matches']})$"
            try:
                pc.match_substring_regex(pa.array([""]), pattern)
            except pa.ArrowInvalid as error:
                raise place.error(
                    f"{where}.{column}.matches", f"is not a regular expression: {error}"
                ) from error
            yield Condition(column, pattern=pattern)
            continue
        negated = isinstance(wanted, dict)
        texts = wanted["not"] if isinstance(wanted, dict) else wanted
        yield Condition(column, (texts,) if isinstance(texts, str) else tuple(texts), negated)


def _template(where: str, text: str, place: Place) -> tuple[tuple[bool, str], ...]:
    """Parts of a template: ``(True, column)`` or ``(False, literal)``. ``{{`` and ``}}`` stand for braces."""
    parts: list[tuple[bool, str]] = []
    rest = text
    while rest:
        literal, brace, rest = rest.partition("{")
        if "}" in literal.replace("}}", ""):
            raise place.error(where, "has a closing brace without an opening one", "write }} for a brace")
        literal = literal.replace("}}", "}")
        if brace and rest.startswith("{"):
            parts.append((False, literal + "{"))
            rest = rest[1:]
            continue
        if literal:
            parts.append((False, literal))
        if brace:
            name, end, rest = rest.partition("}")
            if not end or not name:
                raise place.error(where, "has a brace that names no column", "write {{ for a brace")
            parts.append((True, name))
    return tuple(parts)


def _period(table: Mapping[str, Any], place: Place) -> Period:
    kind = place.choice("period.from", table.get("from", "start"), ("start", "column", "any"))
    named_by = place.choice("period.named_by", table.get("named_by", "start"), ("start", "end"))
    cycle_day = table.get("cycle_day", 1)
    if not 1 <= cycle_day <= 28:
        raise place.error("period.cycle_day", "must be 1 to 28")
    if kind != "column":
        return Period(kind, cycle_day=cycle_day, named_by=named_by)
    if "column" not in table or "format" not in table:
        raise place.error("period", 'needs column and format with from = "column"')
    pattern = table["format"]
    if pattern.count("%") != 2 or "%Y" not in pattern or "%m" not in pattern:
        raise place.error("period.format", f"{pattern!r} does not consist of %Y, %m and literal text")
    return Period(kind, table["column"], pattern)
