"""The clearing house on every chain: its address, a clearing to payment in a token, hashes, refusals."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from importlib import resources

import pytest
from doubles import put
from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.errors import CannotCheckError, InputError, LedgerError, NotAnchoredError
from billproof.ledger import house_hashes as hashes
from billproof.ledger import house_reads as reads
from billproof.ledger import house_states as states
from billproof.ledger import token
from billproof.ledger.artifact import CLEARING_HOUSE, book_address, house_address, keccak, load_artifact
from billproof.ledger.clearing_house import ClearingHouse
from billproof.ledger.client import BatchAnchor
from billproof.ledger.deploy import deploy_house
from billproof.ledger.deployments import Deployment
from billproof.ledger.provider import house_of
from billproof.ledger.reverts import RevertError
from billproof.ledger.signatures import is_signed_by
from billproof.ledger.states import BatchKey, ForeignCodeError, OddAnswerError

DAY, PERIOD = 86_400, 202601
STATEMENTS, SALT, DOCUMENT = (bytes([each]) * 32 for each in (0x57, 0x51, 0xD0))
BATCH = states.BatchReference(1, 1)


def refused(name, act):
    with pytest.raises(RevertError) as caught:
        act()
    assert caught.value.name == name
    assert caught.value.advice
    return str(caught.value)


@dataclass
class Desk:
    """A house of a chain and two operators; their accounts are 0 and 1."""

    chain: object
    house: ClearingHouse
    other: ClearingHouse
    a: int
    b: int

    @property
    def where(self):
        return self.chain.endpoint, self.chain.deployment

    def state(self, clearing):
        return reads.clearing_state(*self.where, clearing)

    def deadlines(self):
        now = max(
            int(time.time()),
            int(self.chain.endpoint.request("eth_getBlockByNumber", ["latest", False])["timestamp"], 16),
        )
        return states.Deadlines(*(now + days * DAY + 600 for days in (1, 2, 3, 4)))

    def anchor(self, operator, house):
        house.client.anchor(operator, BatchAnchor(PERIOD, 1, 1, operator.to_bytes(32, "big"), bytes(32)))
        time.sleep(0 if self.chain.url == "" else 1.1)

    def agreeing(self):
        sides = ((self.a, self.house), (self.b, self.other))
        for operator, house in sides:
            self.anchor(operator, house)
        clearing, _ = self.house.open(self.a, self.b, PERIOD, self.deadlines())
        for operator, house in sides:
            house.commit(
                clearing, operator, hashes.book_commitment(clearing, operator, [BATCH], STATEMENTS, SALT)
            )
        for operator, house in sides:
            house.reveal(clearing, operator, [BATCH], STATEMENTS, SALT)
        return clearing

    def net(self, clearing, opening, part=1, last=True):
        return states.NetAmount(
            clearing,
            part,
            last,
            self.a,
            hashes.amount_commitment(clearing, part, opening),
            DOCUMENT,
            states.NO_AMENDMENT,
            self.deadlines().commit_by,
        )

    def signed(self, net, nonces=(0, 0)):
        return [house.sign_net_amount(net, nonces) for house in (self.house, self.other)]


@pytest.fixture
def desk(chain):
    deploy_house(chain.endpoint, chain.signer(), chain.deployment)
    houses = [ClearingHouse(chain.client(index)) for index in (0, 1)]
    return Desk(chain, *houses, chain.operator(0), chain.operator(1))


def euros(token_address=states.NO_ADDRESS, payee=states.NO_ADDRESS, amount=1_000):
    return states.Opening(b"EUR", amount, token_address, payee, SALT)


def test_one_address_and_again_is_no_harm(chain, desk):
    shipped = json.loads(
        (resources.files("billproof.ledger") / "artifacts" / "ClearingHouse.json").read_bytes()
    )
    assert shipped["create2"]["address"].lower() == desk.house.address
    assert desk.house.address == "0x4c5391bccda2084489242ee98b071856afa7eda8"
    assert deploy_house(chain.endpoint, chain.signer(), chain.deployment) is None
    code = chain.endpoint.request("eth_getCode", [desk.house.address, "latest"])
    assert load_artifact(CLEARING_HOUSE).is_code_of(bytes.fromhex(code[2:]))
    assert house_address("0x" + "ab" * 20) != desk.house.address != book_address(chain.deployment.ledger)


def test_from_opening_to_payment(chain, desk):
    endpoint, signer = chain.endpoint, chain.signer(1)
    clearing = desk.agreeing()
    state = desk.state(clearing)
    assert (state.operators, state.period, state.round) == ((desk.a, desk.b), PERIOD, 1)
    assert state.state is states.State.AGREEING
    assert state.deadline == state.deadlines.agree_by
    assert state.side(desk.a).commitment == hashes.book_commitment(
        clearing, desk.a, [BATCH], STATEMENTS, SALT
    )
    assert 0 < state.side(desk.a).committed_at <= state.side(desk.b).revealed_at
    assert reads.book_of(*desk.where, clearing, desk.b) == (BATCH,)
    assert reads.statements_hash_of(*desk.where, clearing, desk.b) == STATEMENTS
    opened = [each for each in reads.opened_clearings(*desk.where, desk.b) if each.id == clearing]
    assert opened == [states.OpenedClearing(clearing, (desk.a, desk.b), PERIOD, 1, desk.a)]

    euro = put(endpoint, signer, "TrickToken")
    payee = chain.signer(3).address
    opening = euros(euro, payee)
    net = desk.net(clearing, opening)
    first, second = desk.signed(net)
    assert refused("ClearingHouseInvalidSignature", lambda: desk.house.agree(net, second, first))
    for changed in (
        replace(net, last=False),
        replace(net, creditor=desk.b),
        replace(net, amount_commitment=SALT),
        replace(net, document_hash=SALT),
        replace(net, deadline=net.deadline + 1),
    ):
        refused(
            "ClearingHouseInvalidSignature", lambda changed=changed: desk.house.agree(changed, first, second)
        )
    desk.other.agree(net, first, second)
    part = reads.part_state(*desk.where, clearing, 1)
    assert (part.creditor, part.debtor, part.document_hash) == (desk.a, desk.b, DOCUMENT)
    assert part.amount_commitment == net.amount_commitment
    assert part.status is states.PartStatus.AGREED
    assert part.ended_at == 0
    assert desk.state(clearing).state is states.State.SETTLING
    assert desk.state(clearing).open_parts == 1
    assert reads.part_state(*desk.where, clearing, 2).status is states.PartStatus.NONE

    with pytest.raises(LedgerError, match="are needed"):
        desk.house.pay(clearing, 1, opening)  # account 0 has none of it
    assert refused(
        "ClearingHouseWrongOpening", lambda: desk.other.pay(clearing, 1, replace(opening, amount=999))
    )
    assert token.decimals(endpoint, euro) == 18
    assert (
        token.allowance(endpoint, euro, signer.address, desk.house.address) == 999
    )  # too little: it is set anew
    receipts = desk.other.pay(clearing, 1, opening)
    assert len(receipts) == 3
    assert token.balance(endpoint, euro, payee) == 1_000
    assert token.allowance(endpoint, euro, signer.address, desk.house.address) == 0
    assert desk.state(clearing).state is states.State.SETTLED
    (ended,) = reads.parts_of(*desk.where, clearing)
    assert ended.status is states.PartStatus.PAID
    assert ended.ended_at == receipts[-1].block_time
    refused("ClearingHouseNotOwed", lambda: desk.other.pay(clearing, 1, opening))


def test_tokens_that_pay_nothing(embedded):
    """A fee, a transfer that moves nothing, one that answers false: nothing is undone but the payment."""
    deploy_house(embedded.endpoint, embedded.signer(), embedded.deployment)
    houses = [ClearingHouse(embedded.client(index)) for index in (0, 1)]
    desk = Desk(embedded, *houses, embedded.operator(0), embedded.operator(1))
    euro = put(embedded.endpoint, embedded.signer(1), "TrickToken")
    opening = euros(euro, embedded.signer(3).address)
    clearing = desk.agreeing()
    net = desk.net(clearing, opening)
    desk.house.agree(net, *desk.signed(net))
    tricks = {
        "ClearingHouseInexactPayment": (1, False, False),
        "SafeERC20FailedOperation": (0, False, True),
    }
    change = keccak(b"set(uint256,bool,bool)")[:4]
    for name, trick in tricks.items():
        desk.other.client.send(euro, change + encode(["uint256", "bool", "bool"], trick))
        refused(name, lambda: desk.other.pay(clearing, 1, opening))
    desk.other.client.send(euro, change + encode(["uint256", "bool", "bool"], (0, False, False)))
    desk.other.pay(clearing, 1, opening)
    assert desk.state(clearing).state is states.State.SETTLED


def test_a_ring_of_parts(chain, desk):
    clearing = desk.agreeing()
    net = desk.net(clearing, euros(), last=False)
    desk.house.agree(net, *desk.signed(net))
    replaced = (states.PartReference(clearing, 1),)
    source = hashes.netting_id(chain.deployment.chain_id, desk.house.address, replaced)
    part = states.NetPart(desk.a, desk.b, hashes.amount_commitment(source, 1, euros()))
    ring = states.Netting((desk.a, desk.b), replaced, (part,), DOCUMENT, desk.deadlines().commit_by)
    signatures = [house.sign_netting(ring, (0, 0)) for house in (desk.house, desk.other)]
    shorter = replace(ring, parts=())
    refused("ClearingHouseInvalidSignature", lambda: desk.house.net(shorter, signatures))
    desk.house.net(ring, signatures)
    assert [each.status for each in reads.parts_of(*desk.where, clearing)] == [states.PartStatus.NETTED]
    assert reads.part_count(*desk.where, source) == 1
    refused("ClearingHouseNotAdmin", lambda: desk.other.confirm(source, 1, bytes(32)))
    desk.house.confirm(source, 1, DOCUMENT)
    assert reads.part_state(*desk.where, source, 1).status is states.PartStatus.CONFIRMED


def test_refusals_in_words(chain, desk):
    deadlines = desk.deadlines()
    clearing, _ = desk.house.open(desk.a, desk.b, PERIOD, deadlines)
    words = refused("ClearingHouseRoundOpen", lambda: desk.house.open(desk.a, desk.b, PERIOD, deadlines))
    assert words.startswith("the clearing house refused: the round before, 0x" + clearing.hex())
    assert "in commitment" in refused(
        "ClearingHouseWrongState", lambda: desk.house.reveal(clearing, desk.a, [BATCH], STATEMENTS, SALT)
    )
    refused("ClearingHouseNotOperator", lambda: desk.other.commit(clearing, desk.a, SALT))
    refused("ClearingHouseTooEarly", lambda: desk.other.close_overdue(clearing, desk.b))
    refused("ClearingHouseNothingRepudiated", lambda: desk.other.close_repudiated(clearing, desk.b))
    desk.other.refuse(clearing, desk.b)
    state = desk.state(clearing)
    assert (state.state, state.ending, state.at_fault) == (
        states.State.CLOSED,
        states.Ending.REFUSED,
        (desk.b,),
    )
    assert state.deadline is None
    assert desk.house.open(desk.a, desk.b, PERIOD, deadlines)[0] != clearing
    assert reads.rounds_of(*desk.where, desk.b, desk.a, PERIOD) == 2
    assert reads.nonce_of(*desk.where, desk.a) == 0
    desk.house.withdraw_signatures(desk.a)
    assert reads.nonce_of(*desk.where, desk.a) == 1
    with pytest.raises(NotAnchoredError, match="no clearing"):
        desk.state(bytes(32))
    with pytest.raises(NotAnchoredError, match="has not opened"):
        reads.statements_hash_of(*desk.where, clearing, desk.a)


def test_values_that_do_not_fit(desk):
    for call in (
        lambda: desk.house.commit(b"\1" * 33, 1, SALT),
        lambda: desk.house.commit(SALT, 2**64, SALT),
        lambda: desk.house.open(1, 2, 2**32, desk.deadlines()),
    ):
        with pytest.raises(InputError):
            call()
    with pytest.raises(CannotCheckError, match="is no contract"):
        token.decimals(desk.chain.endpoint, "0x" + "ab" * 20)
    with pytest.raises(CannotCheckError, match="does not answer as a token"):
        token.decimals(desk.chain.endpoint, desk.house.address)


def test_a_ledger_without_a_house(chain):
    alone = Deployment(**{**vars(chain.deployment), "ledger": "0x" + "ab" * 20})
    for read in (reads.clearing_state, reads.parts_of):
        with pytest.raises(reads.NoClearingHouseError, match="no clearing house"):
            read(chain.endpoint, alone, bytes(32))
    with pytest.raises(reads.NoClearingHouseError):
        reads.require_house(chain.endpoint, alone)


# --- hashes ------------------------------------------------------------------------------------------

u32, u64, h32 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.binary(min_size=32, max_size=32)
address = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
big = st.integers(0, 2**256 - 1)
references = st.builds(states.PartReference, h32, u32)
STRUCTS = {
    "Clearing": st.tuples(big, address, u64, u64, u32, u32),
    "Book": st.tuples(h32, u64, st.lists(st.tuples(u32, u32), max_size=3), h32, h32),
    "Amount": st.tuples(h32, u32, st.binary(min_size=3, max_size=3), big, address, address, h32),
    "NetAmount": st.tuples(
        h32, u32, st.booleans(), u64, h32, h32, st.tuples(u64, u32, u32, u32), u64, u64, big
    ),
    "NettingId": st.tuples(big, address, st.lists(st.tuples(h32, u32), max_size=3)),
    "Netting": st.tuples(
        st.lists(u64, max_size=3),
        st.lists(u64, max_size=3),
        st.lists(st.tuples(h32, u32), max_size=3),
        st.lists(st.tuples(u64, u64, h32), max_size=3),
        h32,
        big,
    ),
}


@settings(deadline=None)
@given(st.data())
@pytest.mark.parametrize("struct", STRUCTS)
def test_hashes_are_those_of_eth_account(struct, data):
    values = data.draw(STRUCTS[struct])
    chain_id, house = data.draw(big), data.draw(address)
    domain, types, message = hashes.signable(struct, values, chain_id, house)
    encoded = encode_typed_data(domain_data=domain, message_types=types, message_data=message)
    assert hashes.hash_struct(struct, values) == encoded.body
    assert hashes.digest(struct, values, chain_id, house) == keccak(
        b"\x19\x01" + encoded.header + encoded.body
    )


@pytest.mark.parametrize(
    ("struct", "values"),
    [
        ("PartReference", (bytes(31), 1)),
        ("PartReference", (bytes(32), 2**32)),
        ("PartReference", (bytes(32), -1)),
        ("PartReference", (bytes(32), 1, 1)),
        ("Clearing", (1, "0x12", 1, 2, 202601, 1)),
    ],
)
def test_values_outside_their_types(struct, values):
    with pytest.raises(ValueError):  # noqa: PT011
        hashes.hash_struct(struct, values)


def test_hashes_are_those_of_the_contract(embedded):
    deploy_house(embedded.endpoint, embedded.signer(), embedded.deployment)
    functions = house_of(embedded.endpoint, embedded.deployment).functions
    chain_id, house = embedded.deployment.chain_id, house_address(embedded.deployment.ledger)
    assert functions.ledger().call().lower() == embedded.deployment.ledger
    assert functions.clearingIdOf(9, 4, 202601, 3).call() == hashes.clearing_id(
        chain_id, house, 9, 4, 202601, 3
    )
    replaced = (states.PartReference(SALT, 1), states.PartReference(DOCUMENT, 7))
    expected = functions.nettingIdOf([(each.source, each.number) for each in replaced]).call()
    assert hashes.netting_id(chain_id, house, replaced) == expected
    domain = hashes.hash_struct("EIP712Domain", (hashes.NAME, hashes.VERSION, chain_id, house))
    assert functions.domainSeparator().call() == domain


def test_a_wallet_contract_signs(embedded):
    """An admin that is a contract: what its owner signs is the digest."""
    deploy_house(embedded.endpoint, embedded.signer(), embedded.deployment)
    owner = embedded.signer(4)
    wallet = put(embedded.endpoint, owner, "OneKeyWallet", encode(["address"], [owner.address]))
    digest = hashes.digest("PartReference", (SALT, 1), 1, wallet)
    signed = Account.unsafe_sign_hash(digest, owner._account.key).signature
    assert is_signed_by(embedded.endpoint, wallet, digest, bytes(signed))
    assert is_signed_by(embedded.endpoint, owner.address, digest, bytes(signed))
    for address_, other in (
        (wallet, DOCUMENT),
        (owner.address, DOCUMENT),
        (embedded.signer(5).address, digest),
    ):
        assert not is_signed_by(embedded.endpoint, address_, other, bytes(signed))
    for odd in (b"", bytes(65), bytes(64), bytes(signed) + b"\0"):
        assert not is_signed_by(embedded.endpoint, wallet, digest, odd)
        assert not is_signed_by(embedded.endpoint, owner.address, digest, odd)


# --- nodes that lie ----------------------------------------------------------------------------------


class Liar:
    """A node that gives one answer to every call, and none of code."""

    name, host, operated_by = "liar", "liar", ""

    def __init__(self, answer, code="0x"):
        self.answers = {"eth_getCode": code}
        self.answer = answer

    def request(self, method, params):
        return self.answers.get(method, self.answer)


def words(*numbers):
    return "0x" + "".join(f"{number:064x}" for number in numbers)


CLEARING = [1, 2, 202601, 1, 0, 1, 0, 0, *[0] * 4, *[0] * 6]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "0x1",
        words(1, 2),
        words(*CLEARING),  # of another id
        words(*CLEARING[:5], 7, *CLEARING[6:]),  # a state that there is not
        words(*CLEARING[:6], 9, *CLEARING[7:]),
        words(2**64, *CLEARING[1:]),
    ],
)
def test_impossible_clearings(embedded, answer):
    with pytest.raises(CannotCheckError):
        reads.clearing_state(Liar(answer), embedded.deployment, SALT)


def test_impossible_parts_and_logs(embedded):
    where = embedded.deployment
    with pytest.raises(OddAnswerError):
        reads.part_state(Liar(words(1, 1, 1, 2, 1, 0, 5)), where, SALT, 1)
    odd = {"blockNumber": "0x1", "logIndex": "0x0", "data": "0x"}
    one = "0x" + f"{1:064x}"
    others = [reads.OPENED, "0x" + SALT.hex(), "0x" + f"{7:064x}", "0x" + f"{8:064x}"]  # not of operator 1
    asked = [reads.OPENED, "0x" + SALT.hex(), one, one]
    topics = (["0x1"], others, asked)
    for answer in (None, [{}], [[]], *([{**odd, "topics": each}] for each in topics)):
        with pytest.raises(CannotCheckError):
            reads.opened_clearings(Liar(answer), replace(where, deployer_block=0), 1)
    with pytest.raises(CannotCheckError):
        reads.require_house(Liar("0x"), where)
    with pytest.raises(ForeignCodeError):
        reads.require_house(Liar("0x", code="0x6001"), where)
    assert BatchKey(0, 0, 0, 0) == states.NO_AMENDMENT
