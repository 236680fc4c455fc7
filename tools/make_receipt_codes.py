"""Writes ``receipt-codes.json`` and ``invoice.pdf`` of the vectors: what readers must read, and refuse."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from billproof.bundle import documents as doc
from billproof.bundle import qr, receiptcode
from billproof.bundle.cbor import dumps
from billproof.bundle.page import shown_texts
from billproof.bundle.pdf import Look, Printer
from billproof.bundle.pdfread import PdfFile
from billproof.bundle.receiptcode import PREFIX

VECTORS = Path(__file__).parents[1] / "tests/vectors"


def wrapped(content: bytes) -> str:
    """Bytes in a code's wrapping, whatever they are."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return PREFIX + receiptcode.base45(packer.compress(content) + packer.flush())


def receipts(batch: Any) -> dict[str, Any]:
    """Receipts that differ in what their codes hold."""
    shown, hidden = batch["receipts"]["number shown"], batch["receipts"]["number hidden"]
    record = shown["record"]
    negative = {**record, "amount": "-9223372036854775808", "utcOffset": "-300", "corrects": "0x" + "ab" * 32}
    texts = {**record, "rate": "π €/мин – 料金 😀", "number": "", "startedAt": "9223372036854775807"}
    return {
        "number shown": shown,
        "number hidden": hidden,
        "negative, corrects a line": {**shown, "record": negative},
        "texts of many scripts": {**shown, "record": texts},
        "a chain id of 256 bits": {**shown, "batch": {**shown["batch"], "chainId": str((1 << 256) - 1)}},
        "a chain id of 65 bits": {**shown, "batch": {**shown["batch"], "chainId": str(1 << 64)}},
        "with a tariff": {**shown, "statement": {**shown["statement"], "tariff": "0x" + "17" * 32}},
        "long proofs": {
            **hidden,
            "recordProof": [f"0x{at:064x}" for at in range(20)],
            "entry": {**hidden["entry"], "proof": [f"0x{at:064x}" for at in range(28)]},
        },
    }


def refused(receipt: Any) -> dict[str, str]:
    """Texts that no reader takes."""
    good = doc.parse(doc.encode(receipt))
    assert isinstance(good, doc.Receipt)  # noqa: S101
    code, fields = receiptcode.encode(good), receiptcode.fields_of(good)
    content = dumps(fields)

    def with_field(at: int, value: Any) -> str:
        return wrapped(dumps([*fields[:at], value, *fields[at + 1 :]]))

    packer = zlib.compressobj(9, zlib.DEFLATED, 15)
    with_header = packer.compress(content) + packer.flush()
    return {
        "empty": "",
        "prefix alone": PREFIX,
        "another prefix": "BP2:" + code[4:],
        "prefix in small letters": "bp1:" + code[4:],
        "a small letter": code[:-1] + "a",
        "one character short": code[:-1],
        "half of it": code[: len(code) // 2 // 3 * 3 + 1],
        "a group beyond 65535": PREFIX + ":::" + code[7:],
        "a last pair beyond 255": code[: 4 + (len(code) - 4) // 3 * 3] + "::",
        "zlib instead of raw deflate": PREFIX + receiptcode.base45(with_header),
        "longer than any code": code + "0" * 4300,
        "unpacks to far more": wrapped(bytes(1 << 20)),
        "something after the array": wrapped(content + b"\0"),
        "an array cut off": wrapped(content[:-1]),
        "a field too many": wrapped(dumps([*fields, 1])),
        "a field too few": wrapped(dumps(fields[:-1])),
        "an integer in more bytes than it needs": wrapped(
            content.replace(dumps(fields[3]), b"\x1b" + fields[3].to_bytes(8), 1)
        ),
        "an array of unknown length": wrapped(b"\x9f" + content[1:] + b"\xff"),
        "a tag": wrapped(b"\xc0" + content),
        "a map": wrapped(b"\xa0"),
        "true": wrapped(b"\xf5"),
        "a float": wrapped(b"\xfb" + bytes(8)),
        "nested deeply": wrapped(b"\x81" * 9000 + b"\0"),
        "a huge array": wrapped(b"\x9b" + b"\xff" * 8),
        "a text that is no UTF-8": wrapped(content.replace(b"\x63EUR", b"\x63\xff\xfe\xfd", 1)),
        "a short hash": with_field(6, bytes(31)),
        "a text for an address": with_field(1, "0x" + "00" * 20),
        "a chain id in too many bytes": with_field(0, bytes(31) + b"\1"),
        "a small chain id in bytes": with_field(0, b"\1"),
        "a tariff of zeros written out": with_field(9, bytes(32)),
        "a proof of half a hash": with_field(14, bytes(48)),
        "a number without its salt": with_field(
            11, [*fields[11], "+49"] if len(fields[11]) == 11 else fields[11][:-1]
        ),
        "a hash where the period is": with_field(3, bytes(32)),
    }


def main() -> None:
    batch = json.loads((VECTORS / "batch.json").read_bytes())
    good = []
    for name, receipt in receipts(batch).items():
        document = doc.parse(doc.encode(receipt))
        assert isinstance(document, doc.Receipt)  # noqa: S101
        good.append({"name": name, "code": receiptcode.encode(document), "receipt": receipt})
    bad = [{"name": name, "code": code} for name, code in refused(batch["receipts"]["number shown"]).items()]
    found = json.dumps({"good": good, "bad": bad}, indent=1, ensure_ascii=True)
    (VECTORS / "receipt-codes.json").write_text(found + "\n")
    picture = VECTORS / "receipt-code.png"
    picture.write_bytes(qr.picture(good[0]["code"], picture))
    look = Look("de_DE", "Μέριδιαν Телеком", "https://check.example/")
    bundle = doc.encode(batch["bundles"]["1001"])
    made = Printer(look).invoice(bundle)
    (VECTORS / "invoice.pdf").write_bytes(made)
    texts = {"text": list(shown_texts(PdfFile(made)))}
    (VECTORS / "invoice.json").write_text(json.dumps(texts, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
