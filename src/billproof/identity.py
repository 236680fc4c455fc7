"""Whether operator N of a ledger is who it says: the ledger names a domain, the domain names the operator.

The domain says so in ``https://DOMAIN/.well-known/billproof.json`` or in a DNS TXT record at
``_billproof.DOMAIN``; either is enough. A pin of the user's own outranks both. A name alone proves nothing:
anybody can register any name and any domain on the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from billproof.errors import BillproofError
from billproof.ledger.deployments import Deployment
from billproof.ledger.lookup import RootLookup
from billproof.ledger.reads import operator as read_operator
from billproof.ledger.rpc import Endpoint, printable
from billproof.ledger.safe_json import loads
from billproof.ledger.states import OperatorState
from billproof.ledger.web_fetch import FetchError, fetch_small
from billproof.trust import Pins

SCHEMA = "billproof/domain-binding/1"
WELL_KNOWN = "/.well-known/billproof.json"
_MAX_OPERATORS = 1000
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
#: Names that nobody can own in the public DNS (RFC 2606, 6761, 6762, 7686 and common habits).
_PRIVATE_SUFFIXES = (
    *(".example", ".invalid", ".test", ".local", ".localhost"),
    *(".internal", ".home.arpa", ".onion", ".lan"),
)
_NUMBER = r"[1-9][0-9]{0,18}"
_TXT = re.compile(rf"billproof=1; chain=({_NUMBER}); ledger=(0x[0-9a-f]{{40}}); operator=({_NUMBER})")

Triple = tuple[int, str, int]


@dataclass(frozen=True)
class Identity:
    """Who an operator is. ``status``: pinned (by the user), bound (domain and ledger name each other),
    contradicted (the domain publishes bindings, and not this one), unbound (nothing was found). Only the
    first two count. ``how`` says why in a sentence; ``name`` and ``domain`` are what the ledger says, or what
    the pin says: it names no domain."""

    status: str
    name: str
    domain: str
    how: str
    advice: str = ""

    @property
    def trusted(self) -> bool:
        return self.status in ("pinned", "bound")


@dataclass(frozen=True)
class Sources:
    """Where domains are asked. The defaults are the public ones; tests name servers on loopback.

    ``base_url``: instead of ``https://DOMAIN``. ``nameserver``: (address, port) instead of the system's.
    ``timeout``: seconds for each source.
    """

    base_url: str | None = None
    nameserver: tuple[str, int] | None = None
    timeout: float = 5.0


class _Nothing(Exception):
    """A source says nothing usable; the text says why."""


def identify(lookup: RootLookup, operator_id: int, pins: Pins, *, sources: Sources | None = None) -> Identity:
    """Who operator ``operator_id`` of the look-up's ledger is.

    Raises:
        BillproofError: the ledger could not be asked, or has no such operator.
    """
    deployment = lookup.deployment
    triple = (deployment.chain_id, deployment.ledger, operator_id)
    pin = pins.find(*triple)
    if pin is not None:  # whatever the operator writes about itself must not matter then
        return Identity("pinned", pin.name, "", f"you have pinned this operator as {pin.name}")
    state = lookup.agreed(partial(_read, deployment, operator_id))
    return bind(state, triple, sources or Sources())


def bind(state: OperatorState, triple: Triple, sources: Sources) -> Identity:
    """Asks the domain that the ledger names whether it names the operator as well."""
    name, domain = printable(state.name, 200), printable(state.domain, 253)
    if not domain:
        return Identity("unbound", name, "", "the operator has named no domain", _advice(triple))
    if not _DOMAIN.fullmatch(state.domain) or state.domain.endswith(_PRIVATE_SUFFIXES):
        return Identity("unbound", name, domain, f"{domain} is no public domain", _advice(triple))
    asked: list[tuple[str, Callable[[str, Sources], tuple[set[Triple], str]]]] = [
        (f"https://{domain}{WELL_KNOWN}", _well_known),
        (f"DNS TXT _billproof.{domain}", _dns),
    ]
    silent, others = [], []
    for place, ask in asked:
        try:
            found, note = ask(domain, sources)
        except _Nothing as why:
            silent.append(f"{place}: {why}")
            continue
        if triple in found:
            return Identity("bound", name, domain, f"{domain} names this operator ({place}{note})")
        others.append(place)
    if others:
        how = f"{domain} names other operators, but not this one ({', '.join(others)})"
        return Identity(
            "contradicted", name, domain, how, "do not trust this bill before the operator explains it to you"
        )
    return Identity("unbound", name, domain, "; ".join(silent), _advice(triple))


def parse_well_known(content: bytes) -> set[Triple]:
    """The operators that a ``billproof.json`` names.

    Raises:
        BillproofError: it is not exactly of the form ``billproof/domain-binding/1``.
    """
    try:
        tree = loads(content)
    except ValueError:
        tree = None
    if not isinstance(tree, dict) or set(tree) != {"schema", "operators"} or tree["schema"] != SCHEMA:
        raise BillproofError(f"is not a {SCHEMA}")
    entries = tree["operators"]
    if not isinstance(entries, list) or len(entries) > _MAX_OPERATORS:
        raise BillproofError("has no usable list of operators")
    return {_triple(entry) for entry in entries}


def parse_txt(texts: list[str]) -> set[Triple]:
    """The operators that TXT records name; records about other things are passed over.

    Raises:
        BillproofError: a record begins with ``billproof=`` and is not of that form.
    """
    found = set()
    for text in texts:
        if not text.startswith("billproof="):
            continue
        match = _TXT.fullmatch(text)
        if match is None:
            raise BillproofError("has a malformed billproof record")
        found.add((int(match[1]), match[2], int(match[3])))
    return found


def _triple(entry: Any) -> Triple:
    if not isinstance(entry, dict) or set(entry) != {"chainId", "ledger", "operatorId"}:
        raise BillproofError("has an operator without exactly chainId, ledger, operatorId")
    patterns = {"chainId": _NUMBER, "ledger": "0x[0-9a-f]{40}", "operatorId": _NUMBER}
    for name, pattern in patterns.items():
        if not isinstance(entry[name], str) or not re.fullmatch(pattern, entry[name]):
            raise BillproofError(f"has a malformed {name}")
    return int(entry["chainId"]), entry["ledger"], int(entry["operatorId"])


def _well_known(domain: str, sources: Sources) -> tuple[set[Triple], str]:
    base = sources.base_url or f"https://{domain}"
    try:
        content = fetch_small(
            base + WELL_KNOWN, timeout=sources.timeout, public_only=sources.base_url is None
        )
        return parse_well_known(content), ""
    except (FetchError, BillproofError) as error:
        raise _Nothing(str(error)) from error


def _dns(domain: str, sources: Sources) -> tuple[set[Triple], str]:
    import dns.exception
    import dns.flags
    import dns.resolver

    try:
        resolver = dns.resolver.Resolver(configure=sources.nameserver is None)
        if sources.nameserver is not None:
            resolver.nameservers = [sources.nameserver[0]]
            resolver.port = sources.nameserver[1]
        resolver.use_edns(0, dns.flags.DO, 1232)
        answer = resolver.resolve(f"_billproof.{domain}.", "TXT", search=False, lifetime=sources.timeout)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        raise _Nothing("no such record") from None
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise _Nothing(f"no answer ({type(error).__name__})") from error
    texts = [b"".join(record.strings).decode("utf-8", "replace") for record in list(answer)[:100]]
    try:
        found = parse_txt(texts)
    except BillproofError as error:
        raise _Nothing(str(error)) from error
    if not found:
        raise _Nothing("no billproof record")
    signed = bool(answer.response.flags & dns.flags.AD)
    return found, ", DNSSEC checked by your resolver" if signed else ""


def _read(deployment: Deployment, operator_id: int, endpoint: Endpoint, block: str) -> OperatorState:
    return read_operator(endpoint, deployment, operator_id, block)


def _advice(triple: Triple) -> str:
    chain, ledger, number = triple
    return (
        "ask the operator by a way you know for its ledger and number, then pin it:"
        f" billproof trust add --chain-id {chain} --ledger {ledger} --operator {number} --name NAME"
    )
