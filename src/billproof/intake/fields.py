"""The columns of a record, each from its section of the mapping. One function per field or kind of field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from billproof.intake.clock import read_moments
from billproof.intake.decimals import Decimals, parse_decimals, scale
from billproof.intake.mapping import Case, CdrMapping
from billproof.intake.options import CLOCKED
from billproof.intake.rows import Bools, Coded, Ints, Octets, bools
from billproof.intake.sheet import Sheet, tidy
from billproof.records import ZERO32, Service

MAX_ACCOUNT, MAX_NUMBER, MAX_RATE = 256, 128, 512

_SERVICES: Mapping[str, int] = {
    **{service.name.lower(): int(service) for service in Service},
    **{str(int(service)): int(service) for service in Service},
}
_CLOCKED = r"^(?:(?P<h>[0-9]{1,6}):)?(?P<m>[0-9]{1,8}):(?P<s>[0-9]{2})$"
_E164 = r"^\+[1-9][0-9]{6,14}$"
_DIALLED = r"^\+?[0-9 ()./-]*[0-9][0-9 ()./-]*$"
_NETWORK = r"^([0-9]{3}-[0-9]{2,3})?$"
_CURRENCY = r"^[A-Z]{3}$"
_TOO_MUCH_MONEY = "does not fit 64 bits of billionths of the unit"
_NOT_WHOLE = "is no whole number in the record's unit"
_HASH = r"^(0x[0-9A-Fa-f]{64})?$"

#: Numbers whose reading is remembered; forgotten all at once when there are this many.
_REMEMBERED = 1 << 18


def accounts(sheet: Sheet, mapping: CdrMapping) -> Coded:
    """Account numbers: 1 to 256 characters, NFC."""
    coded = sheet.gather("account", mapping.fields["account"], required=True)
    sheet.fault(coded.each(bools(pc.equal(coded.distinct, ""))), "account", "is empty")
    return tidy(sheet, "account", coded, MAX_ACCOUNT)


def services(sheet: Sheet, mapping: CdrMapping) -> Octets:
    """Service numbers, uint8."""
    coded = sheet.gather("service", mapping.fields["service"], required=True)
    found = pc.index_in(coded.distinct, pa.array(list(_SERVICES), pa.string()))
    sheet.fault(coded.each(bools(found.is_null())), "service", "is not a service")
    numbers = np.array(list(_SERVICES.values()), np.uint8)
    result: Octets = numbers[found.fill_null(0).to_numpy(zero_copy_only=False)][coded.codes]
    return result


def starts(sheet: Sheet, mapping: CdrMapping) -> tuple[Ints, Ints, Bools]:
    """UTC seconds, minutes of offset, and the rows that have neither."""
    unknown = np.zeros(sheet.size, np.bool_)

    def report(mask: Bools, reason: str) -> None:
        unknown[mask] = True
        sheet.fault(mask, "time", reason)

    started, offset = read_moments(sheet.texts, mapping.time, mapping.time.columns, report, sheet.doubt)
    return np.where(unknown, 0, started), np.where(unknown, 0, offset), unknown


def quantities(sheet: Sheet, field: str, mapping: CdrMapping, started: Ints) -> Ints:
    """Usage or billed usage in seconds, bytes or messages."""
    result = np.zeros(sheet.size, np.int64)
    for case, rows in sheet.choose(field, mapping.fields[field]):
        if not rows.any():
            continue
        if case.end is not None:
            amount = _until(sheet, field, mapping, case.end, rows, started)
        else:
            amount = _sum(sheet, field, mapping, case, rows)
        result = np.where(rows, amount, result)
    return result


def _until(sheet: Sheet, field: str, mapping: CdrMapping, column: str, rows: Bools, started: Ints) -> Ints:
    """Seconds from the start to the time in ``column``."""

    def report(mask: Bools, reason: str) -> None:
        sheet.fault(mask & rows, field, reason)

    def doubt(mask: Bools) -> None:
        sheet.doubt(mask & rows)

    ended, _ = read_moments(sheet.texts, mapping.time, (column,), report, doubt)
    report(ended < started, "is before the start")
    return ended - started


def _sum(sheet: Sheet, field: str, mapping: CdrMapping, case: Case, rows: Bools) -> Ints:
    """The case's column, or the sum of its columns."""
    total = np.zeros(sheet.size, np.int64)
    for column in case.columns or ("",):
        coded = sheet.text(field, case, rows, required=True, column=column)
        if case.options["unit"] == CLOCKED:
            part = _clocked(sheet, field, coded, rows)
        else:
            number = parse_decimals(coded.distinct, mark=mapping.decimal, thousands=mapping.thousands)
            sheet.fault(rows & coded.each(number.below_zero), field, "is negative")
            unit, rounding = case.options["unit"], case.options["round"]
            part = _whole(sheet, field, rows, coded, scale(number, unit, rounding), number)
        sheet.fault(rows & (part > np.iinfo(np.int64).max - total), field, "is too large")
        total = total + np.where(sheet.faults == 0, part, 0)
    return total


