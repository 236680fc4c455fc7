"""Net amounts: both admins' signatures, part by part, each once."""

import pytest
from brownie import ClearingHouse, MeddlingWallet, accounts, reverts
from clearings import AGREED, AGREEING, DOCUMENT, SETTLED, SETTLING, Opening, struct_hash


@pytest.fixture
def clearing(desk):
    return desk.agreeing()


def test_anyone_submits_part_after_part_until_the_last(desk, house, clearing, mallory):
    tx = desk.agree(clearing, sender=mallory)
    stored = house.getPart(clearing, 1)
    expected = struct_hash("Amount", bytes(clearing), 1, *Opening().call)
    assert bytes(stored[0]) == expected
    assert (bytes(stored[1]), *stored[2:]) == (DOCUMENT, 1, 2, tx.timestamp, 0, AGREED)
    assert tx.events["PartAgreed"]["creditor"] == 1
    assert desk.state(clearing) == AGREEING
    desk.agree(clearing, part=2, creditor=desk.b, last=True)
    assert house.getPart(clearing, 2)[2:4] == (2, 1)
    assert house.partCount(clearing) == 2
    assert desk.state(clearing) == SETTLING
    net = desk.net_amount(clearing, part=3)
    with reverts(revert_pattern="ClearingHouseWrongState.*"):
        desk.submit(net, desk.signatures(net))


def test_a_part_is_settled_while_the_rest_is_open(desk, house, clearing):
    desk.agree(clearing)
    house.confirm(clearing, 1, bytes(32), {"from": desk.a.admin})
    assert desk.state(clearing) == AGREEING
    desk.agree(clearing, part=2, last=True)
    assert desk.state(clearing) == SETTLING
    tx = house.confirm(clearing, 2, bytes(32), {"from": desk.a.admin})
    assert desk.state(clearing) == SETTLED
    assert tx.events["ClearingSettled"]["clearing"] == clearing


def test_the_same_signatures_twice(desk, clearing):
    net = desk.net_amount(clearing)
    signed = desk.signatures(net)
    desk.submit(net, signed)
    with reverts(revert_pattern="ClearingHousePartNumber.*"):
        desk.submit(net, signed)


@pytest.mark.parametrize("part", [0, 2, 2**32 - 1])
def test_parts_are_numbered(desk, clearing, part):
    net = desk.net_amount(clearing, part=part)
    with reverts(revert_pattern="ClearingHousePartNumber.*"):
        desk.submit(net, desk.signatures(net))


@pytest.mark.parametrize("field", [2, 3, 4, 5, 6, 7])
def test_every_signed_member_counts(desk, clearing, field):
    """Part and clearing have their own tests: the one is refused before, the other is another clearing."""
    amendment = (1, desk.period, 5, 2)
    desk.anchor(desk.a, 5)
    desk.anchor(desk.a, 5, amends=1)
    net = desk.net_amount(clearing)
    signed = desk.signatures(net)
    other = {2: True, 3: 2, 4: b"\x04" * 32, 5: b"\x05" * 32, 6: amendment, 7: net[7] + 1}
    changed = (*net[:field], other[field], *net[field + 1 :])
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        desk.submit(changed, signed)
    desk.submit(net, signed)


def test_signatures_of_another_part_round_or_clearing(desk, house, clearing):
    first = desk.net_amount(clearing)
    signed = desk.signatures(first)
    desk.submit(first, signed)
    second = desk.net_amount(clearing, part=2)
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        desk.submit(second, signed)
    house.refuse(clearing, 1, {"from": desk.a.admin})
    again = desk.agreeing()
    assert again != clearing
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        desk.submit((bytes(again), *first[1:]), signed)
    with reverts(revert_pattern="ClearingHouseWrongState.*"):
        desk.submit(first, signed)


def test_signatures_for_another_house_chain_or_domain(desk, ledger, clearing):
    second = accounts[0].deploy(ClearingHouse, ledger)
    net = desk.net_amount(clearing)
    for domain in ({"house": second.address}, {"chain_id": 10}, {"name": "Billproof"}):
        with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
            desk.submit(net, desk.signatures(net, **domain))


def test_both_sign_each_for_itself(desk, clearing):
    net = desk.net_amount(clearing)
    a, b = desk.signatures(net)
    c = desk.signatures(net, desk.c, desk.c)[0]
    for pair in ((a, a), (b, b), (b, a), (c, b), (a, c), (a, b""), (b"", b)):
        with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
            desk.submit(net, pair)
    desk.submit(net, (a, b))


def test_anchorers_sign_no_money(desk, ledger, clearing):
    """C's key is granted the right to anchor for B: it is not B's admin for all that."""
    ledger.grantAnchorer(2, desk.c.admin, {"from": desk.b.admin})
    net = desk.net_amount(clearing)
    values = (*net[:-1], 0, 0, net[-1])
    signed = desk.sign(desk.a, "NetAmount", values), desk.sign(desk.c, "NetAmount", values)
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        desk.submit(net, signed)


