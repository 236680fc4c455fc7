"""Clearings: their typed structs hashed and signed by eth-account, and two operators who go through one."""

from dataclasses import dataclass, field

from eth_account import Account
from eth_account.messages import encode_typed_data

DAY = 86_400
NAME = "Billproof ClearingHouse"
NO_AMENDMENT = (0, 0, 0, 0)
SALT = b"\x51" * 32
STATEMENTS = b"\x57" * 32
DOCUMENT = b"\xd0" * 32
NOBODY = "0x" + "00" * 20

NONE, COMMITTING, REVEALING, AGREEING, SETTLING, SETTLED, CLOSED = range(7)
REFUSED, NOT_COMMITTED, NOT_REVEALED, NOT_AGREED, NOT_SETTLED, REPUDIATED = range(1, 7)
AGREED, CONFIRMED, PAID, NETTED = range(1, 5)

TYPES = {
    "EIP712Domain": "string name,string version,uint256 chainId,address verifyingContract",
    "Clearing": "uint256 chainId,address house,uint64 operatorA,uint64 operatorB,uint32 period,uint32 round",
    "BatchReference": "uint32 region,uint32 sequence",
    "Book": "bytes32 clearing,uint64 operatorId,BatchReference[] batches,bytes32 statementsHash,bytes32 salt",
    "Amount": "bytes32 source,uint32 part,bytes3 currency,uint256 amount,address token,address payee,"
    "bytes32 salt",
    "BatchKey": "uint64 operatorId,uint32 period,uint32 region,uint32 sequence",
    "NetAmount": "bytes32 clearing,uint32 part,bool last,uint64 creditor,bytes32 amountCommitment,"
    "bytes32 documentHash,BatchKey amendment,uint64 nonceA,uint64 nonceB,uint256 deadline",
    "PartReference": "bytes32 source,uint32 number",
    "NetPart": "uint64 creditor,uint64 debtor,bytes32 amountCommitment",
    "NettingId": "uint256 chainId,address house,PartReference[] replaced",
    "Netting": "uint64[] operators,uint64[] nonces,PartReference[] replaced,NetPart[] parts,"
    "bytes32 documentHash,uint256 deadline",
}


def _members(struct):
    return [dict(zip(("type", "name"), member.split(), strict=True)) for member in TYPES[struct].split(",")]


def _value(kind, value):
    if kind.endswith("[]"):
        return [_value(kind[:-2], one) for one in value]
    return named(kind, value) if kind in TYPES else value


def named(struct, values):
    """A struct's values, given in order, under their names; structs inside it as well."""
    members = _members(struct)
    return {m["name"]: _value(m["type"], v) for m, v in zip(members, values, strict=True)}


def signable(struct, values, chain_id=1, house=NOBODY, name=NAME):
    """The EIP-712 message of a struct in the house's domain."""
    used, todo = {"EIP712Domain"}, [struct]
    while todo:
        used.add(todo[-1])
        todo += [kind for m in _members(todo.pop()) if (kind := m["type"].removesuffix("[]")) in TYPES]
    domain = {"name": name, "version": "1", "chainId": chain_id, "verifyingContract": house}
    types = {kind: _members(kind) for kind in used}
    message = named(struct, values)
    return encode_typed_data(
        full_message={"types": types, "primaryType": struct, "domain": domain, "message": message}
    )


def struct_hash(struct, *values):
    return signable(struct, values).body


@dataclass
class Opening:
    """What opens an amount; a tuple in ABI order for the house."""

    amount: int = 1_000
    token: str = NOBODY
    payee: str = NOBODY
    currency: bytes = b"EUR"
    salt: bytes = SALT

    @property
    def call(self):
        return self.currency, self.amount, self.token, self.payee, self.salt

    def commitment(self, source, part):
        return struct_hash("Amount", bytes(source), part, *self.call)


@dataclass
class Operator:
    """An operator: its id, its admin's account on the chain, that account's key, and a key that anchors."""

    id: int
    admin: object
    key: str
    anchorer: object