def _whole(
    sheet: Sheet, field: str, rows: Bools, coded: Coded, scaled: tuple[Ints, Bools, Bools], number: Decimals
) -> Ints:
    """A decimal column in the record's unit, with everything that can be wrong with it reported."""
    values, inexact, too_large = scaled
    money = field == "amount"
    for marked, reason in (
        (number.malformed, "is not a decimal number"),
        (number.too_fine, "has more than nine decimals"),
        (number.too_large | too_large, _TOO_MUCH_MONEY if money else "is too large"),
        (inexact, "is finer than a billionth of the currency unit" if money else _NOT_WHOLE),
    ):
        sheet.fault(rows & coded.each(marked), field, reason)
    result: Ints = values[coded.codes]
    return result


def _clocked(sheet: Sheet, field: str, coded: Coded, rows: Bools) -> Ints:
    """``h:m:s`` or ``m:s`` in seconds."""
    found = pc.extract_regex(coded.distinct, _CLOCKED)
    bad = bools(found.is_null())
    hours, minutes, seconds = (
        np.asarray(
            pc.if_else(pc.equal(part, ""), "0", part).fill_null("0").cast(pa.int64()).to_numpy(), np.int64
        )
        for part in (found.field(place) for place in range(3))
    )
    with_hours = ~bad & (np.asarray(bools(pc.not_equal(found.field(0), ""))))
    bad |= (seconds > 59) | (with_hours & (minutes > 59))
    sheet.fault(rows & coded.each(bad), field, "is not a duration such as 1:02:03")
    result: Ints = (hours * 3600 + minutes * 60 + seconds)[coded.codes]
    return result


def amounts(sheet: Sheet, mapping: CdrMapping) -> Ints:
    """Billionths of the currency unit."""
    result = np.zeros(sheet.size, np.int64)
    for case, rows in sheet.choose("amount", mapping.fields["amount"]):
        if not rows.any():
            continue
        coded = sheet.text("amount", case, rows, required=True)
        number = parse_decimals(coded.distinct, mark=mapping.decimal, thousands=mapping.thousands)
        if case.options["negate"]:
            number = replace(number, negative=~number.negative)
        scaled = scale(number, (case.options["unit"], 1), "exact")
        result = np.where(rows, _whole(sheet, "amount", rows, coded, scaled, number), result)
    return result


def numbers(sheet: Sheet, mapping: CdrMapping, memory: dict[tuple[str, str], str]) -> Coded:
    """The other party: E.164 where it can be told, otherwise the source text in NFC."""
    cases = mapping.fields.get("number")
    if cases is None:
        return Coded.constant("", sheet.size)
    result: Coded | None = None
    for case, rows in sheet.choose("number", cases):
        coded = sheet.text("number", case, rows, required=False)
        if case.options["ipv4"]:
            coded = _addresses(sheet, coded, rows)
        elif case.options["region"] or case.options["international"]:
            coded = Coded(_dialled(coded.distinct, case.options["region"] or "", memory), coded.codes)
        result = coded if result is None else coded.where(rows, result)
    return tidy(sheet, "number", result or Coded.constant("", sheet.size), MAX_NUMBER)


