"""A ring replaces what its operators owe each other: all of them sign, all of it happens, or nothing."""

import pytest
from brownie import reverts
from clearings import AGREED, DOCUMENT, NETTED, PAID, SETTLED, Opening, struct_hash


@pytest.fixture
def ring(desk):
    return [desk.a, desk.b, desk.c]


@pytest.fixture
def owed(desk):
    """B owes A, C owes B, A owes C: the ids of the clearings, each with one, last part."""
    pairs = [(desk.a, desk.b, desk.a), (desk.b, desk.c, desk.b), (desk.a, desk.c, desk.c)]
    ids = []
    for one, two, creditor in pairs:
        clearing = desk.agreeing(one, two)
        desk.agree(clearing, one, two, creditor=creditor, last=True)
        ids.append(clearing)
    return ids


@pytest.fixture
def replaced(owed):
    return [(bytes(clearing), 1) for clearing in owed]


@pytest.fixture
def source(house, replaced):
    return house.nettingIdOf(replaced)


@pytest.fixture
def netting(desk, ring, replaced, source):
    """What the ring signs: C owes A, and nothing else is left."""
    return desk.netting(ring, replaced, [(1, 3, Opening(7).commitment(source, 1))])


def send(desk, house, ring, netting, signatures=None, sender=None):
    signatures = desk.net_signatures(ring, netting) if signatures is None else signatures
    return house.net(netting, signatures, {"from": sender or desk.a.admin})


def test_replaced_by_what_all_signed(desk, house, ring, owed, netting, source, replaced, mallory):
    tx = send(desk, house, ring, netting, sender=mallory)
    assert bytes(source) == struct_hash("NettingId", desk.chain_id, house.address, replaced)
    for clearing in owed:
        assert desk.status(clearing) == NETTED
        assert desk.state(clearing) == SETTLED
    part = house.getPart(source, 1)
    assert (bytes(part[0]), bytes(part[1])) == (netting[2][0][2], DOCUMENT)
    assert part[2:] == (1, 3, tx.timestamp, 0, AGREED)
    assert [bytes(e["netting"]) for e in tx.events["PartNetted"]] == [bytes(source)] * 3
    assert tx.events["NettingAgreed"]["parts"] == ((1, 3, "0x" + netting[2][0][2].hex()),)


def test_everything_may_cancel(desk, house, ring, replaced, source):
    send(desk, house, ring, desk.netting(ring, replaced, []))
    assert house.partCount(source) == 0


def test_what_is_left_ends_like_any_other_part(desk, house, ring, replaced, source, token, mallory):
    paid = Opening(amount=50, token=token.address, payee=mallory.address)
    parts = [(1, 2, paid.commitment(source, 1)), (3, 2, Opening(7).commitment(source, 2))]
    send(desk, house, ring, desk.netting(ring, replaced, parts))
    token.approve(house, 50, {"from": desk.b.admin})
    house.pay(source, 1, paid.call, {"from": desk.b.admin})
    assert desk.status(source, 1) == PAID
    with reverts(revert_pattern="ClearingHouseNotAdmin.*"):
        house.confirm(source, 2, bytes(32), {"from": desk.a.admin})
    house.confirm(source, 2, bytes(32), {"from": desk.c.admin})
    assert token.balanceOf(mallory) == 50


def test_a_part_that_came_of_a_netting_is_netted_again(desk, house, ring, netting, source):
    send(desk, house, ring, netting)
    pair = [desk.a, desk.c]
    again = desk.netting(pair, [(bytes(source), 1)], [])
    send(desk, house, pair, again)
    assert desk.status(source) == NETTED


def test_a_netted_part_is_neither_paid_nor_confirmed(desk, house, ring, owed, netting):
    send(desk, house, ring, netting)
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        house.confirm(owed[0], 1, bytes(32), {"from": desk.a.admin})
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        house.pay(owed[0], 1, Opening().call, {"from": desk.b.admin})


def test_a_settled_part_is_not_netted_and_nothing_of_the_rest(desk, house, ring, owed, netting, source):
    house.confirm(owed[2], 1, bytes(32), {"from": desk.c.admin})
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        send(desk, house, ring, netting)
    assert [desk.status(clearing) for clearing in owed[:2]] == [AGREED, AGREED]
    assert house.partCount(source) == 0


def test_the_same_netting_twice(desk, house, ring, netting, source):
    signed = desk.net_signatures(ring, netting)
    send(desk, house, ring, netting, signed)
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        send(desk, house, ring, netting, signed)
    assert house.partCount(source) == 1


