"""A chain that no list calls a development one, run by two nodes that know nothing of each other.

Both start from the same genesis; the second is given every signed transaction of the first and executes it
itself, so that equal block hashes mean that two processes came to the same state. Keys are of a mnemonic of
the test's own: the package's signers refuse the well-known one on such a chain, as they should.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_connection as connect_to
from socket import create_server, socket
from typing import Any
from urllib.parse import urlsplit

from chains import Chain, _free_port, _node, _tool
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from eth_account import Account
from eth_account.hdaccount import seed_from_mnemonic
from eth_account.hdaccount.deterministic import HDPath

from billproof.ledger import deployments
from billproof.ledger.deploy import deploy
from billproof.ledger.deployments import Deployment, KnownEndpoint
from billproof.ledger.rpc import connect
from billproof.ledger.signers import AccountSigner

CHAIN_ID = 424_242
MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow"
DOMAIN = "meridian.zz"  # ZZ is kept for its users by ISO 3166: nobody can register a name there
_EPOCH = 96  # blocks after which anvil calls the ones before final


class PublicChain(Chain):
    """The first node, with a signer that may sign there."""

    def signer(self, index: int = 0) -> AccountSigner:
        return _signer(index)


@dataclass
class TwoNodes:
    """``first`` and ``second`` are their addresses, ``file`` the deployment file that lists both."""

    chain: PublicChain
    first: str
    second: str
    file: Path

    def follow(self) -> None:
        """The second node executes what the first has; then some blocks more, so that all of it is final."""
        one, two = self.chain.endpoint, connect(self.second)
        one.request("anvil_mine", [hex(_EPOCH)])
        two.request("evm_setAutomine", [False])
        done = int(two.request("eth_blockNumber", []), 16)
        for number in range(done + 1, int(one.request("eth_blockNumber", []), 16) + 1):
            block = one.request("eth_getBlockByNumber", [hex(number), False])
            for transaction in block["transactions"]:
                raw = one.request("eth_getRawTransactionByHash", [transaction])
                two.request("eth_sendRawTransaction", [raw])
            two.request("evm_setNextBlockTimestamp", [int(block["timestamp"], 16)])
            two.request("evm_mine", [])
            same = two.request("eth_getBlockByNumber", [hex(number), False])
            assert same["hash"] == block["hash"], f"the nodes part at block {number}"


def _signer(index: int) -> AccountSigner:
    key = HDPath(f"m/44'/60'/0'/0/{index}").derive(seed_from_mnemonic(MNEMONIC, ""))
    return AccountSigner(Account.from_key(key))


@contextmanager
def two_nodes(home: Path) -> Iterator[TwoNodes]:
    """Two nodes with the ledger on the first, and a list that names both as run by different people."""
    genesis = int(time.time()) - 3600
    with ExitStack() as stack:
        ports = (_free_port(), _free_port())
        for port, pace in zip(ports, (["--block-time", "1"], []), strict=True):
            options = [
                "--chain-id",
                str(CHAIN_ID),
                "--mnemonic",
                MNEMONIC,
                "--timestamp",
                str(genesis),
                *pace,
            ]
            command = [_tool("anvil"), "--port", str(port), "--silent", *options]
            stack.enter_context(contextmanager(_node)(command, port))
        first, second = f"http://127.0.0.1:{ports[0]}", f"http://localhost:{ports[1]}"
        endpoint = connect(first)
        made = deploy(endpoint, _signer(0), kind="public", name="the test's public chain").deployment
        listed = (KnownEndpoint(first, "Aurora Nodes"), KnownEndpoint(second, "Borealis Nodes"))
        deployment = Deployment(**{**vars(made), "endpoints": listed})
        lists = home / "deployments"
        lists.mkdir(parents=True)
        deployments.save(deployment, lists / f"{CHAIN_ID}.json")
        yield TwoNodes(PublicChain(endpoint, deployment, first), first, second, lists / f"{CHAIN_ID}.json")


@contextmanager
def tls(home: Path, url: str) -> Iterator[int]:
    """What stands before an operator's portal: a port that speaks TLS for the domain; yields its number."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(home))
    target = urlsplit(url)

    def serve(taken: socket) -> None:
        try:
            with (
                context.wrap_socket(taken, server_side=True) as outer,
                connect_to((str(target.hostname), int(target.port or 80)), timeout=10) as inner,
            ):
                inner.sendall(_head(outer))
                while part := inner.recv(65_536):
                    outer.sendall(part)
        except OSError:
            pass  # a browser that hangs up, or that refuses the certificate

    with create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    taken, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(taken,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(listening.getsockname()[1])


def _certificate(home: Path) -> Path:
    """A key and a certificate that it signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = home / "certificate.pem"
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(key.private_bytes(*plain) + cert.public_bytes(Encoding.PEM))
    return file


def _head(outer: Any) -> bytes:
    """One request without a body, which is all that is asked of a domain; answered once."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < 16_384:
        part = outer.recv(4096)
        if not part:
            break
        head += part
    return head.replace(b"\r\nConnection: keep-alive", b"").replace(
        b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1
    )