def _dialled(distinct: pa.StringArray, region: str, memory: dict[tuple[str, str], str]) -> pa.StringArray:
    """Numbers in E.164; ``region`` empty: the digits begin with a country code."""
    plain = bools(pc.match_substring_regex(distinct, _E164)) | ~bools(
        pc.match_substring_regex(distinct, _DIALLED)
    )
    if plain.all():
        return distinct
    meanings = distinct.to_pylist()
    for place in np.flatnonzero(~plain).tolist():
        text = meanings[place]
        known = memory.get((region, text))
        if known is None:
            if len(memory) >= _REMEMBERED:
                memory.clear()
            known = memory[region, text] = _e164(text, region)
        meanings[place] = known
    return pa.array(meanings, pa.string())


def _e164(text: str, region: str) -> str:
    """One number in E.164, or the text itself where it is no valid number (short codes, service numbers)."""
    dialled = text if region else "+" + text.lstrip("+ ").removeprefix("00")
    try:
        number = phonenumbers.parse(dialled, region or None)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_valid_number(number):
        return text
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _addresses(sheet: Sheet, coded: Coded, rows: Bools) -> Coded:
    """IPv4 addresses written as signed 32-bit integers, in dotted notation; empty stays empty."""
    found = pa.array([_dotted(text) for text in coded.distinct.to_pylist()], pa.string())
    wrong = coded.each(bools(found.is_null()))
    sheet.fault(rows & wrong, "number", "is not an IPv4 address as a 32-bit integer")
    return Coded(found.fill_null(""), coded.codes)


def _dotted(text: str) -> str | None:
    if not text:
        return ""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        return None
    number = int(text)
    if not -(2**31) <= number < 2**32:
        return None
    return ".".join(str(byte) for byte in (number % 2**32).to_bytes(4, "big"))


def _patterned(sheet: Sheet, field: str, mapping: CdrMapping, pattern: str, reason: str) -> Coded:
    """A short text that must match; empty where the mapping does not have the field."""
    cases = mapping.fields.get(field)
    if cases is None:
        return Coded.constant("", sheet.size)
    coded = sheet.gather(field, cases, required=field == "currency")
    sheet.fault(coded.each(~bools(pc.match_substring_regex(coded.distinct, pattern))), field, reason)
    return coded


def networks(sheet: Sheet, mapping: CdrMapping) -> Coded:
    """``MCC-MNC`` or empty."""
    return _patterned(sheet, "network", mapping, _NETWORK, "is not MCC-MNC, such as 272-01")


def currencies(sheet: Sheet, mapping: CdrMapping) -> Coded:
    """Three capitals."""
    return _patterned(sheet, "currency", mapping, _CURRENCY, "is not three capital letters")


def rates(sheet: Sheet, mapping: CdrMapping) -> Coded:
    """The printed rate line."""
    cases = mapping.fields.get("rate")
    if cases is None:
        return Coded.constant("", sheet.size)
    return tidy(sheet, "rate", sheet.gather("rate", cases, required=False), MAX_RATE)


def corrections(sheet: Sheet, mapping: CdrMapping) -> pa.FixedSizeBinaryArray:
    """Hashes of corrected records, 32 bytes each; zero for none."""
    coded = _patterned(sheet, "corrects", mapping, _HASH, "is not 0x and 64 hexadecimal digits")
    good = bools(pc.match_substring_regex(coded.distinct, _HASH))
    hashes = [
        bytes.fromhex(text[2:]) if text and fine else ZERO32
        for text, fine in zip(coded.distinct.to_pylist(), good.tolist(), strict=True)
    ]
    return pa.array(hashes, pa.binary(32)).take(pa.array(coded.codes))
