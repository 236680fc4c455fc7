"""Telephone numbers as bills and phones write them, made comparable (docs/matching.md, section 2).

A canonical form is a text: E.164, or bare digits (short codes and what no plan explains), or empty, or a
beginning followed by one ``x`` for each masked digit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import phonenumbers
from numpy.typing import NDArray
from phonenumbers import PhoneMetadata

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

SAME, ALIKE, BLIND, OTHER = 0, 1, 2, 3
#: What a relation adds to a pair's cost.
SURCHARGES = np.array([0, 60, 120, 0], np.int64)

EMERGENCY = frozenset(("112", "911", "999", "000", "110", "113", "115", "117", "118", "119"))

_KEPT = re.compile(r"[^0-9+xX*•]")
#: Dialled before a number to hide one's own, or not to (3GPP TS 22.030).
_WITHHOLDING = re.compile(r"\A[ \t]*[*#]31#")
_MASK = re.compile(r"[xX*•]+\Z")
_REST = re.compile(r"[^0-9]")
_SHORT = 6
_NO_REGION = "001"


@lru_cache(maxsize=1 << 16)
def canonical(text: str, region: str | None) -> str:
    """The canonical form of a number as written, in a region (or none)."""
    kept = _KEPT.sub("", _WITHHOLDING.sub("", text))
    mask = _MASK.search(kept)
    plus = kept.startswith("+")
    digits = _REST.sub("", kept[: mask.start()] if mask else kept)
    if not digits:
        return ""
    if not plus and digits.startswith("00"):
        plus, digits = True, digits[2:]
    if mask:
        hidden = "x" * len(mask.group())
        if not plus and digits.startswith("0") and region:
            plus, digits = True, f"{phonenumbers.country_code_for_region(region)}{digits[1:]}"
        return f"{'+' if plus else ''}{digits}{hidden}"
    if not plus and len(digits) <= _SHORT:
        return digits
    return _e164(digits, plus, region) or digits


def _e164(digits: str, plus: bool, region: str | None) -> str:
    """What libphonenumber makes of it if that is possible, else empty."""
    if plus:
        quick = _international(digits)
        if quick:
            return quick
    elif not region:
        return ""
    else:
        quick = _national(digits, region)
        if quick:
            return quick
    try:
        number = phonenumbers.parse(f"+{digits}" if plus else digits, region)
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def calling_code(digits: str) -> int:
    """The country calling code that digits after a ``+`` begin with; 0 for none."""
    for length in (1, 2, 3) if not digits.startswith("0") else ():
        code = int(digits[:length] or 0)
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return code
    return 0


def _plan_of(code: int, region: str) -> PhoneMetadata | None:
    if region == _NO_REGION:
        return PhoneMetadata.metadata_for_nongeo_region(code)
    return PhoneMetadata.metadata_for_region(region)


@lru_cache(maxsize=512)
def _plan(code: int) -> tuple[frozenset[int], re.Pattern[str] | None]:
    """Possible lengths of a plan's national numbers, and what may be a national prefix before one."""
    region = phonenumbers.region_code_for_country_code(code)
    plan = _plan_of(code, region)
    if plan is None:
        return frozenset(), None
    prefix = plan.national_prefix_for_parsing
    general = plan.general_desc
    return frozenset(general.possible_length if general else ()), re.compile(prefix) if prefix else None


def _international(digits: str) -> str:
    """E.164 of digits that followed a ``+``, where a plan's lengths settle it; else empty.

    libphonenumber says the same some twenty times as slowly; the tests compare the two.
    """
    code = calling_code(digits)
    if not code or not digits.isascii():
        return ""
    national = digits[len(str(code)) :]
    lengths, prefix = _plan(code)
    if len(national) not in lengths or (prefix and prefix.match(national)):
        return ""
    return f"+{digits}"


