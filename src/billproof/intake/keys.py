"""Which keys a mapping file may have, and of what type: everything else is refused by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from billproof.errors import InputError

#: Keys that say where a value comes from; naming one in an overriding mapping drops the preset's.
SOURCE_KEYS = ("column", "value", "cases", "end", "template")
#: Keys that only make sense with their source.
BESIDE_SOURCE = ("values", "otherwise", "empty")

_TEXT, _FLAG, _COUNT, _TABLE, _LIST = "text", "true or false", "a whole number", "a table", "a list"
_TEXTS = "text or a list of texts"
_SCALAR = "text or a number"

_SOURCE = {
    "column": _TEXT,
    "value": _SCALAR,
    "cases": _LIST,
    "values": _TABLE,
    "otherwise": _SCALAR,
    "empty": _SCALAR,
}
_QUANTITY = {**_SOURCE, "column": _TEXTS, "end": _TEXT, "unit": _SCALAR, "round": _TEXT}

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "file": {
        "encoding": _TEXT,
        "delimiter": _TEXT,
        "quote": _TEXT,
        "skip_lines": _COUNT,
        "header": _FLAG,
        "columns": _LIST,
        "min_columns": _COUNT,
        "strip": _FLAG,
        "decimal": _TEXT,
        "thousands": _TEXT,
        "record": _TEXT,
    },
    "account": _SOURCE,
    "service": _SOURCE,
    "time": {
        "column": _TEXTS,
        "format": _TEXT,
        "zone": _TEXT,
        "offset_column": _TEXT,
        "offset_unit": _TEXT,
        "clock": _TEXT,
        "ambiguous": _TEXT,
    },
    "usage": _QUANTITY,
    "billed_usage": _QUANTITY,
    "number": {**_SOURCE, "region": _TEXT, "international": _FLAG, "ipv4": _FLAG},
    "network": _SOURCE,
    "amount": {**_SOURCE, "unit": _TEXT, "negate": _FLAG},
    "currency": _SOURCE,
    "rate": {**_SOURCE, "template": _TEXT},
    "corrects": _SOURCE,
    "period": {"from": _TEXT, "column": _TEXT, "format": _TEXT, "cycle_day": _COUNT, "named_by": _TEXT},
}
SKIP_KEYS: Mapping[str, str] = {"when": _TABLE, "reason": _TEXT}
_CONDITION_KEYS = ("not", "matches")


class Place:
    """Where in which mapping file something stands; makes the errors."""

    def __init__(self, file: str | Path) -> None:
        self.file = file

    def error(self, key: str, message: str, advice: str = "see docs/formats.md") -> InputError:
        """An error about one key of the mapping."""
        return InputError(message, file=self.file, field=key, advice=advice)

    def choice(self, key: str, value: Any, allowed: tuple[str, ...]) -> str:
        """``value`` when it is one of ``allowed``."""
        if value not in allowed:
            raise self.error(
                key, f"{value!r} is not one of {', '.join(map(repr, allowed))}", nearest(value, allowed)
            )
        return str(value)


def nearest(word: object, known: tuple[str, ...]) -> str:
    """Advice naming the known word that is closest."""
    close = difflib.get_close_matches(str(word), known, 1, 0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def check_keys(tree: Mapping[str, Any], place: Place) -> None:
    """Refuse unknown sections and keys, and values of the wrong type."""
    for section, content in tree.items():
        if section == "skip":
            _check_skips(content, place)
            continue
        if section not in SECTIONS:
            raise place.error(section, "is not a section of a mapping", nearest(section, (*SECTIONS, "skip")))
        if not isinstance(content, dict):
            raise place.error(section, "is not a table", f"write [{section}] and the keys below it")
        _check_table(section, content, SECTIONS[section], place)


def _check_table(name: str, table: Mapping[str, Any], allowed: Mapping[str, str], place: Place) -> None:
    for key, value in table.items():
        where = f"{name}.{key}"
        if key not in allowed:
            raise place.error(where, "is not a key of a mapping", nearest(key, tuple(allowed)))
        if not _is(value, allowed[key]):
            raise place.error(where, f"must be {allowed[key]}, not {value!r}")
        if key == "cases":
            inner = {inner: kind for inner, kind in allowed.items() if inner != "cases"}
            for number, case in enumerate(value, 1):
                label = f"{where}[{number}]"
                if not isinstance(case, dict):
                    raise place.error(label, "is not a table")
                _check_table(label, case, {**inner, "when": _TABLE}, place)
        elif key == "values":
            for text, meaning in value.items():
                if not _is(meaning, _SCALAR):
                    raise place.error(f"{where}.{text}", f"must be {_SCALAR}, not {meaning!r}")
        elif key == "when":
            _check_when(where, value, place)


def _check_when(where: str, table: Mapping[str, Any], place: Place) -> None:
    if not table:
        raise place.error(where, "names no column")
    for column, wanted in table.items():
        label = f"{where}.{column}"
        if isinstance(wanted, dict):
            if len(wanted) != 1 or next(iter(wanted)) not in _CONDITION_KEYS:
                raise place.error(label, "must be text, a list, { not = … } or { matches = … }")
            (key, wanted) = next(iter(wanted.items()))
            if key == "matches" and not isinstance(wanted, str):
                raise place.error(label, "matches must be text")
        if not _is(wanted, _TEXTS):
            raise place.error(label, f"must be {_TEXTS}, not {wanted!r}", "write numbers in quotes")


def _check_skips(content: Any, place: Place) -> None:
    if not isinstance(content, list):
        raise place.error("skip", "must be written [[skip]]")
    for number, rule in enumerate(content, 1):
        label = f"skip[{number}]"
        if not isinstance(rule, dict):
            raise place.error(label, "is not a table")
        _check_table(label, rule, SKIP_KEYS, place)
        for key in SKIP_KEYS:
            if key not in rule:
                raise place.error(label, f"lacks {key!r}")


def _is(value: Any, kind: str) -> bool:
    """Whether a TOML value is of the kind. In TOML, ``true`` is no number."""
    if kind == _TEXT:
        return isinstance(value, str)
    if kind == _FLAG:
        return isinstance(value, bool)
    if kind == _COUNT:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == _TABLE:
        return isinstance(value, dict)
    if kind == _LIST:
        return isinstance(value, list) and all(isinstance(item, str | dict) for item in value)
    if kind == _TEXTS:
        return isinstance(value, str) or (
            isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
        )
    return isinstance(value, str | int) and not isinstance(value, bool)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` changed key by key by ``over``; see "Changing a preset" in docs/formats.md."""
    result = dict(base)
    for section, content in over.items():
        old = base.get(section)
        if not isinstance(content, dict) or not isinstance(old, dict):
            result[section] = content
            continue
        kept = dict(old)
        if section not in ("time", "file", "period") and any(key in content for key in SOURCE_KEYS):
            kept = {key: value for key, value in old.items() if key not in (*SOURCE_KEYS, *BESIDE_SOURCE)}
        if content.get("header") is True:
            kept.pop("columns", None)
        result[section] = {
            **kept,
            **{
                key: {**kept[key], **value}
                if isinstance(value, dict) and isinstance(kept.get(key), dict)
                else value
                for key, value in content.items()
            },
        }
    return result
