/** What matching must do whatever the bill: shifted clocks, orders that do not matter, sums that agree. */

import { describe, expect, test } from "vitest";
import { match } from "../../src/matching";
import { answered } from "../../src/matching/answers";
import { isFinding, isQuestion, type PhoneLog } from "../../src/matching/types";
import { processorTime } from "../support/time";
import { entry, invoice, line, log, month, OCTOBER, randomFrom } from "./bills";

const QUIET = { findings: 0, stake: "0", questions: 0, asked: "0", uncompared: 0, unchecked: "0" };

const moved = (source: PhoneLog, by: number): PhoneLog => ({ ...source, entries: source.entries.map((each) => ({ ...each, at: each.at + by })) });

describe("a month that agrees", () => {
  test.each([1, 2, 3])("has every line matched and nothing at stake (seed %i)", (seed) => {
    const { invoice: bill, logs } = month(seed, 200);
    const result = match(bill, logs);
    expect(result.region).toBe("IE");
    expect(result.summary).toEqual({ ...QUIET, classes: { matched: 200 }, confirmed: 200, mostConfirmed: true });
    expect(result.logs[0]!.clock.known).toBe(true);
    expect(Math.abs(result.logs[0]!.clock.offset)).toBeLessThanOrEqual(2);
  });

  test.each([-86_000, -7200, -47, 3600, 20_700])("is the same when the phone's clock is %i s off", (by) => {
    const { invoice: bill, logs } = month(4, 150, 10);
    const [straight, crooked] = [match(bill, logs), match(bill, logs.map((each) => moved(each, by)))];
    expect(crooked.lines).toEqual(straight.lines);
    expect(crooked.logs[0]!.clock.offset).toBe(straight.logs[0]!.clock.offset + by);
  });

  test("is the same with one log cut into two", () => {
    const { invoice: bill, logs } = month(5, 300);
    const [whole] = logs as [PhoneLog];
    const half = { ...whole, entries: whole.entries.slice(0, 150) };
    const rest = { ...whole, entries: whole.entries.slice(150) };
    expect(match(bill, [half, rest]).summary).toEqual(match(bill, logs).summary);
  });

  test("does not depend on the order of the bill's lines in the array", () => {
    const { invoice: bill, logs } = month(6, 100, 5);
    expect(match({ ...bill, lines: [...bill.lines].reverse() }, logs)).toEqual(match(bill, logs));
  });

  test("tells calls that were never billed", () => {
    const { invoice: bill, logs } = month(7, 200, 12);
    const unbilled = match(bill, logs).entries[0]!.filter((each) => each.line === null);
    expect(unbilled).toHaveLength(12);
  });
});

describe("whatever the bill", () => {
  test.each(Array.from({ length: 30 }, (_, i) => i + 1))("sums agree, entries are used once, findings have confidence (seed %i)", (seed) => {
    const random = randomFrom(seed);
    const { invoice: bill, logs } = month(seed, 60 + random(60), random(20));
    for (const each of bill.lines) {
      const fate = random(12);
      if (fate === 0) each.usage += random(20_000);
      if (fate === 1) each.startedAt += random(4000) - 2000;
      if (fate === 2) each.number = "";
      if (fate === 3) each.number = `${each.number.slice(0, -3)}xxx`;
      if (fate === 4) each.billedUsage += random(100);
      if (fate === 5) each.amount = -each.amount;
    }
    logs[0]!.entries = logs[0]!.entries.filter(() => random(10) > 0);
    for (const each of logs[0]!.entries) if (random(20) === 0) each.answered = "no";
    const result = match(bill, logs);
    const { lines, summary } = result;
    expect(lines.map((each) => each.index)).toEqual(bill.lines.map((each) => each.index));
    expect(Object.values(summary.classes).reduce((a, b) => a + b, 0)).toBe(lines.length);
    expect(summary.findings).toBe(lines.filter(isFinding).length);
    expect(summary.questions).toBe(lines.filter(isQuestion).length);
    const own = lines.filter((each) => each.entry !== null && each.joins === null);
    expect(new Set(own.map((each) => each.entry)).size).toBe(own.length);
    for (const each of own) expect(result.entries[0]![each.entry!]).toEqual({ class: "billed", reason: "", line: each.index });
    expect(result.entries[0]!.filter((each) => each.class === "billed")).toHaveLength(own.length);
    for (const each of lines) {
      const amount = bill.lines[each.index]!.amount;
      expect(each.confidence !== null).toBe(isFinding(each));
      expect(BigInt(each.stake) >= 0n).toBe(true);
      if (each.joins === null && !lines.some((other) => other.joins === each.index)) {
        expect(BigInt(each.stake) <= (amount > 0n ? amount : 0n)).toBe(true);
      }
    }
  });
});

