"""Texts of strict documents: what JSON can write and no text in UTF-8 has is refused."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billproof.documents.source import DocumentError, Kind, read


class _Form(msgspec.Struct):
    schema: str


_KIND = Kind("a letter", "see docs", "billproof/letter/1", _Form, DocumentError)


@pytest.mark.parametrize(
    ("text", "half"),
    [
        (r'{"a": "\ud800"}', r"\ud800"),
        (r'{"a": "\uDFFF"}', r"\uDFFF"),
        (r'{"a": "\udc00\ud800"}', r"\udc00"),
        (r'{"a": "\ud83d\u0041"}', r"\ud83d"),
        (r'{"a": "\ud83d\\ude00"}', r"\ud83d"),
        (r'{"a": "\ud83d\ud83d\ude00"}', r"\ud83d"),
        (r'{"\udbff": 1}', r"\udbff"),
        (r'{"a": ["x", "\\\ud800"]}', r"\ud800"),
    ],
)
def test_half_a_character_is_refused(text: str, half: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read(("{\n" + text[1:]).encode(), _KIND, "letter.json")
    assert refused.value.message.startswith(f"letter.json:2: {half} is half a character")
    refused.value.message.encode()


@pytest.mark.parametrize("text", [r'{"a": "\\ud800"}', r'{"a": "\ud83d\ude00"}', r'{"a": "\\\\uDC00"}'])
def test_what_only_looks_like_it_is_read(text: str) -> None:
    assert read(text.encode(), _KIND).tree == json.loads(text)


@given(text=st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["\\ud800", "\\\\udc00"]))
def test_every_text_is_read_however_it_is_written(text: str) -> None:
    for ascii_only in (True, False):
        content = json.dumps({"a": text}, ensure_ascii=ascii_only)
        assert read(content.encode(), _KIND).tree == {"a": text}


@given(
    pieces=st.lists(
        st.sampled_from([r"\ud800", r"\udc00", r"\ud83d\ude00", "\\\\", "a", r"\n", r"\u0041"]), max_size=6
    )
)
def test_whatever_is_read_can_be_written(pieces: list[str]) -> None:
    content = '{"a": "' + "".join(pieces) + '"}'
    try:
        json.loads(content)["a"].encode()
        whole = True
    except UnicodeEncodeError:
        whole = False
    try:
        tree = read(content.encode(), _KIND).tree
    except DocumentError:
        assert not whole
    else:
        assert whole
        assert tree == json.loads(content)
