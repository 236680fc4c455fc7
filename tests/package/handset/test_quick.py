"""The quick ways of reading against the thorough ones: where a quick way answers, both answer alike."""

import random
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.handset import PhoneLogError, android_quick, html_tags, read_phone_log

HEAD = (
    "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n"
    "<!--File Created By SMS Backup & Restore v10.20.002 on 01/11/2026 17:39:07-->\n"
)
VALUES = {
    "number": ["+353201234567", "0201234567", "-1", "", "Private", "1" * 101, "a&amp;b"],
    "address": ["+353201234567", "50123", "1~2~3", "~".join("1" * 101), "Post", "", "insert-address-token"],
    "duration": ["0", "1", "59", "3600", "9999999", "10000000", "10000001", "", "x", "-1"],
    "date": ["1790882841707", "0", "1", "9" * 14, "9" * 15, "9" * 18, "9" * 19, "", "x", "٣"],
    "type": ["1", "2", "3", "4", "5", "6", "7", "8", "0", "137", "151", ""],
    "presentation": ["1", "2", "3", ""],
    "subscription_id": ["1", "-1", "null", "", "8" * 120],
    "sub_id": ["1", "-1", "null"],
    "subscription_component_name": ["null", "a.b/c.D", "com.android.phone/x.telephony.T"],
    "body": [
        "a",
        "é" * 71,
        "ж" * 200,
        "^" * 81,
        "&#10;",
        "&#55357;&#56832;" * 36,
        "&lt;&amp;#65;",
        "\U0001f600",
    ],
    "contact_name": ["(Unknown)", "Orla", "&quot;&apos;&gt;", "&#x41;&#X41;", "&#0;&#65534;&#55357;"],
    "msg_box": ["1", "2", "3", "4", "9"],
    "tr_id": ["proto:x", "y"],
    "data": ["aGFsbG8=" * 20],
}
TAGS = {
    "call": [
        "number",
        "duration",
        "date",
        "type",
        "presentation",
        "subscription_id",
        "subscription_component_name",
    ],
    "sms": ["address", "date", "type", "body", "sub_id", "contact_name"],
    "mms": ["date", "msg_box", "address", "sub_id", "tr_id"],
    "part": ["data", "contact_name"],
    "addr": ["address", "type"],
}
#: What is put into a file, or takes the place of a character of it.
ODD = [
    *("<", ">", "&", '"', "'", "/", "\t", "\r\n", "\x00", "\x0b", "\x7f", "\ufffe", "\uffff", "\ufeff", "é"),
    *("&amp;", "&nbsp;", "&#x110000;", "&#99999999;", "&#1", "<!--x-->", "<!-- -- -->", "<!---->", "<?x?>"),
    *("<!DOCTYPE calls>", '<!DOCTYPE c [<!ENTITY a "b">]>', "&a;", "<![CDATA[x]]>", "text", "<call/>", "<x>"),
    *(
        "</calls>",
        "</smses>",
        "<mms>",
        "</mms>",
        "<sms />",
        ' type="1"',
        " type='1'",
        " a='b'",
        ' a ="b"',
        "",
    ),
    *("encoding='latin-1'", "encoding='utf-16'", "]]>", "<addrs></addrs>", '<addr type="137" address="9"/>'),
]


def read(data: bytes):
    """All that is said of a file."""
    try:
        (log,) = read_phone_log(("log.xml", data))
    except PhoneLogError as error:
        return error.code, str(error)
    return log.format, log.exported_at, log.entries.to_pylist(), log.rejects


def agree(data: bytes) -> bool:
    """Whether the quick way answered, which must be as the parser does."""
    quick = read(data)
    with patch.object(android_quick, "read", lambda _: None):
        assert read(data) == quick
    return android_quick.read(data) is not None


def tag(draw: random.Random, name: str, names: list[str], usual: float) -> str:
    values = {one: VALUES[one][0] if draw.random() < usual else draw.choice(VALUES[one]) for one in names}
    return f"<{name} " + " ".join(f'{one}="{value}"' for one, value in values.items())


def backup(draw: random.Random, root: str, usual: float) -> str:
    """Rows whose values are the first of VALUES with a probability of ``usual`` each."""
    row = "call" if root == "calls" else "sms"
    names = draw.sample(TAGS[row], len(TAGS[row]))
    rows = []
    for _ in range(draw.randrange(8)):
        if root == "smses" and draw.random() < 0.3:
            parts = "".join(
                tag(draw, "part", TAGS["part"], usual) + " />\n" for _ in range(draw.randrange(3))
            )
            people = "".join(tag(draw, "addr", TAGS["addr"], usual) + " />" for _ in range(draw.randrange(3)))
            inside = f"\n<parts>\n{parts}</parts>\n <addrs>{people}</addrs>\n"
            rows.append(tag(draw, "mms", TAGS["mms"], usual) + f">{inside}</mms>\n")
        else:
            rows.append("  " + tag(draw, row, names, usual) + " />\n")
    style = '<?xml-stylesheet type="text/xsl" href="calls.xsl"?>\n' if draw.random() < 0.3 else ""
    date = draw.choice(["1793554747000", "", "x"])
    start = f'{HEAD}{style}<{root} count="{len(rows)}" backup_date="{date}" type="full">\n'
    return f"{start}{''.join(rows)}</{root}>"


