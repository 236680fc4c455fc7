"""The page with nobody's word but that of two nodes and of the operator's domain: no node of the reader's, no
pin, and a chain that is no development one. The nodes are two processes that executed the same transactions,
the domain is the operator's portal behind TLS; only lies are made up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from page_reader import CANNOT_CHECK, INVALID, VALID, Reader
from phone_month import Month
from playwright.sync_api import Route
from public_chain import DOMAIN, TwoNodes

Visit = Callable[[], Reader]
WELL_KNOWN = f"https://{DOMAIN}/.well-known/billproof.json"


def changed(reader: Reader, address: str, change: Callable[[Any, Any], Any]) -> None:
    """An address answers as before, but what reaches the page is changed: ``change(asked, result)``."""

    def lie(route: Route) -> None:
        asked = route.request.post_data_json
        answer = route.fetch()
        told = answer.json()
        told["result"] = change(asked, told["result"])
        route.fulfill(response=answer, body=json.dumps(told))

    reader.page.route(
        f"{address}/**", lambda route: lie(route) if route.request.method == "POST" else route.continue_()
    )


def expect_only_listed(reader: Reader, nodes: TwoNodes, *, domain: bool = True) -> None:
    """Nothing was asked but the two nodes of the list and the operator's domain, for its one file."""
    asked = [request for request in reader.asked if urlsplit(request.url).scheme != "file"]
    posted = {request.url.rstrip("/") for request in asked if request.method == "POST"}
    fetched = [request.url for request in asked if request.method == "GET"]
    assert posted <= {nodes.first, nodes.second}
    assert fetched == ([WELL_KNOWN] if domain else [])
    assert {request.method for request in asked} <= {"GET", "POST"}
    assert len(asked) <= 40


def test_two_nodes_and_the_domain_make_a_bill_valid_without_a_word_of_the_readers(
    visit_public: Visit, nodes: TwoNodes, public_month: Month
) -> None:
    reader = visit_public()
    assert [urlsplit(request.url).scheme for request in reader.asked] == ["file"]
    reader.choose(public_month.bundle)
    reader.expect_verdict(VALID)
    assert [reader.check(name) for name in ("file", "inclusion", "anchoring", "identity")] == ["passed"] * 4
    assert "Two independent servers say so" in reader.text
    assert f"The website {DOMAIN} confirms that it is operator {public_month.operator}" in reader.text
    assert "test chain" not in reader.text
    expect_only_listed(reader, nodes)
    asked = {urlsplit(request.url).netloc for request in reader.asked if request.method == "POST"}
    assert asked == {urlsplit(nodes.first).netloc, urlsplit(nodes.second).netloc}, "both were asked"
    reader.expect_private(*public_month.secrets)
    reader.expect_no_errors()


def test_a_changed_bill_asks_nobody(visit_public: Visit, public_month: Month) -> None:
    reader = visit_public()
    reader.choose(public_month.edited("public-tampered", lambda tree: tree["records"].pop(4)))
    reader.expect_verdict(INVALID)
    assert reader.text.count("A line is missing after line 4.") >= 1
    assert "says that it is another one" not in reader.text
    assert [urlsplit(request.url).scheme for request in reader.asked] == ["file"]


@pytest.mark.parametrize("liar", ["first", "second"])
def test_a_node_that_names_another_root_is_never_believed(
    visit_public: Visit, nodes: TwoNodes, public_month: Month, liar: str
) -> None:
    """Whichever of the two it is: the page cannot know who lies, and says that they contradict each other."""
    root = _root_of(public_month.bundle)
    lies = 0

    def other_root(asked: Any, result: Any) -> Any:
        nonlocal lies
        if asked["method"] != "eth_call" or root not in result:
            return result
        lies += 1
        return result.replace(root, "11" * 32)

    reader = visit_public()
    changed(reader, getattr(nodes, liar), other_root)
    reader.choose(public_month.bundle)
    reader.expect_verdict(CANNOT_CHECK)
    assert lies > 0
    assert reader.check("anchoring") == "open"
    assert "contradict each other" in reader.text
    expect_only_listed(reader, nodes, domain=False)


