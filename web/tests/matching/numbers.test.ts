/** Numbers in the forms that bills and phones use. */

import { describe, expect, test } from "vitest";
import { Numbers, regionOf, relate } from "../../src/matching/numbers";

describe("canonical form", () => {
  test.each([
    ["IE", "087 123 4567", "+353871234567"],
    ["IE", "00353871234567", "+353871234567"],
    ["IE", "(+353) 87-123-4567", "+353871234567"],
    ["IE", "50123", "50123"],
    ["IE", "087123xxx", "+35387123xxx"],
    ["IE", "00353 87 123 ••••", "+35387123xxxx"],
    ["IE", "xxxx", ""],
    ["IE", "unknown", ""],
    [null, "0871234567", "0871234567"],
    [null, "087123***", "087123xxx"],
    ["IT", "06 1234 5678", "+390612345678"],
    ["US", "2345678", "2345678"],
    ["CA", "19002123", "19002123"],
    ["DE", "+800123456789", "800123456789"],
  ])("in %s of %s is %s", (region, text, form) => {
    expect(new Numbers(region).canonical(text).text).toBe(form);
  });
});

test.each([
  ["+353871234567", "0871234567", "same"],
  ["+353871234xxx", "0871234567", "alike"],
  ["+353871234xxx", "+353871234xxx", "other"],
  ["+353871234xx", "0871234567", "other"],
  ["+44871234567", "0871234567", "alike"],
  ["", "0871234567", "blind"],
  ["", "", "blind"],
  ["+353871234567", "0871234568", "other"],
])("%s and %s are %s", (a, b, relation) => {
  const numbers = new Numbers("IE");
  expect(relate(numbers.canonical(a), numbers.canonical(b))).toBe(relation);
  expect(relate(numbers.canonical(b), numbers.canonical(a))).toBe(relation);
});

test("the region is that of most numbers written with a plus", () => {
  expect(regionOf(["+491", "+353871234567", "+4930123456"])).toBe("DE");
  expect(regionOf(["+491", "+353871234567"])).toBe("DE");
  expect(regionOf(["+80012345678", "0871234567"])).toBeNull();
  expect(regionOf(["+491"], "IE")).toBe("IE");
});

test.each([
  ["112", true],
  ["116123", true],
  ["1800 123 456", true],
  ["+80012345678", true],
  ["0871234567", false],
  ["", false],
])("%s is free: %s", (number, free) => {
  expect(new Numbers("IE").isFreephone(number)).toBe(free);
});