@pytest.mark.parametrize("root", ["calls", "smses"])
@given(st.integers(0, 2**32), st.sampled_from([0.99, 0.9, 0.5]))
@settings(max_examples=150, deadline=None)
def test_backups_read_alike(root: str, seed: int, usual: float) -> None:
    agree(backup(random.Random(seed), root, usual).encode())


@pytest.mark.parametrize("root", ["calls", "smses"])
@given(
    st.integers(0, 2**32),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(ODD), st.booleans()), max_size=3),
)
@settings(max_examples=400, deadline=None)
def test_damaged_backups_read_alike(root: str, seed: int, damage: list[tuple[float, str, bool]]) -> None:
    text = backup(random.Random(seed), root, 0.95)
    for where, odd, instead in damage:
        at = int(where * len(text))
        text = text[:at] + odd + text[at + instead :]
    agree(text.encode())


@given(
    st.integers(0, 2**32), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=3)
)
@settings(max_examples=300, deadline=None)
def test_changed_bytes_read_alike(seed: int, damage: list[tuple[float, int]]) -> None:
    data = bytearray(backup(random.Random(seed), "smses", 0.95).encode())
    for where, byte in damage:
        data[int(where * (len(data) - 1))] = byte
    agree(bytes(data))


def test_the_quick_way_is_taken() -> None:
    draw = random.Random(1)
    for root in ("calls", "smses"):
        for _ in range(20):
            assert agree(backup(draw, root, 1.0).encode())
    assert agree(backup(draw, "smses", 1.0).encode("utf-8-sig"))


@pytest.mark.parametrize("odd", ["<!DOCTYPE calls>", "<x/>", "&a;", "text"])
def test_it_leaves_what_is_odd_to_the_parser(odd: str) -> None:
    text = backup(random.Random(5), "calls", 1.0)
    for place in (text.index("<calls"), text.index("<call "), text.index("</calls>"), len(text)):
        assert not agree((text[:place] + odd + text[place:]).encode())


PIECES = [
    *("<div>", "</div>", "<div class='haudio'>", '<div class="message">', "<br />", "<br>", "\n", "text"),
    *(
        '<a class="tel" href="tel:+353201234567">',
        "</a>",
        '<a rel="tag" href="#placed">',
        "<cite>",
        "</cite>",
    ),
    *(
        '<abbr class="published" title="2026-10-21T10:57:15.000+01:00">',
        '<abbr class="duration" title="PT5S"/>',
    ),
    *(
        '<abbr class="dt" title="2026-10-21T10:57:15Z">',
        '<abbr class="fn">',
        "</abbr>",
        "<q>",
        "</q>",
        "<img/>",
    ),
    *("&amp;", "&lt;q&gt;", "<", ">", '"', "'", "<!-- <q> -->", "<!x>", "<?x?>", "<style>", "</style>", "<q"),
    *(
        "<script>a < b</script>",
        "<STYLE>",
        "</STYLE>",
        "<style/>",
        "<Q>",
        "<a title='>'>",
        "<body>",
        "</",
        "é",
    ),
    *('<abbr title="', "<div class=message>", "<a class=tel href=tel:&#49;>", "</q >", "<q/x>"),
]


class Told:
    """What is told of a page, texts that follow each other as one."""

    tags = frozenset(("div", "a", "abbr", "q", "style"))

    def __init__(self) -> None:
        self.all: list[object] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.all.append((tag, attributes))

    def end(self, tag: str) -> None:
        self.all.append(f"/{tag}")

    def text(self, text: str) -> None:
        if self.all and isinstance(self.all[-1], list):
            self.all[-1].append(text)
        elif text:
            self.all.append([text])


def told(page: str) -> list[object]:
    handler = Told()
    html_tags.scan(page, handler)
    return ["".join(one) if isinstance(one, list) else one for one in handler.all]


@given(st.lists(st.sampled_from(PIECES), max_size=30))
@settings(max_examples=600, deadline=None)
def test_pages_read_alike(pieces: list[str]) -> None:
    page = f"<!DOCTYPE html>\n<html><head><style>a > b</style></head><body>{''.join(pieces)}</body></html>"
    quick = told(page), read(f"<?xml?>haudio{page}".encode())
    with patch.object(html_tags, "_plain", lambda rest, handler: False):
        assert (told(page), read(f"<?xml?>haudio{page}".encode())) == quick


def test_the_rest_of_a_page_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(html_tags, "_plain", lambda rest, handler: bool(calls.append(rest)))
    told("<body>" * 100)
    assert len(calls) == 1
