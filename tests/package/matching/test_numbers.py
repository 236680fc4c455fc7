"""Canonical numbers: the quick ways agree with libphonenumber; relations are those of the specification."""

import random

import numpy as np
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billproof.matching import numbers
from billproof.matching.numbers import ALIKE, BLIND, OTHER, SAME, Forms, canonical

REGIONS = ["IE", "DE", "GB", "US", "IT", "JP", "AU", "FR", "RU", "BR", "SM", "AR", "FI", None]


def slowly(digits: str, plus: bool, region: str | None) -> str:
    try:
        number = phonenumbers.parse(f"+{digits}" if plus else digits, region)
    except phonenumbers.NumberParseException:
        return digits
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return digits
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@given(
    st.sampled_from(REGIONS),
    st.sampled_from(
        ["", "0", "0", "+", "+353", "+44", "+49", "+1", "+39", "+378", "+7", "+54", "353", "1", "8"]
    ),
    st.text("0123456789", min_size=7, max_size=13),
)
def test_quick_ways_say_what_libphonenumber_says(region, prefix, rest):
    text = prefix + rest
    plus = text.startswith("+")
    digits = text.lstrip("+")
    if not plus and digits.startswith("00"):
        return
    assert canonical(text, region) == slowly(digits, plus, region)


@pytest.mark.parametrize(
    ("text", "region", "form"),
    [
        ("+353 (0)87 123-4567", "IE", "+353871234567"),
        ("0035387 123 4567", None, "+353871234567"),
        ("087 123 4567", "IE", "+353871234567"),
        ("087 123 4567", None, "0871234567"),
        ("50123", "IE", "50123"),
        ("*123#", "IE", "123"),
        ("Anonymous", "IE", ""),
        ("xxxx", "IE", ""),
        ("+35387123xxxx", None, "+35387123xxxx"),
        ("087123 ****", "IE", "+35387123xxxx"),
        ("0035387•••", None, "+35387xxx"),
        ("+999123456789", None, "999123456789"),
        ("٠٨٧١٢٣٤٥٦٧", "IE", ""),
    ],
)
def test_canonical_forms(text, region, form):
    assert canonical(text, region) == form


def test_relations():
    forms = Forms(["+353871234567", "00871234567", "+35387123xxxx", "", "50123", "+35387123xxx"])
    pairs = {
        (0, 0): SAME,
        (0, 1): ALIKE,
        (0, 2): ALIKE,
        (2, 0): ALIKE,
        (0, 5): OTHER,
        (2, 2): OTHER,
        (2, 5): OTHER,
        (0, 3): BLIND,
        (3, 3): BLIND,
        (4, 4): SAME,
        (0, 4): OTHER,
    }
    ours, theirs = (np.array(column) for column in zip(*pairs, strict=True))
    assert forms.relate(ours, theirs).tolist() == list(pairs.values())


@pytest.mark.parametrize(
    ("form", "free"),
    [("112", True), ("116123", True), ("116", False), ("+3531800123456", True), ("+353871234567", False)],
)
def test_freephone(form, free):
    assert numbers.is_freephone(form) is free


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
def test_free_numbers_are_those_that_libphonenumber_says(code):
    draw = random.Random(code)
    kinds = (phonenumbers.PhoneNumberType.TOLL_FREE, phonenumbers.PhoneNumberType.MOBILE)
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    examples = [phonenumbers.example_number_for_type(region, kind) for region in regions for kind in kinds]
    examples.append(phonenumbers.example_number_for_non_geo_entity(code))
    national = [phonenumbers.national_significant_number(number) for number in examples if number]
    for digits in national:  # and their neighbours
        for place in range(len(digits)):
            changed = f"{digits[:place]}{draw.randrange(10)}{digits[place + 1 :]}"
            form = canonical(f"+{code}{changed}", None)
            if form.startswith("+"):
                kind = phonenumbers.number_type(phonenumbers.parse(form))
                assert numbers.is_freephone(form) is (kind == phonenumbers.PhoneNumberType.TOLL_FREE)
