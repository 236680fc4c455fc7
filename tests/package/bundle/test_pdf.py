"""Invoices carry their bundle, come out the same every time, and are read with suspicion."""

from __future__ import annotations

import io
import random
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

import billproof.bundle
from billproof.bundle import documents as doc
from billproof.bundle.page import compare
from billproof.bundle.pdf import Look, Printer, link_of, print_all, read_attachment
from billproof.bundle.pdfread import PdfFile
from billproof.errors import InputError

FONTS = Path(billproof.bundle.__file__).parent / "fonts"
LOOK = Look("de_DE", "Meridian", "https://check.example/verify.html")


@pytest.fixture(scope="module")
def invoice(bundle_of: Callable[..., bytes]) -> bytes:
    return Printer(LOOK).invoice(bundle_of(30))


def changed(content: bytes, change: Callable[[pikepdf.Pdf], None], **how: object) -> bytes:
    """The file after another program changed and saved it, as plainly as it can."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        change(pdf)
        pdf.save(out, **{"object_stream_mode": pikepdf.ObjectStreamMode.disable, **how})
    return out.getvalue()


@pytest.mark.parametrize("lines", [1, 30, 400])
def test_the_bundle_comes_back_and_another_reader_finds_it_too(
    bundle_of: Callable[..., bytes], lines: int, tmp_path: Path
) -> None:
    bundle = bundle_of(lines)
    made = Printer(LOOK).invoice(bundle)
    assert made == Printer(LOOK).invoice(bundle)
    assert read_attachment(made) == bundle
    (tmp_path / "invoice.pdf").write_bytes(made)
    assert read_attachment(tmp_path / "invoice.pdf") == bundle
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert pdf.attachments["bundle.json"].get_file().read_bytes() == bundle
        assert pdf.Root.AF[0].AFRelationship == "/Source"
        assert pdf.check_pdf_syntax() == []


def test_many_invoices_on_all_cores_are_those_of_one(
    bundle_of: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billproof.bundle.pdf._BEFORE_CORES", 2)
    files = [(str(lines), bundle_of(lines)) for lines in range(1, 7)]
    printer = Printer(LOOK)
    made = list(print_all(iter(files), LOOK))
    assert made == [(name, printer.invoice(content), set()) for name, content in files]


def test_a_link_carries_the_digest_and_a_small_bundle(genuine: bytes) -> None:
    assert re.fullmatch("https://x#d=[0-9a-f]{64}", link_of("https://x", genuine * 9))
    assert re.fullmatch("https://x#d=[0-9a-f]{64}&z=[-_0-9A-Za-z]+", link_of("https://x", b"{}"))


def test_what_no_font_has_is_named_and_another_font_helps(bundle_of: Callable[..., bytes]) -> None:
    bundle = bundle_of(2, at=1, rate="料金")
    printer = Printer(LOOK)
    made = printer.invoice(bundle)
    assert printer.missing == {"料", "金"}
    parsed = doc.parse(bundle)
    assert isinstance(parsed, doc.Bundle)
    found = compare(PdfFile(made), bundle, parsed)
    assert not found.doubt
    assert not found.differences


def test_a_font_of_the_operators_own_is_embedded(bundle_of: Callable[..., bytes]) -> None:
    """One that is built in as well, so that no other file is needed; it is found under its own name."""
    bundle = bundle_of(2, at=1, rate="料金")
    printer = Printer(LOOK, FONTS / "DejaVuSans-Bold.ttf")
    made = printer.invoice(bundle)
    assert b"BillproofOther-" in made
    parsed = doc.parse(bundle)
    assert isinstance(parsed, doc.Bundle)
    found = compare(PdfFile(made), bundle, parsed)
    assert not found.differences
    assert "only the attachment counts" in found.doubt


def test_no_font_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_bytes(b"no font")
    with pytest.raises(InputError, match="no TrueType font"):
        Printer(LOOK, tmp_path / "a.ttf")
    with pytest.raises(InputError, match="cannot read"):
        Printer(LOOK, tmp_path / "none.ttf")


@pytest.mark.parametrize("link", ["check.example", "javascript:alert(1)"])
def test_a_link_is_a_web_page(link: str) -> None:
    with pytest.raises(InputError, match="web page"):
        Printer(Look("en", "", link))


@pytest.mark.parametrize("locale", ["", "xx_YY", "../../etc", "de_DE_" + "a" * 500])
def test_an_unknown_locale_is_named(locale: str) -> None:
    with pytest.raises(InputError, match="locale"):
        Printer(Look(locale))


# --- files that are refused ----------------------------------------------------------------------------


def test_a_pdf_without_an_attachment(invoice: bytes) -> None:
    def without(pdf: pikepdf.Pdf) -> None:
        del pdf.Root.Names, pdf.Root.AF

    with pytest.raises(InputError, match="no bundle is attached") as caught:
        read_attachment(changed(invoice, without))
    assert "as the operator sent it" in caught.value.advice


@pytest.mark.parametrize("name", ["another.json", "a.txt"])
def test_two_attachments(invoice: bytes, name: str) -> None:
    def with_two(pdf: pikepdf.Pdf) -> None:
        pdf.attachments[name] = b"{}"

    with pytest.raises(InputError, match="several attachments"):
        read_attachment(changed(invoice, with_two))


def test_a_hidden_attachment_counts_too(invoice: bytes) -> None:
    def with_hidden(pdf: pikepdf.Pdf) -> None:
        stream = pdf.make_stream(b"{}", Type=pikepdf.Name.EmbeddedFile)
        pdf.pages[0].obj.Held = pdf.make_indirect(stream)

    with pytest.raises(InputError, match="several attachments"):
        read_attachment(changed(invoice, with_hidden))


def test_an_update_appended(invoice: bytes) -> None:
    start = int(re.search(rb"startxref\s+(\d+)", invoice)[1])  # type: ignore[index]
    root = re.search(rb"/Root (\d+ 0 R)", invoice)[1]  # type: ignore[index]
    update = b"xref\n0 0\ntrailer\n<< /Size 20 /Root %s /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
    with pytest.raises(InputError, match="changed after it was made"):
        read_attachment(invoice + update % (root, start, len(invoice)))


def test_something_appended(invoice: bytes) -> None:
    with pytest.raises(InputError, match="appended"):
        read_attachment(invoice + b"x" * 100)


def test_an_encrypted_one(invoice: bytes) -> None:
    key = pikepdf.Encryption(owner="o", user="", R=4)
    with pytest.raises(InputError, match="encrypted"):
        read_attachment(changed(invoice, lambda pdf: None, encryption=key))


def test_object_streams(invoice: bytes) -> None:
    with pytest.raises(InputError, match="cross-reference"):
        read_attachment(
            changed(invoice, lambda pdf: None, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        )


def test_one_that_unpacks_to_far_more(invoice: bytes) -> None:
    def with_bomb(pdf: pikepdf.Pdf) -> None:
        packed = zlib.compress(bytes(64 << 20), 9)
        pdf.Root.AF[0].EF.F.write(packed, filter=pikepdf.Name.FlateDecode)

    with pytest.raises(InputError, match="far more"):
        read_attachment(changed(invoice, with_bomb, compress_streams=False))


@pytest.mark.parametrize("step", [97])
def test_cut_off_anywhere(invoice: bytes, step: int) -> None:
    for length in range(0, len(invoice) - 2, step):
        with pytest.raises(InputError):
            read_attachment(invoice[:length])


def test_random_changes_crash_nothing(invoice: bytes, bundle_of: Callable[..., bytes]) -> None:
    """Whatever is changed, the reader reads or refuses, and pages are compared or doubted."""
    dice = random.Random(7)
    content = bundle_of(30)
    bundle = doc.parse(content)
    assert isinstance(bundle, doc.Bundle)
    plain = [at for match in re.finditer(rb"endobj|<<[^>]*>>|xref", invoice) for at in range(*match.span())]
    read = 0
    for turn in range(600):
        damaged = bytearray(invoice)
        for _ in range(dice.randint(1, 4)):
            at = dice.choice(plain) if turn % 2 else dice.randrange(len(damaged))
            how = dice.randrange(3)
            if how == 0:
                damaged[at] = dice.randrange(256)
            elif how == 1:
                damaged[at : at + dice.randint(1, 4)] = b""
            else:
                damaged[at:at] = dice.choice(
                    [b"<<", b"[", b"(", b"/", b"1 0 R ", b"99999999999", b"%", b">>"]
                )
        try:
            file = PdfFile(bytes(damaged))
            file.attachment().unpacked()
        except InputError:
            continue
        read += 1
        if read % 8 == 0:
            compare(file, content, bundle)
    assert read > 10
