"""Every field of a file of disputed records, changed once: refused by line and field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from commands import Run, run
from disputed_books import ACCOUNTS, Partners, make_partners

from billproof.answers import Answers
from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.disputes import form
from billproof.clearing.disputes.check import DisputesChecker, DisputesReport
from billproof.clearing.disputes.judging import Sums
from billproof.clearing.disputes.reading import DisputesError, DisputesFile
from billproof.clearing.document.form import DisputeForm
from billproof.clearing.settlement.reading import load_settlement
from billproof.errors import InputError
from billproof.identity import identify
from billproof.ledger.rpc import connect
from billproof.report import Verdict
from billproof.trust import Pins

__all__ = ["run"]

Path_ = tuple[str | int, ...]


class Desk:
    """A valid file as trees of JSON, and what checks changed ones."""

    def __init__(self, partners: Partners, run: Run) -> None:
        home = partners.home
        words = ("clear", partners.ours, partners.theirs, "--agreement", partners.agreement)
        more = ("--proofs", home / "disputes.jsonl", "--secrets", home / "secrets")
        assert run(*words, "--our-account", ACCOUNTS[0], *more, "--out", home / "clear.json").code == 1
        words = ("settle", home / "clear.json", "--agreement", partners.agreement, "--due", "2099-12-31")
        assert run(*words, "--out", home / "settlement.json").code == 0
        self.lines = [json.loads(line) for line in (home / "disputes.jsonl").read_text().splitlines()]
        self.checker = DisputesChecker(
            Answers([connect(partners.rpc)], None, False, identify, Pins.load(None)),
            load_agreement(partners.agreement),
            load_settlement(home / "settlement.json"),
        )
        self.file = home / "changed.jsonl"

    def check(self, lines: list[Any]) -> DisputesReport:
        """The report on lines, which are trees or texts."""
        texts = [line if isinstance(line, str) else encoded(line) for line in lines]
        self.file.write_text("".join(f"{text}\n" for text in texts))
        return self.checker.check(self.file)

    def changed(self, at: int, path: Path_, value: Any) -> DisputesReport:
        """The report on the file with one value replaced."""
        lines = list(self.lines)
        lines[at] = replaced(lines[at], path, value)
        return self.check(lines)

    def first(self, which: Callable[[dict[str, Any]], bool]) -> int:
        """The place of the first line that is so."""
        return next(at for at, line in enumerate(self.lines) if at and which(line))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Run], Desk]:
    made: list[Desk] = []

    def get(run: Run) -> Desk:
        if not made:
            made.append(Desk(make_partners(tmp_path_factory.mktemp("partners"), 600, 3), run))
        return made[0]

    return get


def encoded(tree: Any) -> str:
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False)


def replaced(tree: Any, path: Path_, value: Any) -> Any:
    """A copy of a tree with another value at a path."""
    if not path:
        return value
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[path[0]] = replaced(tree[path[0]], path[1:], value)
    return copy


def leaves(tree: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every value that is no object and no list."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else None
    if pairs is None:
        yield path, tree
    for key, value in pairs or ():
        yield from leaves(value, (*path, key))


def another(path: Path_, value: Any) -> Any:
    """Something else of the same type, that the format allows."""
    known = {"missing": "duplicate", "EUR": "GBP", "GBP": "EUR", "202610": "202609", "0": "1", "": "262-01"}
    if path[-1] in ("kind",) or path[0] == "kinds":
        return known.get(value, "missing")
    if isinstance(value, int):
        return value + 1
    if value in known and path[-1] not in ("number", "rate"):
        return known[value]
    if value.startswith("0x"):
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    if value.lstrip("-").isdigit():
        return str(int(value) + 1)
    if path[-1] == "network":
        return "262-01"
    return value + "1"


def told(report: DisputesReport) -> str:
    """All that a report says is wrong."""
    words = []
    for step in report.steps:
        if step.verdict is not Verdict.VALID:
            words += [
                step.message,
                *(f"line {each.line}, {each.check}: {each.message}" for each in step.problems),
            ]
    return "\n".join(words)


def test_the_file_is_valid_as_it_is(desk: Callable[[Run], Desk], run: Run) -> None:
    found = desk(run)
    assert found.check(found.lines).verdict is Verdict.VALID
    kinds = {tuple(line["kinds"]) for line in found.lines[1:]}
    assert {("unit",), ("currency",), ("rounding",), ("missing",), ("duplicate",)} <= kinds


def test_every_field_of_a_line_changed_is_refused(desk: Callable[[Run], Desk], run: Run) -> None:
    found = desk(run)
    chosen = {
        found.first(lambda line: line["kinds"] == ["unit"]),
        found.first(lambda line: line["kinds"] == ["currency"]),
        found.first(lambda line: line["kinds"] == ["rounding"]),
        found.first(lambda line: "theirs" not in line and line["kinds"] != ["duplicate"]),
        found.first(lambda line: "ourDouble" in line),
        found.first(lambda line: "ours" not in line),
        found.first(lambda line: line["kinds"][0] == "time-zone"),
    }
    changes = 0
    for at in sorted(chosen):
        for path, value in leaves(found.lines[at]):
            report = found.changed(at, path, another(path, value))
            words = told(report)
            assert report.verdict is Verdict.INVALID, (at, path)
            fields = ("number", "kinds") if path[0] == "number" else (path[0],)
            places = [f"line {at + 1}, {field}" for field in fields]
            if path[0] == "kinds":  # a duplicate or none: what it is a copy of has to be there, or not
                places += [f"changed.jsonl:{at + 1}:{side}Double" for side in ("our", "their")]
            assert any(place in words for place in places), (at, path, words)
            changes += 1
    assert changes > 200


def test_every_field_of_the_header_changed_is_refused(desk: Callable[[Run], Desk], run: Run) -> None:
    """What binds a statement to its batch shows at the chain; the rest against agreement and settlement."""
    found = desk(run)
    header = found.lines[0]
    for path, value in leaves(header):
        if (path[0] == "disputes" and path[1] > 2) or (path[1:2] == ("statements",) and path[2] > 0):
            continue
        report = found.changed(0, path, another(path, value))
        words = told(report)
        assert report.verdict is not Verdict.VALID, path
        if path == ("schema",):
            assert report.verdict is Verdict.UNUSABLE
        elif path[0] == "ledger":
            assert report.verdict in (Verdict.CANNOT_CHECK, Verdict.INVALID)
            assert "ours.statements[0]" in words or "deployment" in words, (path, words)
        elif path[1:2] == ("statements",):
            assert f"{path[0]}.statements[" in words, (path, words)
        elif path[0] == "disputes":
            assert "disputes[" in words or "header has no dispute" in words, (path, words)
        elif path[-1] == "operator":
            assert "operator" in words or "is neither" in words, (path, words)
        else:
            assert path[-1] in words or "statements[0]" in words, (path, words)


@pytest.mark.parametrize("value", [None, [], {}, True, -1, "\x00", "0x", 1 << 70, 1.5])
def test_values_of_another_type_are_refused_by_line_and_field(
    desk: Callable[[Run], Desk], run: Run, value: Any
) -> None:
    found = desk(run)
    at = found.first(lambda line: "ours" in line and "theirs" in line)
    for line in (0, at):
        for path, _ in leaves(found.lines[line]):
            if (path[0] == "disputes" and path[1]) or (path[1:2] == ("statements",) and path[2]):
                continue
            if path[-1] in ("words", "name", "accountId", "number", "rate") and value in ("\x00", "0x"):
                continue  # texts of their own
            report = found.changed(line, path, value)
            assert report.verdict in (Verdict.INVALID, Verdict.UNUSABLE), (path, value)
            if path != ("schema",):
                assert f"changed.jsonl:{line + 1}" in told(report), (path, value, told(report))


def test_keys_that_are_missing_unknown_or_there_twice_are_refused(
    desk: Callable[[Run], Desk], run: Run
) -> None:
    found = desk(run)
    at = found.first(lambda line: "ours" in line and "theirs" in line)
    good = encoded(found.lines[at])
    bad = [
        good.replace('{"number"', '{"extra":1,"number"', 1),
        good.replace('"kinds"', '"number":1,"kinds"', 1),
        good.replace('"usage"', '"usage":"1","usage"', 1),
        good.replace('"number":', '"number": ', 1),
        good.replace('"kinds":["', '"kinds":["\\u006', 1),
        good.replace('"proof"', '"Proof"', 1),
        good[:-1],
        "",
        "[]",
        "null",
        '{"number":1,"kinds":["missing"],"money":"1"}',
        "[" * 100_000,
        good + " ",
        good.replace('"rate":"', '"rate":"' + "x" * 600, 1),
        good.replace('"rate":"', '"rate":"\ud800'.encode("utf-8", "surrogatepass").decode("latin-1"), 1),
    ]
    for line in bad:
        lines = [*found.lines[:at], line, *found.lines[at + 1 :]]
        report = found.check(lines)
        assert report.verdict is Verdict.INVALID, line[:100]
        assert f"changed.jsonl:{at + 1}" in told(report) or f"line {at + 1}, ours" in told(report), told(
            report
        )
    found.file.write_text(encoded(found.lines[0]) + "\n" + good[:-20])
    report = found.checker.check(found.file)
    assert "is cut off" in told(report)
    for name in ("number", "kinds", "money"):
        less = {key: value for key, value in found.lines[at].items() if key != name}
        assert f"`{name}`" in told(found.check([found.lines[0], less]))


def test_records_in_the_wrong_place_are_refused(desk: Callable[[Run], Desk], run: Run) -> None:
    found = desk(run)
    at = found.first(lambda line: "ours" in line and "theirs" in line)
    line = found.lines[at]
    own = line["ours"]["statement"]
    other = found.first(lambda each: "ours" in each and each["ours"]["statement"] != own)
    third = found.first(
        lambda each: (
            each is not line and "ours" in each and each["ours"]["statement"] == own and "theirs" in each
        )
    )
    beyond = len(found.lines[0]["ours"]["statements"])
    proof = line["ours"]["proof"]
    swapped = {**line, "ours": {**line["ours"], "proof": found.lines[third]["ours"]["proof"]}}
    trials: list[tuple[Any, str]] = [
        ({**line, "ours": {**line["ours"], "statement": (own + 1) % beyond}}, "ours"),
        ({**line, "ours": {**line["ours"], "statement": beyond}}, "ours.statement"),
        ({**line, "ours": {**found.lines[other]["ours"], "statement": own}}, "ours"),
        ({**line, "ours": line["theirs"]}, "ours"),
        ({**line, "theirs": line["ours"], "ours": line["theirs"]}, "ours"),
        (swapped, "ours"),
        ({**line, "ours": {**line["ours"], "proof": proof[:-1]}}, "ours.proof"),
        (
            {**line, "ours": {**line["ours"], "proof": [*proof, "0x" + "00" * 32]}},
            "ours.proof",
        ),
        (replaced(line, ("ours", "record", "index"), str(1 << 40)), "ours.record.index"),
        (replaced(line, ("ours", "record", "usage"), str((1 << 63) + 5)), "ours.record"),
        (replaced(line, ("ours", "record", "service"), "256"), "ours.record"),
        (replaced(line, ("ours", "record", "utcOffset"), "99999"), "ours.record"),
    ]
    for changed, field in trials:
        report = found.check([*found.lines[:at], changed, *found.lines[at + 1 :]])
        assert report.verdict is Verdict.INVALID
        assert f"line {at + 1}, {field}" in told(report), (field, told(report))


def test_claims_of_both_sides_that_rise_alike_are_refused(desk: Callable[[Run], Desk], run: Run) -> None:
    """The money of the line is as it was: only the records and the header say what is claimed."""
    found = desk(run)
    at = found.first(lambda line: "ours" in line and "theirs" in line and "ourClaim" in line)
    line = found.lines[at]
    assert "theirClaim" not in line
    more = {"ourClaim": str(int(line["ourClaim"]) + 7), "theirClaim": "7"}
    order = [*list(line)[:3], *more, *list(line)[4:]]
    changed = {key: {**line, **more}[key] for key in order}
    report = found.check([*found.lines[:at], changed, *found.lines[at + 1 :]])
    assert f"line {at + 1}, ourClaim: is {more['ourClaim']}, and the records come to" in told(report)
    zero = {key: value for key, value in line.items() if key != "ourClaim"}
    words = told(found.check([*found.lines[:at], zero, *found.lines[at + 1 :]]))
    assert f"line {at + 1}, money: is claimed by nobody" in words
    other = {**changed, "ourClaim": line["ourClaim"]}
    words = told(found.check([*found.lines[:at], other, *found.lines[at + 1 :]]))
    assert f"line {at + 1}, money: is not what we claim less what they claim" in words


def test_a_pair_of_two_signs_is_claimed_by_both(desk: Callable[[Run], Desk], run: Run) -> None:
    header = msgspec.json.decode(encoded(desk(run).lines[0]), type=form.Header)
    words = {"kind": "rate", "words": "x", "count": 1}
    disputes = [DisputeForm(1, claimant=who, amount=of, **words) for who, of in ((1, "5"), (2, "-9"))]
    sums = Sums(msgspec.structs.replace(header, disputes=disputes))
    line = form.Line(1, ["rate"], "14", "5", "-9")
    assert sums.add(2, line) is None
    assert (sums.problems(), sums.found) == ([], {(1, 1, False): (1, 5), (1, 2, True): (1, -9)})
    debt = form.Line(1, ["rate"], "-4", "5", "9")
    problem = sums.add(3, debt)
    assert problem is not None
    assert "no dispute 1 that 2 claims as a debt" in problem.message
    assert sums.found[1, 1, False] == (1, 5)


def test_a_pair_of_two_calls_is_none(desk: Callable[[Run], Desk], run: Run) -> None:
    """Proved records, but not of one call; and one that is claimed once more alone."""
    found = desk(run)
    pairs = [at for at, line in enumerate(found.lines) if at and "ours" in line and "theirs" in line]
    one = pairs[0]
    service = found.lines[one]["ours"]["record"]["service"]
    far = pairs[-1] if found.lines[pairs[-1]]["ours"]["record"]["service"] == service else pairs[40]
    lines = list(found.lines)
    lines[one] = {**lines[one], "theirs": found.lines[far]["theirs"]}
    words = told(found.check(lines))
    assert f"line {one + 1}, theirs: no pair" in words
    assert f"line {far + 1}, theirs.record: the same record as in line {one + 1}" in words
    alone = {key: value for key, value in found.lines[one].items() if key != "theirs"}
    words = told(found.check([*found.lines[:one], alone, *found.lines[one + 1 :]]))
    assert f"line {one + 1}, kinds: a record without a pair" in words
    assert f"line {one + 1}, money" in words


def test_a_duplicate_has_the_record_that_it_copies(desk: Callable[[Run], Desk], run: Run) -> None:
    found = desk(run)
    at = found.first(lambda line: "ourDouble" in line)
    line = found.lines[at]
    copy, double = line["ours"], line["ourDouble"]
    assert copy["record"]["usage"] == double["record"]["usage"]
    assert copy["record"]["number"] == double["record"]["number"]
    assert abs(int(copy["record"]["startedAt"]) - int(double["record"]["startedAt"])) <= 2
    assert copy["record"]["index"] != double["record"]["index"]
    other = found.lines[found.first(lambda each: "ours" in each and each is not line)]["ours"]
    bare = {key: value for key, value in line.items() if key != "ourDouble"}
    pair = found.first(lambda each: "ours" in each and "theirs" in each)

    def with_line(changed: Any, place: int = at) -> str:
        report = found.check([*found.lines[:place], changed, *found.lines[place + 1 :]])
        assert report.verdict is Verdict.INVALID
        return told(report)

    assert f"changed.jsonl:{at + 1}:ourDouble: a duplicate names" in with_line(bare)
    theirs = {**bare, "theirDouble": found.lines[pair]["theirs"]}
    assert f"changed.jsonl:{at + 1}:ourDouble: a duplicate names" in with_line(theirs)
    assert "a duplicate names" in with_line({**found.lines[pair], "ourDouble": double}, pair)
    assert f"line {at + 1}, ourDouble: is another call" in with_line({**line, "ourDouble": other})
    assert "is the copy of a record that is disputed" in with_line({**line, "ourDouble": copy})


def test_lines_that_are_there_twice_or_not_at_all_are_refused(desk: Callable[[Run], Desk], run: Run) -> None:
    found = desk(run)
    twice = told(found.check([*found.lines, found.lines[5]]))
    assert f"line {len(found.lines) + 1}, ours.record: the same record as in line 6" in twice
    assert "disputes[" in twice
    for at in (1, len(found.lines) // 2, len(found.lines) - 1):
        report = found.check([*found.lines[:at], *found.lines[at + 1 :]])
        assert report.verdict is Verdict.INVALID
        assert "disputes[" in told(report)
        assert "the lines add up to" in told(report)


def test_the_header_tells_nothing_twice_and_no_strangers(desk: Callable[[Run], Desk], run: Run) -> None:
    found = desk(run)
    header = found.lines[0]
    ours, disputes = header["ours"], header["disputes"]
    again = {**ours, "statements": [*ours["statements"], ours["statements"][0]]}
    none = {name: {**header[name], "statements": []} for name in ("ours", "theirs")}
    trials = [
        ({**header, "ours": again}, "ours.statements[3]"),
        ({**header, "theirs": {**header["theirs"], "operator": ours["operator"]}}, "theirs.operator"),
        ({**header, "disputes": [*disputes, disputes[0]]}, f"disputes[{len(disputes)}]"),
        ({**header, "disputes": [{**disputes[0], "claimant": 77}]}, "disputes[0].claimant"),
        ({**header, "payer": 77}, "payer"),
        ({**header, **none}, "theirs.statements"),
        (replaced(header, ("ours", "statements", 0, "region"), str(1 << 32)), "ours.statements[0].region"),
        (
            replaced(header, ("ours", "statements", 0, "recordCount"), str(1 << 32)),
            "ours.statements[0].recordCount",
        ),
    ]
    for changed, field in trials:
        report = found.check([changed, *found.lines[1:]])
        assert report.verdict is Verdict.INVALID
        assert f"changed.jsonl:1:{field}" in told(report)


def test_the_other_payer_is_not_the_settlements(desk: Callable[[Run], Desk], run: Run) -> None:
    found = desk(run)
    report = found.changed(0, ("payer",), 1)
    assert report.verdict is Verdict.INVALID
    assert "line 1, payer: is not what the settlement says" in told(report)


def test_what_is_no_such_file_is_unusable(desk: Callable[[Run], Desk], run: Run, tmp_path: Path) -> None:
    found = desk(run)
    for content in (b"", b"{}", b"\x89PNG", b'{"schema":"billproof/bundle/1"}\n', b"[]", b"\xff\xfe"):
        found.file.write_bytes(content)
        assert found.checker.check(found.file).verdict is Verdict.UNUSABLE
    with pytest.raises(InputError, match="cannot read"):
        DisputesFile.open(tmp_path / "none.jsonl")
    found.file.write_bytes(encoded(found.lines[0]).encode())
    with pytest.raises(DisputesError, match="cut off"):
        DisputesFile.open(found.file)
