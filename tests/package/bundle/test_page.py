"""What is changed on an invoice's page, or under it, is found and named."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from babel import Locale

from billproof.bundle import documents as doc
from billproof.bundle.page import Comparison, compare, shown_texts
from billproof.bundle.pdf import Look, Printer
from billproof.bundle.pdfread import PdfFile, Scanner
from billproof.errors import InputError
from billproof.report import Verdict
from billproof.trust import Pins
from billproof.verification import Verifier

LOOK = Look("en_GB", "Meridian", "https://check.example/")


def compared(made: bytes) -> Comparison:
    file = PdfFile(made)
    content = file.attachment().unpacked()
    bundle = doc.parse(content)
    assert isinstance(bundle, doc.Bundle)
    return compare(file, content, bundle)


def redrawn(made: bytes, change: Callable[[bytes], bytes], page: int = 0) -> bytes:
    """The file with another drawing on a page."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(made)) as pdf:
        contents = pdf.pages[page].obj.Contents
        drawing = change(contents.read_bytes())
        assert drawing != contents.read_bytes()
        contents.write(drawing)
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


LOCALES = ["en", "en_US", "de_DE", "fr_CA", "es", "el_GR", "ru_RU", "uk_UA", "hi_IN", "ar_EG"]


@pytest.mark.parametrize("locale", LOCALES)
def test_what_was_printed_agrees_in_every_language(bundle_of: Callable[..., bytes], locale: str) -> None:
    found = compared(Printer(Look(locale, "Žluťoučký κόσμος Мир")).invoice(bundle_of(45)))
    assert not found.differences
    assert not found.doubt
    assert found.texts > 45 * 8
    assert Locale.parse(locale)


HOSTILE = [
    {"number": "😀‮+49\u0000(1)\\"},
    {"number": "+" + "9" * 127, "rate": "x" * 512},
    {"rate": ") Tj ET (", "amount": "-9000000000000000001"},
    {"service": "200", "usage": "9000000000000000000", "billedUsage": "1"},
    {"service": "6", "usage": "9000000000000000000"},
    {"startedAt": "9000000000000000000"},
    {"startedAt": "253402300799", "utcOffset": "840"},
    {"startedAt": "0", "utcOffset": "-840", "amount": "1"},
]


@pytest.mark.parametrize("fields", HOSTILE)
def test_whatever_a_line_holds_is_printed_and_read_back(
    bundle_of: Callable[..., bytes], fields: dict[str, str]
) -> None:
    found = compared(Printer(LOOK).invoice(bundle_of(5, at=2, **fields)))
    assert not found.differences
    assert not found.doubt


def test_an_amount_changed_on_the_page_is_named(bundle_of: Callable[..., bytes]) -> None:
    made = Printer(LOOK).invoice(bundle_of(12))
    assert "9.99" in list(shown_texts(PdfFile(made)))
    found = compared(redrawn(made, lambda drawing: drawing.replace(b"(9.99)", b"(8.99)", 1)))
    assert [difference.line for difference in found.differences] == [2]
    assert "“8.99” and the attachment says “9.99” (in line 3, amount)" in found.differences[0].message


def test_every_text_of_the_page_counts(bundle_of: Callable[..., bytes]) -> None:
    made = Printer(LOOK).invoice(bundle_of(6))
    with pikepdf.open(io.BytesIO(made)) as pdf:
        drawing = pdf.pages[0].obj.Contents.read_bytes()
    for match in re.finditer(rb"\((\d[^()\\]*)\) Tj", drawing):
        at = match.start(1)
        other = b"7" if drawing[at : at + 1] != b"7" else b"3"
        other_page = drawing[:at] + other + drawing[at + 1 :]
        assert compared(redrawn(made, lambda _, page=other_page: page)).differences


def test_a_line_left_out_or_added(bundle_of: Callable[..., bytes]) -> None:
    made = Printer(LOOK).invoice(bundle_of(6))
    added = redrawn(made, lambda drawing: drawing.replace(b"ET", b"1 0 0 1 9 9 Tm (0.01) Tj ET"))
    assert "also says “0.01”" in compared(added).differences[-1].message
    assert compared(redrawn(made, lambda drawing: drawing.replace(b"(9.99) Tj", b"() Tj"))).differences


def test_another_attachment_under_the_page(bundle_of: Callable[..., bytes]) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(Printer(LOOK).invoice(bundle_of(6)))) as pdf:
        pdf.Root.AF[0].EF.F.write(bundle_of(6, at=4, amount="123450000000"))
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert {difference.line for difference in compared(out.getvalue()).differences} == {None, 4}


