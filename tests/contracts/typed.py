"""Struct hashes by eth-account: the oracle that shares no code with the contracts."""

from eth_account.messages import encode_typed_data

FIELDS = {
    "BatchId": [
        ("uint256", "chainId"),
        ("address", "ledger"),
        ("uint64", "operatorId"),
        ("uint32", "period"),
        ("uint32", "region"),
        ("uint32", "sequence"),
    ],
    "Peer": [("string", "number"), ("bytes32", "salt")],
    "CallRecord": [
        ("uint32", "index"),
        ("uint8", "service"),
        ("uint64", "startedAt"),
        ("int16", "utcOffset"),
        ("uint64", "usage"),
        ("uint64", "billedUsage"),
        ("bytes32", "peer"),
        ("bytes8", "network"),
        ("int128", "amount"),
        ("bytes32", "rate"),
        ("bytes32", "corrects"),
    ],
    "Totals": [("int128", "total"), ("bytes32", "salt")],
    "Statement": [
        ("bytes32", "batchId"),
        ("bytes32", "account"),
        ("bytes32", "recordsRoot"),
        ("uint32", "recordCount"),
        ("bytes3", "currency"),
        ("bytes32", "tariff"),
        ("Totals", "totals"),
    ],
    "AccountEntry": [("bytes32", "account"), ("bytes32", "nextAccount"), ("bytes32", "statement")],
    "AccountKey": [("bytes32", "subject"), ("address", "holder")],
    "Subject": [("string", "accountId"), ("bytes32", "keySecret")],
    "KeySecret": [("bytes32", "accountSeed"), ("bytes32", "batchId")],
    "Anchor": [
        ("uint64", "operatorId"),
        ("uint32", "period"),
        ("uint32", "region"),
        ("uint32", "expectedSequence"),
        ("bytes32", "root"),
        ("bytes32", "manifestHash"),
        ("uint32", "amends"),
        ("address", "anchorer"),
        ("uint256", "nonce"),
        ("uint256", "deadline"),
    ],
    "Publish": [
        ("uint64", "operatorId"),
        ("bytes32", "tariffHash"),
        ("uint64", "validFrom"),
        ("uint64", "validUntil"),
        ("address", "publisher"),
        ("uint256", "nonce"),
        ("uint256", "deadline"),
    ],
}
DOMAIN = [
    ("string", "name"),
    ("string", "version"),
    ("uint256", "chainId"),
    ("address", "verifyingContract"),
]


def _members(fields):
    return [{"type": kind, "name": name} for kind, name in fields]


def named(struct, values):
    """A struct's values, given in order, under their names."""
    return dict(zip((name for _, name in FIELDS[struct]), values, strict=True))


def signable(struct, message, chain_id=1, ledger="0x" + "00" * 20, name="Billproof"):
    """The EIP-712 message of `struct` in the domain of the ledger, or of a book under its `name`."""
    types = {"EIP712Domain": _members(DOMAIN), struct: _members(FIELDS[struct])}
    if struct == "Statement":
        types["Totals"] = _members(FIELDS["Totals"])
    domain = {"name": name, "version": "1", "chainId": chain_id, "verifyingContract": ledger}
    return encode_typed_data(
        full_message={"types": types, "primaryType": struct, "domain": domain, "message": message}
    )


def struct_hash(struct, *values):
    """`hashStruct` of the protocol's type `struct`, its members given in order."""
    return signable(struct, named(struct, values)).body