def test_one_part_twice_in_the_list(desk, house, ring, replaced):
    netting = desk.netting(ring, [replaced[0], replaced[0]], [])
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        send(desk, house, ring, netting)


@pytest.mark.parametrize("missing", range(3))
def test_everybody_signs(desk, house, ring, netting, missing):
    signed = desk.net_signatures(ring, netting)
    other = signed[(missing + 1) % 3]
    for bad in (b"", other):
        with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
            send(desk, house, ring, netting, [*signed[:missing], bad, *signed[missing + 1 :]])


@pytest.mark.parametrize("left", range(3))
def test_every_creditor_and_debtor_signs(desk, house, ring, replaced, source, left):
    two = [operator for i, operator in enumerate(ring) if i != left]
    with reverts(revert_pattern="ClearingHouseNotInRing.*"):
        send(desk, house, two, desk.netting(two, replaced, []))
    between = {0: 1, 1: 2, 2: 0}[left]  # the clearing of the two who do sign
    mine = [replaced[between]]
    part = (ring[left].id, two[0].id, b"\x01" * 32)
    for parts in ([part], [(part[1], part[0], part[2])]):
        with reverts(revert_pattern="ClearingHouseNotInRing.*"):
            send(desk, house, two, desk.netting(two, mine, parts))
    send(desk, house, two, desk.netting(two, mine, []))


@pytest.mark.parametrize("field", range(1, 5))
def test_every_signed_member_counts(desk, house, ring, netting, field):
    """The list of operators has its own test; another list of signers has other signatures."""
    signed = desk.net_signatures(ring, netting)
    other = {1: netting[1][:2], 2: [], 3: b"\x03" * 32, 4: netting[4] + 1}
    changed = (*netting[:field], other[field], *netting[field + 1 :])
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        send(desk, house, ring, changed, signed)
    send(desk, house, ring, netting, signed)


def test_for_another_house_or_chain(desk, house, ring, netting, ledger):
    for domain in ({"house": ledger.address}, {"chain_id": 10}, {"name": "Billproof"}):
        with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
            send(desk, house, ring, netting, desk.net_signatures(ring, netting, **domain))


def test_shapes_that_are_none(desk, house, ring, replaced, netting):
    turned = [desk.b, desk.a, desk.c]
    doubled = [desk.a, desk.a, desk.b, desk.c]
    for operators in (turned, doubled):
        with reverts(revert_pattern="ClearingHouseNettingShape.*"):
            send(desk, house, operators, desk.netting(operators, replaced, []))
    with reverts(revert_pattern="ClearingHouseNettingShape.*"):
        send(desk, house, ring, desk.netting(ring, [], []))
    with reverts(revert_pattern="ClearingHouseNettingShape.*"):
        send(desk, house, ring, netting, desk.net_signatures(ring, netting)[:2])
    with reverts(revert_pattern="ClearingHouseNotInRing.*"):
        send(desk, house, [], desk.netting([], replaced, []))


def test_terms_that_are_none(desk, house, ring, replaced):
    with reverts(revert_pattern="ClearingHouseZeroHash.*"):
        send(desk, house, ring, desk.netting(ring, replaced, [], document=bytes(32)))
    with reverts(revert_pattern="ClearingHouseZeroHash.*"):
        send(desk, house, ring, desk.netting(ring, replaced, [(1, 2, bytes(32))]))
    with reverts(revert_pattern="ClearingHouseNotInRing.*"):
        send(desk, house, ring, desk.netting(ring, replaced, [(1, 1, b"\x01" * 32)]))


def test_withdrawn_changed_or_late(desk, house, ring, netting, ledger, mallory):
    signed = desk.net_signatures(ring, netting)
    house.withdrawSignatures(3, {"from": desk.c.admin})
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        send(desk, house, ring, netting, signed)
    signed = desk.net_signatures(ring, netting)
    ledger.transferAdmin(2, mallory, {"from": desk.b.admin})
    ledger.acceptAdmin(2, {"from": mallory})
    with reverts(revert_pattern="ClearingHouseInvalidSignature.*"):
        send(desk, house, ring, netting, signed)
    ledger.transferAdmin(2, desk.b.admin, {"from": mallory})
    ledger.acceptAdmin(2, {"from": desk.b.admin})
    desk.pass_by(netting[4])
    with reverts(revert_pattern="ClearingHouseTooLate.*"):
        send(desk, house, ring, netting, signed)


def test_a_wallet_signs_in_a_ring(desk, house, ring, wallet, netting):
    """C is a contract by now; its key's owner signs."""
    send(desk, house, ring, netting)