@dataclass
class Desk:
    """A house, two operators (a third for rings), and shortcuts through their clearing."""

    house: object
    ledger: object
    chain: object
    chain_id: int
    period: int
    a: Operator
    b: Operator
    c: Operator
    sequences: dict = field(default_factory=dict)

    def now(self):
        return self.chain[-1].timestamp

    def pass_by(self, deadline):
        """The next block is after the deadline."""
        self.chain.sleep(deadline - self.chain.time() + 2)
        self.chain.mine()

    def deadlines(self, days=(10, 20, 30, 40)):
        now = self.now()
        return tuple(now + day * DAY for day in days)

    def anchor(self, operator, region=1, amends=0):
        """Anchors the operator's next batch of the region and lets a second pass; gives its reference."""
        sequence = self.sequences.get((operator.id, region), 0) + 1
        self.sequences[operator.id, region] = sequence
        root = sequence.to_bytes(16, "big") + operator.id.to_bytes(16, "big")
        self.ledger.anchor(
            operator.id, self.period, region, sequence, root, bytes(32), amends, {"from": operator.anchorer}
        )
        self.chain.sleep(2)
        self.chain.mine()
        return (region, sequence)

    def repudiate(self, operator, reference):
        self.ledger.repudiate((operator.id, self.period, *reference), {"from": operator.admin})

    def open(self, one=None, two=None, **changes):
        one, two = one or self.a, two or self.b
        values = {"period": self.period, "deadlines": self.deadlines(), **changes}
        tx = self.house.open(one.id, two.id, *values.values(), {"from": one.anchorer})
        return tx.events["ClearingOpened"]["clearing"]

    def book(self, clearing, operator, batches, statements=STATEMENTS, salt=SALT):
        return struct_hash("Book", bytes(clearing), operator.id, batches, statements, salt)

    def commit(self, clearing, operator, batches):
        commitment = self.book(clearing, operator, batches)
        return self.house.commit(clearing, operator.id, commitment, {"from": operator.anchorer})

    def reveal(self, clearing, operator, batches, statements=STATEMENTS, salt=SALT):
        return self.house.reveal(
            clearing, operator.id, batches, statements, salt, {"from": operator.anchorer}
        )

    def committed(self, one=None, two=None):
        """A clearing to which both have committed; gives its id and both books."""
        one, two = one or self.a, two or self.b
        books = [self.anchor(one)], [self.anchor(two)]
        clearing = self.open(one, two)
        self.commit(clearing, one, books[0])
        self.commit(clearing, two, books[1])
        return clearing, *books

    def agreeing(self, one=None, two=None):
        """A clearing whose books are both open; gives its id."""
        one, two = one or self.a, two or self.b
        clearing, first, second = self.committed(one, two)
        self.reveal(clearing, one, first)
        self.reveal(clearing, two, second)
        return clearing

    def net_amount(self, clearing, part=1, last=False, creditor=None, opening=None, **changes):
        """The tuple that the house takes."""
        values = {
            "commitment": (opening or Opening()).commitment(clearing, part),
            "document": DOCUMENT,
            "amendment": NO_AMENDMENT,
            "deadline": self.now() + 5 * DAY,
            **changes,
        }
        return bytes(clearing), part, last, (creditor or self.a).id, *values.values()

    def nonces(self, *operators):
        return [self.house.nonceOf(operator.id) for operator in operators]

    def sign(self, operator, struct, values, **domain):
        settings = {"chain_id": self.chain_id, "house": self.house.address, **domain}
        return Account.sign_message(signable(struct, values, **settings), operator.key).signature

    def signatures(self, net, one=None, two=None, **domain):
        """Both sides' signatures of a net amount, A's first."""
        one, two = one or self.a, two or self.b
        values = (*net[:-1], *self.nonces(one, two), net[-1])
        return [self.sign(side, "NetAmount", values, **domain) for side in (one, two)]

    def agree(self, clearing, one=None, two=None, sender=None, **terms):
        net = self.net_amount(clearing, **terms)
        return self.submit(net, self.signatures(net, one, two), sender)

    def submit(self, net, signatures, sender=None):
        return self.house.agree(net, *signatures, {"from": sender or self.c.admin})

    def netting(self, operators, replaced, parts, **changes):
        """The tuple that the house takes; `parts` are (creditor, debtor, commitment)."""
        values = {"document": DOCUMENT, "deadline": self.now() + 5 * DAY, **changes}
        ids = [operator.id for operator in operators]
        return ids, replaced, parts, *values.values()

    def net_signatures(self, operators, netting, **domain):
        values = (netting[0], self.nonces(*operators), *netting[1:])
        return [self.sign(operator, "Netting", values, **domain) for operator in operators]

    def state(self, clearing):
        return self.house.getClearing(clearing)[5]

    def ending(self, clearing):
        """State, reason and sides."""
        return tuple(self.house.getClearing(clearing)[5:8])

    def status(self, source, part=1):
        return self.house.getPart(source, part)[6]
