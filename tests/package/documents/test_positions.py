"""Lines of values in TOML and JSON."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from billproof.documents.positions import depth_of, lines_of

TOML = """\
# a comment = [
a = 1
"b.c" = 'it = "so"'   # [not.a.table]
d.e.f = 2
d.e.g = [
  1, # one ]
  [2, 3],

  { h = "}" , "i j" = [ 4 ] },
]
k = \"\"\"
text = 1
\\"\"\"
\"\"\"
m = 1979-05-27 07:32:00 # a date
['n']
o = ''' '
[x]
y = 1'''
[[p]]
q = 1
[[p.r]]
s = 1
[[p.r]]
s = 2
[p.t]
u = true
[[p]]
q = \"\"\"a\"\"\"\"\"
r = [{ s = 3 }]
[ v . "w" ]
x = 1e3
"""
LINES = {
    ("a",): 2,
    ("b.c",): 3,
    ("d", "e", "f"): 4,
    ("d",): 4,
    ("d", "e", "g", 0): 6,
    ("d", "e", "g", 1, 1): 7,
    ("d", "e", "g", 2, "h"): 9,
    ("d", "e", "g", 2, "i j", 0): 9,
    ("k",): 11,
    ("m",): 15,
    ("n",): 16,
    ("n", "o"): 17,
    ("p", 0): 20,
    ("p", 0, "q"): 21,
    ("p", 0, "r", 0): 22,
    ("p", 0, "r", 1, "s"): 25,
    ("p", 0, "t", "u"): 27,
    ("p", 1): 28,
    ("p", 1, "q"): 29,
    ("p", 1, "r", 0, "s"): 30,
    ("v", "w"): 31,
    ("v", "w", "x"): 32,
}


def paths_of(tree: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return {path}.union(*(paths_of(value, (*path, key)) for key, value in inner))


def test_lines_of_toml() -> None:
    found = lines_of(TOML, "toml")
    assert {path: found.get(path) for path in LINES} == LINES
    assert paths_of(tomllib.loads(TOML)) - {()} <= found.keys()


def test_depth_of_toml() -> None:
    assert depth_of(TOML) == 3
    assert depth_of("a = [[{ b = [ 1 ] }]] # [[[[[\nc = '[[[[[['") == 4
    assert depth_of("a = " + "[" * 5000) == 5000


texts = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ['"', "\\", "{", "],", "#", "\n", "'"]
)
trees = st.recursive(
    texts | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, trees, max_size=5), st.sampled_from([None, 0, 2]), st.booleans())
def test_lines_of_json(tree: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=ascii_only)
    found = lines_of(text, "json")
    assert paths_of(tree) == found.keys()
    rows = text.split("\n")
    for path, line in found.items():
        if indent is not None and path and isinstance(path[-1], str):
            assert json.dumps(path[-1], ensure_ascii=ascii_only) in rows[line - 1]
