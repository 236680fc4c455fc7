"""Receipts in QR codes: the shared vectors, another CBOR library, pictures, and random damage."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import cbor2
import pytest

from billproof.bundle import documents as doc
from billproof.bundle import qr, receiptcode
from billproof.bundle.cbor import dumps, loads
from billproof.bundle.page import compare, shown_texts
from billproof.bundle.pdfread import PdfFile
from billproof.bundle.reading import open_document
from billproof.cli import main
from billproof.errors import InputError
from billproof.verification import read_document

VECTORS = Path(__file__).parents[2] / "vectors"
CODES = json.loads((VECTORS / "receipt-codes.json").read_bytes())


@pytest.mark.parametrize("case", CODES["good"], ids=lambda case: case["name"])
def test_a_code_is_its_receipt(case: Any, tmp_path: Path) -> None:
    assert json.loads(receiptcode.decode(case["code"])) == case["receipt"]
    document = open_document(case["code"]).document
    assert isinstance(document, doc.Receipt)
    assert json.loads(receiptcode.decode(receiptcode.encode(document))) == case["receipt"]
    (tmp_path / "code.txt").write_text(f"\n{case['code']}\r\n")
    assert read_document(tmp_path / "code.txt") == document


@pytest.mark.parametrize("case", CODES["bad"], ids=lambda case: case["name"])
def test_what_is_no_code_is_refused(case: Any) -> None:
    with pytest.raises(InputError):
        receiptcode.decode(case["code"])


def test_a_receipt_that_breaks_its_rules_is_no_longer_a_matter_of_the_code() -> None:
    document = open_document(CODES["good"][0]["code"]).document
    assert isinstance(document, doc.Receipt)
    fields = receiptcode.fields_of(document)
    fields[3] = 202613
    with pytest.raises(doc.SchemaError):
        doc.parse(receiptcode.decode(_wrapped(dumps(fields))))


def test_another_library_writes_and_reads_the_same_cbor() -> None:
    for case in CODES["good"]:
        document = doc.parse(json.dumps(case["receipt"]).encode())
        assert isinstance(document, doc.Receipt)
        fields = receiptcode.fields_of(document)
        assert dumps(fields) == cbor2.dumps(fields, canonical=True)
    for value in (0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1, -1, -24, -25, -(2**64)):
        assert loads(dumps(value)) == value == cbor2.loads(dumps(value))


def test_random_damage_is_refused_or_another_receipt() -> None:
    dice = random.Random(5)
    code = CODES["good"][0]["code"]
    for _ in range(3000):
        at = dice.randrange(4, len(code))
        other = code[:at] + dice.choice("0123456789ABC $%*+-./:") + code[at + dice.randrange(2) :]
        try:
            doc.parse(receiptcode.decode(other))
        except (InputError, doc.SchemaError):
            continue


def test_random_cbor_is_refused_or_read() -> None:
    dice = random.Random(6)
    for _ in range(5000):
        try:
            loads(dice.randbytes(dice.randrange(40)))
        except ValueError:
            continue


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_picture_is_drawn(kind: str) -> None:
    made = qr.picture(CODES["good"][0]["code"], Path(f"code.{kind}"))
    assert made.startswith(b"<svg" if kind == "svg" else b"\x89PNG")
    with pytest.raises(InputError, match=r"\.svg"):
        qr.picture("x", Path("code.gif"))


def test_the_command_line_writes_a_code(
    tmp_path: Path, genuine: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, picture = tmp_path / "bundle.json", tmp_path / "code.svg"
    bundle.write_bytes(genuine)
    command = ["receipt", str(bundle), "--record", "1", "--qr", str(picture), "--json"]
    assert _exit(command) == 0
    code = json.loads(capsys.readouterr().out)["code"]
    document = open_document(code).document
    assert isinstance(document, doc.Receipt)
    assert document.record.index == "1"
    assert picture.read_bytes().startswith(b"<svg")
    assert _exit(command) == 2  # it is there already
    assert _exit(["verify", code, "--trust", str(tmp_path / "none.json")]) == 4


def test_the_invoice_of_the_vectors(genuine: bytes) -> None:
    """Read by the browser's reader too; another version of a library may draw it in another way."""
    file = PdfFile((VECTORS / "invoice.pdf").read_bytes())
    assert file.attachment().unpacked() == genuine
    assert list(shown_texts(file)) == json.loads((VECTORS / "invoice.json").read_bytes())["text"]
    bundle = doc.parse(genuine)
    assert isinstance(bundle, doc.Bundle)
    assert not compare(file, genuine, bundle).differences


def _exit(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return int(stopped.value.code or 0)


def _wrapped(content: bytes) -> str:
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return receiptcode.PREFIX + receiptcode.base45(packer.compress(content) + packer.flush())