describe("single lines", () => {
  const calls = Array.from({ length: 12 }, (_, i) => line(i));
  const logged = calls.map((each) => entry(each.startedAt));

  test("a call that the phone does not know is on the invoice only", () => {
    const result = match(invoice(calls), [log(logged.filter((_, i) => i !== 5))]);
    expect(result.lines[5]).toMatchObject({ class: "invoice-only", reason: "absent", stake: "100000000", confidence: 90 });
  });

  test("a call billed for longer than it was", () => {
    const long = calls.map((each, i) => (i === 5 ? { ...each, usage: 600, billedUsage: 600 } : each));
    expect(match(invoice(long), [log(logged)]).lines[5]).toMatchObject({ class: "longer", reason: "talked", talked: 60, stake: "90000000", confidence: 95 });
  });

  test("a call billed twice", () => {
    const twice = [...calls, line(12, { startedAt: calls[3]!.startedAt })];
    expect(match(invoice(twice), [log(logged)]).lines[12]).toMatchObject({ class: "duplicate", reason: "same", confidence: 99 });
  });

  test("a call cut in two on the bill is one on the phone", () => {
    const cut = [...calls, line(12, { startedAt: calls[11]!.startedAt + 60, usage: 90 })];
    const whole = logged.map((each, i) => (i === 11 ? { ...each, duration: 150 } : each));
    const result = match(invoice(cut), [log(whole)]);
    expect(result.lines[12]).toMatchObject({ class: "matched", reason: "continued", joins: 11, entry: 11 });
    expect(result.lines[11]).toMatchObject({ class: "matched", reason: "paired" });
  });

  test("an hour that the phone is off for some days is a shift", () => {
    const peers = calls.map((each, i) => ({ ...each, startedAt: OCTOBER + 90_000 * i, number: `+35387123456${i % 10}` }));
    const entries = peers.map((each, i) => entry(each.startedAt + (i >= 8 ? 3600 : 0), { number: `087123456${i % 10}` }));
    const result = match(invoice(peers), [log(entries)]);
    expect(result.logs[0]!.clock.shifts).toMatchObject([{ offset: 3600, support: 4 }]);
    expect(result.summary.classes).toEqual({ matched: 12 });
  });

  test("a call made abroad that the phone logged hours off is no accusation", () => {
    const away = logged.map((each, i) => (i === 5 ? { ...each, at: each.at + 7210 } : each));
    const apart = calls.map((each, i) => ({ ...each, number: i === 5 ? "+353879999999" : each.number }));
    away[5]!.number = "0879999999";
    expect(match(invoice(apart), [log(away)]).lines[5]).toMatchObject({ class: "matched", reason: "shifted", entry: 5, stake: "0" });
  });

  test("a call that was tried twice gives the unanswered entry back to the one billed twice", () => {
    const twice = [...calls, line(12, { startedAt: calls[3]!.startedAt + 40, usage: 61 })];
    const tried = [...logged, entry(calls[3]!.startedAt + 42, { answered: "no", duration: 0 })];
    const result = match(invoice(twice), [log(tried)]);
    expect(result.lines[12]).toMatchObject({ class: "duplicate", reason: "near", entry: null });
    expect(result.entries[0]![12]).toMatchObject({ class: "unanswered" });
  });

  test("calls to a number of which the phone knows nothing are asked about: they may have been deleted, or never made", () => {
    const gone = calls.map((each, i) => (i === 4 || i === 6 ? { ...each, number: "+353879999999" } : each));
    const result = match(invoice(gone), [log(logged.filter((_, i) => i !== 4 && i !== 6))]);
    for (const place of [4, 6]) expect(result.lines[place]).toMatchObject({ class: "invoice-only", reason: "unknown", stake: "0", confidence: null });
    expect(result.summary).toMatchObject({ findings: 0, stake: "0", questions: 2, asked: "200000000" });
  });

  test("the reader's answers make findings of questions, or explain them, and leave the matcher's result as it was", () => {
    const gone = calls.map((each, i) => (i === 4 || i === 6 ? { ...each, number: "+353879999999", amount: i === 6 ? -5n : each.amount } : each));
    const bill = invoice(gone);
    const result = match(bill, [log(logged.filter((_, i) => i !== 4 && i !== 6))]);
    const before = structuredClone(result);
    expect(answered(result, bill, () => undefined)).toEqual(before);
    const denied = answered(result, bill, (index) => (index === 5 ? undefined : "never"));
    expect(denied.summary).toEqual({ ...before.summary, findings: 2, stake: "100000000", questions: 0, asked: "0" });
    expect(denied.lines.filter(isFinding).map(({ index, stake }) => [index, stake])).toEqual([[4, "100000000"], [6, "0"]]);
    const mixed = answered(result, bill, (index) => (index === 4 ? "known" : undefined));
    expect(mixed.summary).toEqual({ ...before.summary, questions: 1, asked: "0" });
    expect(mixed.lines.filter(isFinding)).toEqual([]);
    expect(result).toEqual(before);
  });

  test("without logs nothing is covered", () => {
    expect(match(invoice(calls), []).summary).toEqual({ ...QUIET, classes: { "not-covered": 12 }, uncompared: 12, unchecked: "1200000000", confirmed: 0, mostConfirmed: false });
  });
});

test.each(["forty numbers", "one number"])("a thousand lines against two thousand entries take less than half a second: %s", (numbers) => {
  const { invoice: bill, logs } = month(99, 1000, 1000);
  if (numbers === "one number") {
    for (const each of bill.lines) each.number = "+353871234567";
    for (const each of logs[0]!.entries) each.number = "0871234567";
  }
  expect(processorTime(() => match(bill, logs))).toBeLessThan(500);
});
