"""Inclusion: records, several records, statements."""

import random

import pytest

WORD = b"\x99" * 32


@pytest.mark.parametrize(("accounts", "records"), [(1, 1), (2, 3), (5, 6), (8, 8), (17, 33)])
def test_every_record_and_the_statement(ledger, bill_of, reason, accounts, records):
    bill = bill_of(accounts=accounts, records=records, seed=accounts)
    for index in range(records):
        assert ledger.verifyRecord(*bill.record_call(index)) == reason.Ok
    assert ledger.verifyStatement(*bill.statement_call()) == reason.Ok


def test_several_records_at_once(ledger, bill_of, reason):
    bill = bill_of(records=13)
    rng = random.Random(1)
    for count in range(1, 14):
        chosen = sorted(rng.sample(range(13), count))
        assert ledger.verifyRecords(*bill.records_call(chosen)) == reason.Ok


@pytest.mark.parametrize("field", range(11))
def test_every_field_of_a_record_counts(ledger, bill, reason, field):
    key, terms, following, record, path, entry_path = bill.record_call(2)
    changed = list(record)
    old = record[field]
    if isinstance(old, bytes):
        changed[field] = WORD[: len(old)]
    else:
        changed[field] = old - 1 if old > 0 else old + 1
    answer = ledger.verifyRecord(key, terms, following, tuple(changed), path, entry_path)
    assert answer in (reason.RootMismatch, reason.RecordProofLength)


@pytest.mark.parametrize("field", range(5))
def test_every_field_of_the_terms_counts(ledger, bill, reason, field):
    key, terms, *rest = bill.record_call(2)
    changed = list(terms)
    changed[field] = terms[field] + 1 if field == 1 else WORD[: len(terms[field])]
    assert ledger.verifyRecord(key, tuple(changed), *rest) != reason.Ok


@pytest.mark.parametrize("field", range(7))
def test_every_field_of_a_statement_counts(ledger, bill, reason, field):
    key, opening, *rest = bill.statement_call()
    changed = list(opening)
    old = opening[field]
    changed[field] = WORD[: len(old)] if isinstance(old, bytes) else old + 1
    assert ledger.verifyStatement(key, tuple(changed), *rest) == reason.RootMismatch


def test_the_next_account_counts(ledger, bill, reason):
    key, opening, _, path = bill.statement_call()
    assert ledger.verifyStatement(key, opening, WORD, path) == reason.RootMismatch


def test_missing_batch_comes_first(ledger, bill, reason):
    missing = (*bill.key[:3], 2)
    _, terms, following, record, path, entry_path = bill.record_call(2)
    empty = (terms[0], 0, *terms[2:])
    for some_terms, some_path in ((terms, path), (empty, path), (terms, [])):
        answer = ledger.verifyRecord(missing, some_terms, following, record, some_path, entry_path)
        assert answer == reason.NotAnchored
    assert ledger.verifyRecords(missing, terms, following, [], [], [], []) == reason.NotAnchored
    assert ledger.verifyAbsence(missing, WORD, bill.entries[0], []) == reason.NotAnchored


def test_empty_sets(ledger, bill, reason):
    key, terms, following, record, path, entry_path = bill.record_call(2)
    empty = (terms[0], 0, *terms[2:])
    assert ledger.verifyRecord(key, empty, following, record, path, entry_path) == reason.EmptySet
    assert ledger.verifyRecords(key, terms, following, [], [WORD], [], entry_path) == reason.EmptySet
    key, opening, *rest = bill.statement_call()
    no_records = (*opening[:2], 0, *opening[3:])
    assert ledger.verifyStatement(key, no_records, *rest) == reason.EmptySet


def test_indexes(ledger, bill, reason):
    key, terms, following, record, path, entry_path = bill.record_call(5)
    beyond = (6, *record[1:])
    assert ledger.verifyRecord(key, terms, following, beyond, path, entry_path) == reason.IndexOutOfRange
    _, _, _, records, nodes, flags, _ = bill.records_call([1, 4])
    for wrong in (records[::-1], [records[0]] * 2, [records[0], beyond]):
        answer = ledger.verifyRecords(key, terms, following, wrong, nodes, flags, entry_path)
        assert answer == reason.IndexOutOfRange


def test_lengths_of_proofs(ledger, bill, reason):
    key, terms, following, record, path, entry_path = bill.record_call(2)
    for wrong in (path[1:], path[:-1], [*path, WORD], []):
        answer = ledger.verifyRecord(key, terms, following, record, wrong, entry_path)
        assert answer == reason.RecordProofLength
    assert ledger.verifyRecord(key, terms, following, record, path, [WORD] * 41) == reason.EntryProofLength
    assert ledger.verifyRecord(key, terms, following, record, path, [WORD] * 40) == reason.RootMismatch


def test_malformed_multiproofs_are_answered_not_reverted(ledger, bill, reason):
    key, terms, following, records, nodes, flags, entry_path = bill.records_call([1, 4])
    wrong_shapes = [
        (nodes[1:], flags),
        ([*nodes, WORD], flags),
        (nodes, flags[1:]),
        (nodes, [not flag for flag in flags]),
        ([], []),
        ([], [True]),
    ]
    for some_nodes, some_flags in wrong_shapes:
        answer = ledger.verifyRecords(key, terms, following, records, some_nodes, some_flags, entry_path)
        assert answer in (reason.RecordProofLength, reason.RootMismatch)


def test_one_changed_record_among_several(ledger, bill, reason):
    key, terms, following, records, nodes, flags, entry_path = bill.records_call([0, 3, 5])
    records[1] = (*records[1][:8], records[1][8] ^ 1, *records[1][9:])
    answer = ledger.verifyRecords(key, terms, following, records, nodes, flags, entry_path)
    assert answer == reason.RootMismatch