def test_a_rectangle_over_an_amount_is_doubted(bundle_of: Callable[..., bytes]) -> None:
    made = Printer(LOOK).invoice(bundle_of(6))
    found = compared(redrawn(made, lambda drawing: drawing + b" 1 g 500 300 60 60 re f"))
    assert not found.differences
    assert "drawn in another way" in found.doubt


def test_a_font_with_other_shapes_is_doubted(bundle_of: Callable[..., bytes]) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(Printer(LOOK).invoice(bundle_of(6)))) as pdf:
        for font in pdf.pages[0].obj.Resources.Font.values():
            if "/FontDescriptor" in font:
                file = font.FontDescriptor.FontFile2
                file.write(file.read_bytes()[:-4] + b"\0\0\0\1")
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert "drawn in another way" in compared(out.getvalue()).doubt


def test_another_programs_page_is_doubted(genuine: bytes) -> None:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.attachments["bundle.json"] = genuine
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=True)
    assert "another program" in compared(out.getvalue()).doubt


def test_the_verifier_says_so(genuine: bytes, tmp_path: Path) -> None:
    file = tmp_path / "invoice.pdf"
    made = Printer(LOOK).invoice(genuine)
    verifier = Verifier(pins=Pins(tmp_path / "trust.json"))
    file.write_bytes(made)
    steps = {step.name: step for step in verifier.verify(file).steps}
    assert steps["file"].verdict is Verdict.VALID
    assert steps["page"].verdict is Verdict.VALID
    file.write_bytes(redrawn(made, lambda drawing: drawing.replace(b"(9.99)", b"(8.99)")))
    report = verifier.verify(file)
    assert report.verdict is Verdict.INVALID
    assert "“8.99”" in next(step.message for step in report.steps if step.name == "page")
    file.write_bytes(made[:-100])
    assert verifier.verify(file).verdict is Verdict.UNUSABLE


# --- files that two readers could read in two ways -----------------------------------------------------


def moved(made: bytes, change: Callable[[bytes], bytes], before: bytes = b"") -> bytes:
    """The file with another table and trailer, and something before the table."""
    table = made.rindex(b"\nxref\n") + 1
    rest = re.sub(rb"startxref\n\d+", b"startxref\n%d" % (table + len(before)), change(made[table:]))
    return made[:table] + before + rest


@pytest.mark.parametrize(
    ("old", "new", "before"),
    [
        (b"xref\n0 ", b"xref0 ", b""),
        (b"xref\n0 ", b"xref\n0  ", b""),
        (b"xref\n", b"xref\n", b"16 0 obj\n<<\n>>\nendobj\n"),
        (b"xref\n", b"xref\n", b"% nothing\n"),
        (b" n \n", b" n\r\n", b""),
        (b"trailer\n", b"trailer1\n", b""),
        (b">>\nstartxref", b">>\n1 0 obj\n<<\n>>\nendobj\nstartxref", b""),
        (b"/Size", b"/Extra 1\n/Size", b""),
        (b"/Root 13 0 R", b"/Root << /Type /Catalog /Pages 15 0 R >>", b""),
    ],
)
def test_a_file_of_two_readings_is_refused(
    bundle_of: Callable[..., bytes], old: bytes, new: bytes, before: bytes
) -> None:
    made = Printer(LOOK).invoice(bundle_of(6))
    PdfFile(moved(made, bytes))

    def change(rest: bytes) -> bytes:
        assert old in rest
        return rest.replace(old, new, 1)

    with pytest.raises(InputError):
        PdfFile(moved(made, change, before))


def test_keywords_end_where_a_word_ends() -> None:
    assert not Scanner(b"xref0 18").keyword(b"xref")
    assert Scanner(b"xref\n0 18").keyword(b"xref")


@pytest.mark.parametrize("kids", ["same", "direct", "drawing", "many"])
def test_pages_listed_otherwise_are_doubted(bundle_of: Callable[..., bytes], kids: str) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(Printer(LOOK).invoice(bundle_of(6)))) as pdf:
        page = pdf.Root.Pages.Kids[0]
        copy = pikepdf.Dictionary({key: value for key, value in page.items() if key != "/Parent"})
        if kids == "same":
            pdf.Root.Pages.Kids = pikepdf.Array([page] * 3)
        elif kids == "direct":
            pdf.Root.Pages.Kids = pikepdf.Array([copy])
        elif kids == "drawing":
            pdf.Root.Pages.Kids.append(pdf.make_indirect(copy))
        else:
            for _ in range(20):
                copy.Contents = pdf.make_stream(page.Contents.read_bytes())
                pdf.Root.Pages.Kids.append(pdf.make_indirect(pikepdf.Dictionary(copy)))
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    found = compared(out.getvalue())
    assert {"same": "several times", "direct": "damaged", "drawing": "several", "many": "more pages"}[
        kids
    ] in found.doubt
