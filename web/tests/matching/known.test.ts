import { expect, test } from "vitest";
import { KnownNumbers } from "../../src/matching/known";
import { Numbers, relate } from "../../src/matching/numbers";
import { entry, log, randomFrom } from "./bills";

const numbers = new Numbers("IE");
const known = (...entries: Parameters<typeof log>[0]) => new KnownNumbers([log(entries)], numbers);

test("calls and messages are known apart, in either direction", () => {
  const one = known(entry(0, { direction: "in" }));
  expect(one.has("+353871234567", "call")).toBe(true);
  expect(one.has("+353871234567", "message")).toBe(false);
  const other = known(entry(0, { kind: "mms" }));
  expect(other.has("0871234567", "message")).toBe(true);
  expect(other.has("0871234567", "call")).toBe(false);
});

test("an app's entry speaks for the lists that its log keeps", () => {
  const app = entry(0, { kind: "app" });
  expect(known(app).has("0871234567", "call")).toBe(false);
  const calls = known(app, entry(0, { number: "0860000000" }));
  expect(calls.has("0871234567", "call")).toBe(true);
  expect(calls.has("0871234567", "mms")).toBe(false);
  const apart = new KnownNumbers([log([app]), log([entry(0, { number: "0860000000" })])], numbers);
  expect(apart.has("0871234567", "call")).toBe(false);
});

test("what is hidden is never known, what is masked as far as it goes", () => {
  const one = known(entry(0), entry(0, { number: "" }));
  expect(one.has("", "call")).toBe(false);
  expect(one.has("087123xxxx", "call")).toBe(true);
  expect(one.has("087124xxxx", "call")).toBe(false);
  expect(known(entry(0, { number: "087123xxxx" })).has("0871234567", "call")).toBe(true);
});

test("the quick look-up says what the relation of every pair says", () => {
  const random = randomFrom(5);
  const some = (): string => {
    const digits = `${["087", "+35387", "+4987", "0044 87", "", "+1"][random(6)]}${String(100 + random(3)).repeat(2)}${random(20)}`;
    return random(4) ? digits : `${digits.slice(0, -2)}xx`;
  };
  for (let round = 0; round < 200; round++) {
    const entries = Array.from({ length: 1 + random(6) }, () => entry(0, { number: some() }));
    const one = known(...entries);
    for (let line = 0; line < 20; line++) {
      const number = some();
      const slow = entries.some((each) => ["same", "alike"].includes(relate(numbers.canonical(number), numbers.canonical(each.number))));
      expect(one.has(number, "call"), number).toBe(slow);
    }
  }
});
