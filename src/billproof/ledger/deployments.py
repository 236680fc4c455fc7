"""Where the ledger lives: the verifier's own list, never the word of a proof file.

One JSON file per chain id in ``deployments/`` of the package, or a file of the same form that the user names
with ``--deployment``. There is no public deployment yet: what ships are the development chains.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from billproof.errors import CannotCheckError, InputError
from billproof.files import json_bytes, write_file
from billproof.ledger.artifact import load_artifact
from billproof.ledger.devaccounts import DEVELOPMENT_CHAIN_IDS, EMBEDDED_CHAIN_ID, NEVER_PUBLIC
from billproof.ledger.rpc import Endpoint, HttpEndpoint, printable
from billproof.ledger.safe_json import loads

SCHEMA = "billproof/deployment/1"
KINDS = ("public", "testnet", "development", "embedded")
_KEYS = {"schema", "chainId", "name", "kind", "ledger", "deployerBlock", "finality", "endpoints"}
_MAX_FILE = 1024 * 1024


@dataclass(frozen=True)
class KnownEndpoint:
    """A node of the list. Two with the same ``operated_by`` or host are not independent."""

    url: str = field(repr=False)
    operated_by: str


@dataclass(frozen=True)
class Deployment:
    """One ledger on one chain.

    ``ledger``: lower-case address. ``deployer_block``: the block it was deployed in, where event searches
    begin, or None. ``confirmations``: None trusts the node's ``finalized`` tag; N takes the block N below
    the newest (0 on development chains, which do not reorganise).
    """

    chain_id: int
    name: str
    kind: str
    ledger: str
    deployer_block: int | None
    confirmations: int | None
    endpoints: tuple[KnownEndpoint, ...]

    def connect_known(self) -> list[Endpoint]:
        """Endpoints for every node of the list."""
        return [HttpEndpoint(known.url, operated_by=known.operated_by) for known in self.endpoints]


def known_chains() -> list[int]:
    """Chain ids of the shipped deployments, ascending."""
    folder = resources.files("billproof.ledger") / "deployments"
    names = [entry.name for entry in folder.iterdir()]
    return sorted(int(name[:-5]) for name in names if re.fullmatch(r"[1-9][0-9]*\.json", name))


def load(source: int | str | Path) -> Deployment:
    """The shipped deployment of a chain id, or that of a file.

    Raises:
        CannotCheckError: no deployment is known for that chain.
        InputError: the file breaks its form, or calls a development chain public.
    """
    if isinstance(source, int):
        folder = resources.files("billproof.ledger") / "deployments"
        if source not in known_chains():
            shipped = ", ".join(str(known) for known in known_chains())
            raise CannotCheckError(
                f"no ledger is known on chain {source} (known: {shipped})",
                advice="name a deployment file that you trust with --deployment",
            )
        return parse((folder / f"{source}.json").read_bytes(), f"{source}.json")
    shown = printable(str(source), 4096)
    try:
        with Path(source).open("rb") as handle:
            content = handle.read(_MAX_FILE + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=shown) from error
    if len(content) > _MAX_FILE:
        raise InputError("too large for a deployment file", file=shown)
    return parse(content, source)


def parse(content: bytes, file: str | Path) -> Deployment:
    """A deployment from its JSON; ``file`` is named in errors."""
    file = printable(str(file), 4096)
    try:
        tree = loads(content)
    except ValueError:
        tree = None
    if not isinstance(tree, dict):
        raise InputError("not a JSON object", file=file, advice="this is no deployment file")
    for name in sorted(set(tree) ^ _KEYS):
        problem = "missing" if name in _KEYS else "unknown"
        raise InputError(
            f"{problem} key", file=file, field=printable(name, 40), advice="see docs for its form"
        )
    if tree["schema"] != SCHEMA:
        raise InputError(f"must be {SCHEMA}", file=file, field="schema")
    block = tree["deployerBlock"]
    deployment = Deployment(
        chain_id=_decimal(tree["chainId"], "chainId", file),
        name=_text(tree["name"], "name", file),
        kind=_text(tree["kind"], "kind", file),
        ledger=_ledger(tree["ledger"], tree["kind"], file),
        deployer_block=None if block is None else _decimal(block, "deployerBlock", file),
        confirmations=_finality(tree["finality"], file),
        endpoints=_endpoints(tree["endpoints"], file),
    )
    _check_kind(deployment, file)
    return deployment


def save(deployment: Deployment, file: str | Path) -> None:
    """Writes a deployment file, replacing what is there in one step.

    Raises:
        InputError: it could not be written, or ``load`` would refuse it.
    """
    rule: Any = (
        "finalized" if deployment.confirmations is None else {"confirmations": deployment.confirmations}
    )
    block = deployment.deployer_block
    tree = {
        "schema": SCHEMA,
        "chainId": str(deployment.chain_id),
        "name": deployment.name,
        "kind": deployment.kind,
        "ledger": deployment.ledger,
        "deployerBlock": None if block is None else str(block),
        "finality": rule,
        "endpoints": [{"url": known.url, "operatedBy": known.operated_by} for known in deployment.endpoints],
    }
    content = json_bytes(tree)
    parse(content, file)
    write_file(Path(file), content)


def _check_kind(deployment: Deployment, file: str | Path) -> None:
    if deployment.kind not in KINDS:
        raise InputError(f"must be one of {', '.join(KINDS)}", file=file, field="kind")
    chain = deployment.chain_id
    right = (
        ("embedded",)
        if chain == EMBEDDED_CHAIN_ID
        else ("development",)
        if chain in DEVELOPMENT_CHAIN_IDS
        else ("public", "testnet", "development")
    )
    if deployment.kind not in right:
        why = "anybody can write anything on it" if chain in NEVER_PUBLIC else "only one chain is embedded"
        raise InputError(
            f"chain {chain} cannot be {deployment.kind}: {why}",
            file=file,
            field="kind",
            advice="do not trust whoever gave you this file",
        )
    if deployment.kind == "public" and deployment.confirmations == 0:
        raise InputError("a public chain needs a finality rule", file=file, field="finality")


def _text(value: Any, name: str, file: str | Path) -> str:
    if not isinstance(value, str) or not value or len(value) > 2000 or not value.isprintable():
        raise InputError("must be a short text", file=file, field=name)
    return value


def _decimal(value: Any, name: str, file: str | Path) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"0|[1-9][0-9]{0,18}", value):
        raise InputError('must be a decimal number in quotes, such as "31337"', file=file, field=name)
    return int(value)


def _ledger(value: Any, kind: Any, file: str | Path) -> str:
    """Null, on development chains only: where deterministic deployment puts the shipped contract."""
    if value is None and kind in ("development", "embedded"):
        return load_artifact().address
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-f]{40}", value):
        raise InputError("must be a lower-case address", file=file, field="ledger")
    return value


def _finality(value: Any, file: str | Path) -> int | None:
    if value == "finalized":
        return None
    if isinstance(value, dict) and set(value) == {"confirmations"}:
        number = value["confirmations"]
        if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 100_000:
            return number
    raise InputError('must be "finalized" or {"confirmations": N}', file=file, field="finality")


def _endpoints(value: Any, file: str | Path) -> tuple[KnownEndpoint, ...]:
    if not isinstance(value, list) or len(value) > 100:
        raise InputError("must be a list", file=file, field="endpoints")
    found = []
    for entry in value:
        if not isinstance(entry, dict) or set(entry) != {"url", "operatedBy"}:
            raise InputError("each needs url and operatedBy, nothing else", file=file, field="endpoints")
        known = KnownEndpoint(
            _text(entry["url"], "endpoints.url", file),
            _text(entry["operatedBy"], "endpoints.operatedBy", file),
        )
        HttpEndpoint(known.url)  # refuses what is no http(s) address
        found.append(known)
    return tuple(found)