@lru_cache(maxsize=512)
def _trunk(region: str) -> tuple[str, frozenset[int], re.Pattern[str], re.Pattern[str]] | None:
    """Of a region that dials 0 before national numbers, and nothing else: its calling code, possible lengths,
    what a number looks like, and what is dialled before foreign ones."""
    plan = PhoneMetadata.metadata_for_region(region)
    if plan is None or plan.general_desc is None or plan.general_desc.national_number_pattern is None:
        return None
    if plan.national_prefix_for_parsing != "0" or plan.national_prefix_transform_rule:
        return None
    general = plan.general_desc
    looks = general.national_number_pattern or ""
    return (
        str(plan.country_code),
        frozenset(general.possible_length),
        re.compile(looks),
        re.compile(plan.international_prefix or "00"),
    )


def _national(digits: str, region: str) -> str:
    """E.164 of digits that begin with the region's trunk prefix 0, where that settles it; else empty."""
    trunk = _trunk(region) if digits.startswith("0") else None
    if trunk is None:
        return ""
    code, lengths, looks, abroad = trunk
    rest = digits[1:]
    if (
        len(rest) not in lengths
        or abroad.match(digits)
        or (looks.fullmatch(digits) and not looks.fullmatch(rest))
    ):
        return ""
    return f"+{code}{rest}"


def main_region(code: int) -> str | None:
    """The main region of a country calling code; none of a code that belongs to no country."""
    region = phonenumbers.region_code_for_country_code(code)
    return None if region in (_NO_REGION, "ZZ") else region


def code_of_written(text: str) -> int:
    """The calling code of a number written with a ``+`` that belongs to a country, else 0."""
    if not text.startswith("+"):
        return 0
    code = calling_code(_REST.sub("", text))
    return code if code and main_region(code) else 0


@lru_cache(maxsize=1 << 16)
def is_freephone(form: str) -> bool:
    """Whether calls to a canonical number cost nothing anywhere."""
    if form in EMERGENCY or (len(form) == 6 and form.startswith("116") and form.isdigit()):
        return True
    if not form.startswith("+") or form.endswith("x"):
        return False
    digits = form[1:]
    code = calling_code(digits)
    national = digits[len(str(code)) :]
    if _international(digits) and not any(free.fullmatch(national) for free in _free(code)):
        return False  # for nearly all numbers, some ten times as quickly
    try:
        number = phonenumbers.parse(form)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.TOLL_FREE)


@lru_cache(maxsize=512)
def _free(code: int) -> tuple[re.Pattern[str], ...]:
    """What national numbers of a calling code look like that are free, in each of its regions."""
    plans = [_plan_of(code, region) for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]]
    looks = {plan.toll_free.national_number_pattern for plan in plans if plan and plan.toll_free}
    return tuple(re.compile(pattern) for pattern in looks if pattern)


def alike_masked(masked: str, other: str) -> bool:
    """Whether a number may be the masked one."""
    return len(masked) == len(other) and other.startswith(masked.rstrip("x"))


class Forms:
    """Canonical forms met, each with a code; what is asked of pairs of them is asked of arrays of codes."""

    def __init__(self, forms: Sequence[str]) -> None:
        self.texts = list(forms)
        empty, masked, tails = [], [], []
        for form in self.texts:
            hidden = form.endswith("x")
            digits = form.lstrip("+")
            empty.append(not form)
            masked.append(hidden)
            tails.append(int(digits[-8:]) if len(digits) >= 9 and not hidden else -1)
        self.empty: Flags = np.array(empty, bool)
        self.masked: Flags = np.array(masked, bool)
        self.tails: Ints = np.array(
            tails, np.int64
        )  # the last eight digits of whole numbers of nine or more, else -1

    @property
    def whole(self) -> Flags:
        """Which are neither empty nor masked."""
        return ~(self.empty | self.masked)

    def relate(self, ours: Ints, theirs: Ints) -> Ints:
        """The relation of each pair of codes."""
        found = np.full(len(ours), OTHER, np.int64)
        tail = self.tails[ours]
        found[(tail >= 0) & (tail == self.tails[theirs])] = ALIKE
        for at in np.flatnonzero(self.masked[ours] != self.masked[theirs]).tolist():
            one, two = self.texts[int(ours[at])], self.texts[int(theirs[at])]
            if alike_masked(*((one, two) if one.endswith("x") else (two, one))):
                found[at] = ALIKE
        found[(ours == theirs) & self.whole[ours]] = SAME
        found[self.empty[ours] | self.empty[theirs]] = BLIND
        return found