def test_a_node_of_another_history_is_never_believed(
    visit_public: Visit, nodes: TwoNodes, public_month: Month
) -> None:
    def other_hash(asked: Any, result: Any) -> Any:
        return {**result, "hash": "0x" + "22" * 32} if asked["method"] == "eth_getBlockByNumber" else result

    reader = visit_public()
    changed(reader, nodes.second, other_hash)
    reader.choose(public_month.bundle)
    reader.expect_verdict(CANNOT_CHECK)
    assert "different histories" in reader.text
    expect_only_listed(reader, nodes, domain=False)


def test_a_forged_bill_stays_one_when_a_node_is_in_league_with_the_forger(
    visit_public: Visit, nodes: TwoNodes, public_month: Month
) -> None:
    """The forger's file is consistent; one node of the two names its root."""
    bill, forged = _root_of(public_month.bundle), _forged(public_month)

    def as_forged(asked: Any, result: Any) -> Any:
        return result.replace(bill, _root_of(forged)) if asked["method"] == "eth_call" else result

    reader = visit_public()
    reader.choose(forged)
    reader.expect_verdict(INVALID)
    reader = visit_public()
    changed(reader, nodes.second, as_forged)
    reader.choose(forged)
    reader.expect_verdict(CANNOT_CHECK)
    expect_only_listed(reader, nodes, domain=False)


def test_one_node_of_two_is_too_few(visit_public: Visit, nodes: TwoNodes, public_month: Month) -> None:
    reader = visit_public()
    reader.page.route(f"{nodes.second}/**", lambda route: route.abort("connectionrefused"))
    reader.choose(public_month.bundle)
    reader.expect_verdict(CANNOT_CHECK)
    assert "Two independent servers are needed" in reader.text
    expect_only_listed(reader, nodes, domain=False)


@pytest.mark.parametrize(
    ("content", "verdict", "words"),
    [
        ({"schema": "billproof/domain-binding/1", "operators": []}, CANNOT_CHECK, "names other operators"),
        ({"schema": "something else"}, CANNOT_CHECK, "cannot be read"),
        (None, CANNOT_CHECK, "gave this page no answer"),
    ],
)
def test_a_domain_that_does_not_name_the_operator_confirms_nothing(
    visit_public: Visit, nodes: TwoNodes, public_month: Month, content: object, verdict: str, words: str
) -> None:
    reader = visit_public()

    def answer(route: Route) -> None:
        if content is None:
            return route.abort("connectionrefused")
        return route.fulfill(json=content, headers={"Access-Control-Allow-Origin": "*"})

    reader.page.route(WELL_KNOWN, answer)
    reader.choose(public_month.bundle)
    reader.expect_verdict(verdict)
    assert reader.check("anchoring") == "passed"
    assert reader.check("identity") == "open"
    assert words in reader.text
    expect_only_listed(reader, nodes)


def _root_of(bundle: Path) -> str:
    from billproof.bundle import documents as doc
    from billproof.inclusion import include_bundle

    document = doc.parse(bundle.read_bytes())
    assert isinstance(document, doc.Bundle)
    return include_bundle(document).root.hex()


def _forged(month: Month) -> Path:
    """A bill with a cheaper line, whose hashes and sums are all recomputed: it leads to a root of its own."""
    import msgspec

    from billproof.bundle import cut
    from billproof.commitment import tree
    from billproof.inclusion import hash_lines

    bundle = month.document
    records = list(bundle.records)
    cheap = msgspec.structs.replace(records[0], amount="0")
    records[0] = msgspec.structs.replace(cheap, hash="0x" + hash_lines([cheap]).hashes[0].tobytes().hex())
    statement = msgspec.structs.replace(
        bundle.statement,
        recordsRoot="0x" + tree.build_tree(hash_lines(records).hashes)[0].tobytes().hex(),
        total=str(sum(int(record.amount) for record in records)),
    )
    path = month.home / "forged.json"
    cut.write_document(path, msgspec.structs.replace(bundle, records=records, statement=statement))
    return path