def test_an_admin_who_changed_between_signature_and_submission(desk, ledger, clearing):
    """The ledger is asked when it is submitted: yesterday's admin signs nothing today, its successor does."""
    net = desk.net_amount(clearing)
    a, b = desk.signatures(net)
    ledger.transferAdmin(2, desk.c.admin, {"from": desk.b.admin})
    ledger.acceptAdmin(2, {"from": desk.c.admin})
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        desk.submit(net, (a, b))
    values = (*net[:-1], 0, 0, net[-1])
    desk.submit(net, (a, desk.sign(desk.c, "NetAmount", values)))


def test_withdrawn_signatures_stay_void(desk, house, ledger, clearing, mallory):
    """A later admin is not bound by what an earlier one left lying about, once it has withdrawn it."""
    net = desk.net_amount(clearing)
    signed = desk.signatures(net)
    for sender in (mallory, desk.a.anchorer, desk.b.admin):
        with reverts(revert_pattern="ClearingHouseNotAdmin.*"):
            house.withdrawSignatures(1, {"from": sender})
    assert house.withdrawSignatures(1, {"from": desk.a.admin}).events["SignaturesWithdrawn"]["nonce"] == 1
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        desk.submit(net, signed)
    desk.submit(net, desk.signatures(net))
    later = desk.net_amount(clearing, part=2)
    signed = desk.signatures(later)
    house.withdrawSignatures(2, {"from": desk.b.admin})
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        desk.submit(later, signed)


def test_a_signature_has_a_deadline(desk, clearing):
    net = desk.net_amount(clearing, deadline=desk.now() + 100)
    signed = desk.signatures(net)
    desk.pass_by(desk.now() + 100)
    with reverts(revert_pattern="ClearingHouseTooLate.*"):
        desk.submit(net, signed)


def test_before_both_books_are_open(desk):
    clearing, first, _ = desk.committed()
    desk.reveal(clearing, desk.a, first)
    net = desk.net_amount(clearing)
    with reverts(revert_pattern="ClearingHouseWrongState.*"):
        desk.submit(net, desk.signatures(net))


def test_terms_that_are_none(desk, clearing):
    for changes, error in (
        ({"creditor": desk.c}, "NotParty"),
        ({"commitment": bytes(32)}, "ZeroHash"),
        ({"document": bytes(32)}, "ZeroHash"),
    ):
        net = desk.net_amount(clearing, **changes)
        with reverts(revert_pattern=f"ClearingHouse{error}.*"):
            desk.submit(net, desk.signatures(net))


def test_a_credit_names_an_amendment_that_stands(desk, clearing):
    period, place = desk.period, 5
    first = desk.anchor(desk.b, place)
    amending = desk.anchor(desk.b, place, amends=1)
    fallen = desk.anchor(desk.b, place, amends=1)
    desk.repudiate(desk.b, fallen)
    desk.anchor(desk.c, place)
    foreign = desk.anchor(desk.c, place, amends=1)
    refused = [
        (2, period, *first),  # amends nothing
        (2, period, *fallen),  # repudiated
        (2, period, place, 9),  # is not there
        (3, period, *foreign),  # somebody else's
        (1, period, *amending),  # not this side's
        (0, period, *amending),
    ]
    for amendment in refused:
        net = desk.net_amount(clearing, amendment=amendment)
        with reverts(revert_pattern="ClearingHouseNoAmendment.*"):
            desk.submit(net, desk.signatures(net))
    tx = desk.agree(clearing, creditor=desk.b, amendment=(2, period, *amending))
    assert tx.events["PartAgreed"]["net"][6] == (2, period, *amending)


def test_a_contract_signs_by_eip_1271(desk, wallet):
    clearing = desk.agreeing(desk.a, desk.c)
    net = desk.net_amount(clearing)
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        desk.submit(net, desk.signatures(net, desk.a, desk.b))
    desk.submit(net, desk.signatures(net, desk.a, desk.c))


def test_a_wallet_changes_nothing_while_it_is_asked(desk, house, ledger):
    """It is asked by `staticcall`: a wallet that would close the clearing meanwhile fails instead."""
    meddler = accounts[7].deploy(MeddlingWallet)
    ledger.transferAdmin(3, meddler, {"from": desk.c.admin})
    meddler.execute(ledger, ledger.acceptAdmin.encode_input(3))
    clearing = desk.agreeing(desk.a, desk.c)
    net = desk.net_amount(clearing)
    signed = desk.signatures(net, desk.a, desk.c)
    meddler.onCheck(house, house.refuse.encode_input(clearing, 3))
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        desk.submit(net, signed)
    meddler.onCheck("0x" + "00" * 20, b"")
    desk.submit(net, signed)
