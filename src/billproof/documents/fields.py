"""What the fields of a strict document may be, with what to write instead; its JSON Schema."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import Meta

#: Pattern → what a person should write instead of what does not match it.
REMEDIES: dict[str, str] = {}


def pattern(text: str, description: str, remedy: str) -> Meta:
    """A text that matches all of a regular expression."""
    bound = rf"^{text}\Z"
    REMEDIES[bound] = remedy
    return Meta(pattern=bound, description=description)


def json_schema(form: type[msgspec.Struct], title: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of a document."""
    schema: dict[str, Any] = json.loads(json.dumps(msgspec.json.schema(form)).replace("\\\\Z", "$"))
    for body in schema["$defs"].values():
        body["properties"] = {key: _without_null(field) for key, field in body["properties"].items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A key that may be left out is never null in a file."""
    if field.get("default", ...) is None:
        field = {key: value for key, value in field.items() if key != "default"}
    choices = [choice for choice in field.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == len(field.get("anyOf", [])):
        return field
    return choices[0] if len(choices) == 1 else {**field, "anyOf": choices}
