"""A document's tree → the form that its kind declares, or an error that says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from billproof.documents.fields import REMEDIES
from billproof.documents.positions import Path
from billproof.documents.source import DocumentError, Form, Source
from billproof.intake.keys import nearest

_REMEDIES = {
    "date": 'write days in quotes: "2026-10-01"',
    "time": 'write times in quotes: "08:00"',
    "float": 'write decimals in quotes, since a binary fraction is not exact: "0.10"',
}


def shaped(source: Source[Form]) -> Form:
    """The tree in its kind's form; the first thing that is otherwise as the kind's error."""
    if not isinstance(source.tree, dict):
        raise source.error((), "is no table", source.kind.none)
    claimed = source.tree.get("schema")
    if claimed != source.kind.schema:
        said = f"is of the schema {claimed!r}" if claimed is not None else "does not say its schema"
        raise source.error(("schema",), said, f'write schema = "{source.kind.schema}"')
    if (null := _null_in(source.tree, ())) is not None:
        raise source.error(null, "is null", "leave the key out, or write its value")
    try:
        return msgspec.convert(source.tree, source.kind.form)
    except msgspec.ValidationError as error:
        raise _shape_error(source, str(error)) from None


def _null_in(tree: Any, path: Path) -> Path | None:
    """Where the first null is: TOML has none, and a key of JSON that is null says nothing."""
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            if (found := _null_in(value, (*path, key))) is not None:
                return found
    return path if tree is None else None


def _shape_error(source: Source[Form], text: str) -> DocumentError:
    message, _, at = text.partition(" - at `")
    path = _path(source, at.rstrip("`"), text)
    unknown = re.match(r"Object contains unknown field `(.*)`$", message)
    missing = re.match(r"Object missing required field `(.*)`$", message)
    if unknown:
        known = _keys_of(_types_at(source.kind.form, path))
        said = f"is not a key of {source.kind.noun} here"
        return source.error((*path, unknown[1]), said, nearest(unknown[1], known))
    if missing:
        return source.error(path, f"{missing[1]} is missing", f"write {missing[1]} = …; {source.kind.see}")
    matching = re.match(r"Expected `str` matching regex '(.*)'$", message)
    pattern = (matching[1] if matching else "").replace("\\\\", "\\")
    if pattern in REMEDIES:
        return source.error(path, f"{_at(source.tree, path)!r} will not do", REMEDIES[pattern])
    enumerated = re.match(r"Invalid enum value (.*)$", message)
    if enumerated:
        return source.error(
            path,
            f"{enumerated[1]} is unknown",
            nearest(_at(source.tree, path), _choices_of(_types_at(source.kind.form, path))),
        )
    typed = re.match(r"Expected `(.*)`, got `(.*)`$", message)
    if typed:
        got = "date" if typed[2] == "datetime" else typed[2]
        kinds = {
            "str": "text",
            "object": "a table",
            "array": "a list",
            "int": "a whole number",
            "bool": "true or false",
        }
        wanted = " or ".join(
            kinds.get(kind.strip(), kind.strip()) for kind in typed[1].split("|") if kind.strip() != "null"
        )
        return source.error(path, f"must be {wanted}", _REMEDIES.get(got, source.kind.see))
    return source.error(path, message, source.kind.see)


def _path(source: Source[Form], at: str, text: str) -> Path:
    """A path in msgspec's words, ``$.rates[0].price``; where it says ``[...]``, the entry is searched."""
    tree = source.tree
    path: Path = ()
    for key, place in re.findall(r"\.([^.\[\]]+)|\[([^\]]*)\]", at.removeprefix("$").removeprefix("key")):
        if place == "...":
            names = list(_at(tree, path))
            while len(names) > 1:  # each try reads all of the file: a try for each name would take too long
                half = names[: len(names) // 2]
                names = half if _fails(source, path, half, text) else names[len(half) :]
            path = (*path, names[0])
        elif place:
            path = (*path, int(place))
        else:
            path = (*path, key)
    return path


def _fails(source: Source[Form], path: Path, names: Sequence[str], text: str) -> bool:
    """Whether the same error is there with these entries alone."""

    def pruned(node: Any, rest: Path) -> Any:
        if not rest:
            return {name: node[name] for name in names}
        if isinstance(node, dict):
            return {**node, rest[0]: pruned(node[rest[0]], rest[1:])}
        return node

    try:
        msgspec.convert(pruned(source.tree, path), source.kind.form)
    except msgspec.ValidationError as error:
        return str(error) == text
    return False


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _types_at(form: Any, path: Path) -> list[Any]:
    """The types that the value at ``path`` may be of, unions taken apart."""
    types = _alternatives(form)
    for key in path:
        types = [found for each in types for found in _inner(each, key)]
    return types


def _inner(of: Any, key: str | int) -> list[Any]:
    """The types of what stands under ``key`` in a table or list of a type."""
    arguments = get_args(of)
    if isinstance(key, int):
        return _alternatives(arguments[0]) if get_origin(of) is list else []
    if get_origin(of) is dict:
        return _alternatives(arguments[1])
    if isinstance(of, type) and issubclass(of, msgspec.Struct):
        for field in msgspec.structs.fields(of):
            if field.encode_name == key:
                return _alternatives(field.type)
    return []


def _alternatives(of: Any) -> list[Any]:
    """The members of a union; what is not one is alone. Constraints are taken off."""
    if get_origin(of) is Annotated:
        return _alternatives(get_args(of)[0])
    if get_origin(of) in (Union, UnionType):
        return [found for each in get_args(of) for found in _alternatives(each)]
    return [of]


def _keys_of(types: Iterable[Any]) -> tuple[str, ...]:
    """The keys that tables of these types may have."""
    tables = (each for each in types if isinstance(each, type) and issubclass(each, msgspec.Struct))
    return tuple(sorted({key for table in tables for key in table.__struct_encode_fields__}))


def _choices_of(types: Iterable[Any]) -> tuple[str, ...]:
    """The words that texts of these types may be."""
    return tuple(word for each in types if get_origin(each) is Literal for word in get_args(each))
