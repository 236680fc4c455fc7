"""``billproof house net``: what a ring of operators owe each other, replaced by what is left of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import house_options, options
from billproof.cli.output import check_free, emit, facts, table

if TYPE_CHECKING:
    from billproof.clearing.house.model import RingNetting


@click.group(short_help="Replace what a ring of operators owe each other by what is left.")
def net() -> None:
    """Replace parts that are owed, of any clearings, by the few payments that are left between them.

    Everybody who is creditor or debtor of one of them signs, and sees all of their amounts.
    """


@net.command(short_help="Make a netting of parts that are owed, to be signed.")
@click.argument("parts", nargs=-1, required=True, type=options.FILE, metavar="PART.json…")
@click.option("--netting", "file", type=options.FILE, required=True, help="Write it there; a new file.")
@click.option("--valid", default="7d", show_default=True, help="Until when signatures count.")
@house_options.looking
def propose(parts: tuple[Path, ...], file: Path, valid: str, as_json: bool, **where: Any) -> None:
    """Make a netting of parts that are owed, in one currency or one token, for their operators to sign.

    PART.json are the files of parts, or of earlier nettings, of which all parts are taken. The netting's file
    (0600) holds all amounts and salts: hand it to those who sign, to nobody else.
    """
    from billproof.clearing.house import rings as house_rings
    from billproof.clearing.house.files import write_netting

    check_free([file], force=False)
    owed = [each for path in parts for each in house_options.owed_in(path, None)]
    house = house_options.looking_house(**where)
    deadline = house_options.moment(valid, house_options.begin(house), "--valid")
    netting = house_rings.propose(house.client, owed, deadline)
    write_netting(netting, file)
    _tell(netting, file, as_json, "Proposed")


@net.command(short_help="Compare a netting with the chain, and sign it.")
@click.argument("file", type=options.FILE, metavar="NETTING.json")
@house_options.side_option
@house_options.signature_option
@house_options.digest_option
@house_options.sending
def sign(
    file: Path,
    operator_id: int | None,
    signature: str | None,
    digest: bool,
    as_json: bool,
    **signing: Any,
) -> None:
    """Compare NETTING.json with the chain, and add the admin's signature to the file.

    Every part that it replaces must be owed, by whom and to whom and as much as the file says, and by the
    new parts every operator must get and owe what it did. Whatever differs is refused with the reason.
    """
    from dataclasses import replace

    from billproof.clearing.house import rings as house_rings
    from billproof.clearing.house.access import require_signature
    from billproof.clearing.house.files import read_netting, write_netting
    from billproof.cli.house_parts import signing_house, signing_side

    netting = read_netting(file)
    house = signing_house(signing, signature, digest)
    house_rings.require_netting(house.client, netting)
    if digest:
        _tell(netting, file, as_json, "To be signed")
        return
    if signature is not None:
        side = signing_side(operator_id, netting.operators)
        given = house_options.signature_bytes(signature)
        require_signature(house.client, side, netting.digest, given)
        netting = replace(netting, signatures={**netting.signatures, side: given})
    else:
        netting = house_rings.sign(house, netting, operator_id)
    write_netting(netting, file)
    _tell(netting, file, as_json, "Signed")


@net.command(short_help="Submit a netting that all have signed.")
@click.argument("file", type=options.FILE, metavar="NETTING.json")
@house_options.sending
def submit(file: Path, as_json: bool, **signing: Any) -> None:
    """Submit a netting that the admins of all its operators have signed; anybody may.

    Its parts are then paid and confirmed as others are: `house pay NETTING.json --part N`.
    """
    from billproof.clearing.house import rings as house_rings
    from billproof.clearing.house.files import read_netting

    netting = read_netting(file)
    receipt = house_rings.submit(house_options.house_of(signing), netting)
    words = f"{len(netting.replaced)} parts are replaced by {len(netting.parts)}."
    house_options.done([receipt], words, as_json, "house-netted", netting="0x" + netting.id.hex())


def _tell(netting: RingNetting, file: Path, as_json: bool, what: str) -> None:
    from billproof.cli.house_parts import amount_document, tell_signatures
    from billproof.publication import utc

    if as_json:
        emit(
            "house-netting",
            {
                "netting": "0x" + netting.id.hex(),
                "operators": list(netting.operators),
                "replaced": [
                    {
                        "source": "0x" + each.source.hex(),
                        "number": each.number,
                        "creditor": each.creditor,
                        "debtor": each.debtor,
                        **amount_document(each.amount),
                    }
                    for each in netting.replaced
                ],
                "parts": [
                    {
                        "number": each.number,
                        "creditor": each.creditor,
                        "debtor": each.debtor,
                        **amount_document(each.amount),
                    }
                    for each in netting.parts
                ],
                "documentHash": "0x" + netting.document_hash.hex(),
                "deadline": netting.deadline,
                "digest": "0x" + netting.digest.hex(),
                "signed": sorted(netting.signatures),
                "file": str(file),
            },
        )
        return
    facts(
        f"{what}: {len(netting.replaced)} parts are replaced by {len(netting.parts)}",
        [
            ("id", "0x" + netting.id.hex()),
            ("document", "0x" + netting.document_hash.hex()),
            ("signatures count until", utc(netting.deadline)),
            ("digest", "0x" + netting.digest.hex()),
        ],
    )
    rows = [
        [word, each.debtor, each.creditor, each.amount.words]
        for word, parts in (("replaced", netting.replaced), ("new", netting.parts))
        for each in parts
    ]
    table(["", "owes", "is owed", "amount"], rows)
    tell_signatures(netting, file)
