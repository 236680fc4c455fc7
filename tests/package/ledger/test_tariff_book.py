"""The tariff book on every chain: one address, publication, withdrawal, and two readers that agree."""

from __future__ import annotations

import json
import time
from importlib import resources

import pytest

from billproof.errors import CannotCheckError, InputError
from billproof.ledger.artifact import TARIFF_BOOK, book_address, keccak, load_artifact
from billproof.ledger.deploy import deploy_book
from billproof.ledger.deployments import Deployment
from billproof.ledger.provider import book_of
from billproof.ledger.reverts import RevertError
from billproof.ledger.states import OddAnswerError, TariffState
from billproof.ledger.tariff_book import TariffBook
from billproof.ledger.tariff_reads import NoTariffBookError, published, tariff_state

FROM, UNTIL = 1_790_812_800, 1_822_348_800
TARIFF = keccak(b"a tariff")


@pytest.fixture
def book(chain):
    deploy_book(chain.endpoint, chain.signer(), chain.deployment)
    return TariffBook(chain.client())


def refused(name, act):
    with pytest.raises(RevertError) as caught:
        act()
    assert caught.value.name == name
    assert caught.value.advice
    return str(caught.value)


def test_one_address_and_again_is_no_harm(chain, book):
    shipped = json.loads((resources.files("billproof.ledger") / "artifacts" / "TariffBook.json").read_bytes())
    assert shipped["create2"]["address"].lower() == book.address == book_address(chain.deployment.ledger)
    assert deploy_book(chain.endpoint, chain.signer(), chain.deployment) is None
    code = chain.endpoint.request("eth_getCode", [book.address, "latest"])
    assert load_artifact(TARIFF_BOOK).is_code_of(bytes.fromhex(code[2:]))


def test_another_ledgers_book_is_elsewhere(chain):
    other = "0x" + "ab" * 20
    assert book_address(other) != book_address(chain.deployment.ledger)


def test_life_of_a_tariff(chain, book):
    number = chain.operator()
    endpoint, deployment = chain.endpoint, chain.deployment
    assert tariff_state(endpoint, deployment, number, TARIFF) == TariffState(0, 0, 0, 0)
    receipt = book.publish(number, TARIFF, FROM, UNTIL)
    state = tariff_state(endpoint, deployment, number, TARIFF)
    assert state == TariffState(receipt.block_time, FROM, UNTIL, 0)
    words = refused("TariffBookAlreadyPublished", lambda: book.publish(number, TARIFF, FROM))
    assert words.startswith("the tariff book refused")
    other = TariffBook(chain.client(1))
    refused("TariffBookNotPublisher", lambda: other.publish(number, b"\1" * 32, FROM))
    refused("TariffBookNotAdmin", lambda: other.withdraw(number, TARIFF, 2**40))
    refused("TariffBookZeroHash", lambda: book.publish(number, bytes(32), FROM))
    refused("TariffBookEmptyValidity", lambda: book.publish(number, b"\1" * 32, FROM, FROM))
    refused("BillingLedgerUnknownOperator", lambda: book.publish(10**6, TARIFF, FROM))
    refused("TariffBookNotPublished", lambda: book.withdraw(number, b"\1" * 32, 2**40))
    refused("TariffBookWithdrawalInThePast", lambda: book.withdraw(number, TARIFF, 1))
    soon = int(time.time()) + 10**7
    book.withdraw(number, TARIFF, soon)
    refused("TariffBookAlreadyWithdrawn", lambda: book.withdraw(number, TARIFF, soon))
    second = keccak(b"the next version")
    book.publish(number, second, UNTIL)
    assert [hashed for hashed, _ in published(endpoint, deployment, number)] == [TARIFF, second]


def test_both_readers_agree(chain, book):
    number = chain.operator()
    book.publish(number, TARIFF, FROM, UNTIL)
    read = tariff_state(chain.endpoint, chain.deployment, number, TARIFF)
    functions = book_of(chain.endpoint, chain.deployment).functions
    answer = functions.tariffOf(number, TARIFF).call()
    fields = (read.published_at, read.valid_from, read.valid_until, read.withdrawn_from)
    assert tuple(answer) == fields
    assert functions.ledger().call().lower() == chain.deployment.ledger
    ((hashed, listed),) = published(chain.endpoint, chain.deployment, number)
    assert functions.tariffAt(number, 0).call() == [hashed, answer]
    assert listed == read


def test_somebody_else_pays(chain, book):
    number, payer = chain.operator(), TariffBook(chain.client(2))
    deadline = 2**40
    signature = book.sign_publish(number, TARIFF, FROM, UNTIL, deadline)
    publisher = book.client.signer.address
    wrong = (number, TARIFF, FROM, 0, publisher, deadline, signature)
    refused("TariffBookInvalidSignature", lambda: payer.publish_by_sig(*wrong))
    late = (number, TARIFF, FROM, UNTIL, publisher, 1, signature)
    refused("TariffBookSignatureExpired", lambda: payer.publish_by_sig(*late))
    payer.publish_by_sig(number, TARIFF, FROM, UNTIL, publisher, deadline, signature)
    assert tariff_state(chain.endpoint, chain.deployment, number, TARIFF).valid_until == UNTIL


def test_values_that_do_not_fit(chain, book):
    for terms in ((2**64, TARIFF, 1, 0), (1, TARIFF, -1, 0), (1, TARIFF, 1, 2**64), (1, b"\1" * 33, 1, 0)):
        with pytest.raises(InputError):
            book.publish(*terms)
    with pytest.raises(InputError):
        book.sign_publish(1, TARIFF, 1, 0, -1)


def test_a_ledger_without_a_book(chain):
    """A chain may have the ledger alone: that is said, and is no error of the look-up."""
    alone = Deployment(**{**vars(chain.deployment), "ledger": "0x" + "ab" * 20})
    assert tariff_state(chain.endpoint, alone, 1, TARIFF) is None
    with pytest.raises(NoTariffBookError, match="no tariff book"):
        list(published(chain.endpoint, alone, 1))


class Liar:
    """A node that gives one answer to every call."""

    name, host, operated_by = "liar", "liar", ""

    def __init__(self, answer):
        self.answer = answer

    def request(self, method, params):
        return self.answer


@pytest.mark.parametrize(
    "words",
    [
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [0, 1, 0, 0],  # valid, but never published
        [2**63, 1, 0, 0],  # published after the year 9999
        [1, 2**64, 0, 0],
        [1, 1, 0, 2**255],
    ],
)
def test_impossible_answers(embedded, words):
    liar = Liar("0x" + "".join(f"{word:064x}" for word in words))
    with pytest.raises(OddAnswerError):
        tariff_state(liar, embedded.deployment, 1, TARIFF)
    for answer in (None, 7, "0x1", "zz"):
        with pytest.raises(CannotCheckError):
            tariff_state(Liar(answer), embedded.deployment, 1, TARIFF)
