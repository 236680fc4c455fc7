/** Sentences, letter and picture: every case in every language, and nothing of a file that could break out of the SVG. */

import { describe, expect, test } from "vitest";
import { match } from "../../src/matching";
import { answered } from "../../src/matching/answers";
import { lasting, money } from "../../src/matching/formatting";
import { letter } from "../../src/matching/letter";
import { timeline } from "../../src/matching/timeline";
import type { EntryClass, LineClass, LineReason, LineResult } from "../../src/matching/types";
import { entrySentence, type Language, sentence, title } from "../../src/matching/wording";
import { processorTime } from "../support/time";
import { entry, invoice, line, log, month, OCTOBER } from "./bills";

const LANGUAGES: Language[] = ["en", "de", "fr"];
const REASONS: Record<LineClass, LineReason[]> = {
  "not-comparable": ["service", "correction", "forwarded"],
  hung: ["paired", "overlap"],
  longer: ["unanswered", "talked", "rounding"],
  late: ["paired", "uncovered"],
  matched: ["paired", "shifted", "continued", "part"],
  duplicate: ["same", "near"],
  "not-covered": ["outside", "hole", "foreign"],
  "invoice-only": ["absent", "unknown", "denied", "recalled"],
};
const ENTRY_CLASSES: EntryClass[] = [
  "billed", "copy", "free", "incoming", "unanswered", "other-sim", "freephone", "other-period", "next-bill", "by-app", "missing",
];

function findings(): { bill: ReturnType<typeof invoice>; logs: ReturnType<typeof log>[] } {
  const { invoice: bill, logs } = month(11, 60);
  const calls = bill.lines.filter((each) => each.service === 1);
  calls[3]!.usage += 600;
  calls[3]!.billedUsage += 600;
  bill.lines.push(line(60, { ...calls[5]!, index: 60 }));
  bill.lines.push(line(61, { startedAt: calls[8]!.startedAt + 4000, number: calls[8]!.number }));
  bill.lines.push(line(62, { startedAt: calls[9]!.startedAt + 4000, number: "+353879999999" }));
  return { bill, logs };
}

describe.each(LANGUAGES)("in %s", (lang) => {
  test("each class and reason of a line has its own sentence, with everything filled in", () => {
    const bill = invoice([line(0, { usage: 3725, amount: 1_234_500_000n })]);
    const result = match(bill, []);
    const said = Object.entries(REASONS).flatMap(([verdict, reasons]) =>
      reasons.map((reason) => {
        const each: LineResult = { ...result.lines[0]!, class: verdict as LineClass, reason, stake: "1000000000", talked: 60 };
        return sentence(lang, { ...result, lines: [each] }, each, bill);
      }),
    );
    expect(new Set(said).size).toBe(23);
    for (const each of said) {
      expect(each).not.toMatch(/[{}]|undefined/);
      expect(each).toContain("+353871234567");
      expect(each).toMatch(/\.$/);
      expect(each.length).toBeGreaterThan(70);
    }
    expect(new Set(Object.keys(REASONS).map((each) => title(lang, each as LineClass))).size).toBe(8);
  });

  test("amounts beside tax lines are said to be before tax", () => {
    const { bill, logs } = findings();
    const net = { en: "before tax", de: "vor Steuern", fr: "hors taxes" }[lang];
    expect(letter(lang, match(bill, logs), bill)).not.toContain(net);
    bill.lines.push(line(bill.lines.length, { service: 35, number: "", usage: 0, billedUsage: 0 }));
    expect(letter(lang, match(bill, logs), bill)).toContain(net);
  });

  test("each class of an entry has its own sentence", () => {
    const said = ENTRY_CLASSES.map((each) => entrySentence(lang, { class: each, reason: "", line: null }, entry(0)));
    expect(new Set(said).size).toBe(11);
    for (const each of said) expect(each).not.toMatch(/[{}]|undefined/);
  });

  test("the letter lists all findings and their sum", () => {
    const { bill, logs } = findings();
    const result = match(bill, logs);
    expect(result.summary.findings).toBe(3);
    const text = letter(lang, result, bill, { name: "Ada Byrne", writtenAt: 1_795_000_000 });
    for (const each of result.lines.filter((one) => one.confidence !== null)) expect(text).toContain(sentence(lang, result, each, bill));
    expect(text).toContain(money(lang, BigInt(result.summary.stake), "EUR"));
    expect(text).toContain("Ada Byrne");
    expect(text).not.toContain("+353879999999"); // a question, until it is answered
    const denied = answered(result, bill, () => "never");
    expect(denied.summary.findings).toBe(4);
    const more = letter(lang, denied, bill);
    expect(more).toContain(sentence(lang, denied, denied.lines[62]!, bill));
    expect(more).toContain(money(lang, BigInt(denied.summary.stake), "EUR"));
    expect(text).not.toMatch(/[{}]|undefined|null/);
    expect(text).toMatch(/2026/);
  });

  test("the letter says so when there is nothing to complain about", () => {
    const { invoice: bill, logs } = month(12, 30);
    const text = letter(lang, match(bill, logs), bill);
    expect(text).not.toMatch(/1\./);
  });

  test("the picture is well-formed, without styles, with title and description", () => {
    const { bill, logs } = findings();
    logs[0]!.entries[0]!.number = `<script>alert("1")</script>&\u0001`;
    bill.lines[0]!.number = `"/><image href='x'>`;
    const svg = timeline(lang, match(bill, logs), bill, logs, { id: "first" });
    expect(svg).not.toMatch(/style|<script|<image|undefined|NaN|\u0001/);
    expect(svg).toContain('aria-labelledby="first-title first-desc"');
    expect(svg.match(/class="match-finding"/g)!.length).toBeGreaterThanOrEqual(3);
    expect(svg.match(/class="match-question"/g)!.length).toBeGreaterThanOrEqual(1);
    const open: string[] = [];
    for (const [, end, name, self] of svg.matchAll(/<(\/?)([a-z]+)(?:\s+[\w-]+(?::\w+)?="[^"<]*")*\s*(\/?)>/g)) {
      if (end) expect(open.pop()).toBe(name);
      else if (!self) open.push(name!);
    }
    expect(open).toEqual([]);
    expect(svg.replace(/<\/?[a-z]+(?:\s+[\w-]+="[^"<]*")*\s*\/?>/g, "")).not.toMatch(/[<>]/);
  });
});

test("a line that others joined is told with its sums", () => {
  const calls = Array.from({ length: 6 }, (_, i) => line(i));
  const bill = invoice([...calls, line(6, { startedAt: calls[5]!.startedAt + 60, usage: 100 })]);
  const logs = [log(calls.map((each, i) => entry(each.startedAt, { duration: i === 5 ? 150 : 60 })))];
  const result = match(bill, logs);
  expect(result.lines[5]).toMatchObject({ class: "longer", reason: "talked", talked: 150 });
  expect(sentence("en", result, result.lines[5]!, bill)).toContain("is billed as 2 min 40 s, but the phone shows 2 min 30 s");
});

test("sums are exact, lengths short", () => {
  expect(money("en", 120_750_000n, "EUR")).toBe("0.12075 EUR");
  expect(money("de", -1_000_000_000n, "EUR")).toBe("-1,00 EUR");
  expect(money("fr", 1n, "EUR")).toBe("0,000000001 EUR");
  expect(lasting(0)).toBe("0 s");
  expect(lasting(3605)).toBe("1 h 5 s");
});

test("a call over midnight goes on in the next day's row", () => {
  const bill = invoice([line(0, { startedAt: OCTOBER + 86_400 - 3600 - 1800, usage: 7200 })]); // 23:30 to 01:30 there
  const drawn = [...timeline("en", match(bill, []), bill, []).matchAll(/<rect [^>]*x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g)];
  expect(drawn.map(([, x, y, width]) => [x, y, width])).toEqual([
    ["809", "24", "15"],
    ["104", "50", "45"],
  ]);
  const endless = invoice([line(0, { usage: 4_294_967_295 })]);
  expect(timeline("en", match(endless, []), endless, []).match(/<rect/g)).toHaveLength(31);
});

test("the narrow picture has the same marks in less than half the width, and days without a year", () => {
  const { bill, logs } = findings();
  const result = match(bill, logs);
  const [wide, narrow] = [timeline("en", result, bill, logs), timeline("en", result, bill, logs, { narrow: true })];
  expect(narrow.match(/<rect/g)!.length).toBe(wide.match(/<rect/g)!.length);
  expect(Number(/viewBox="0 0 (\d+)/.exec(narrow)![1])).toBeLessThan(300);
  expect(narrow).toContain(">3 Oct<");
  expect(wide).toContain(">3 October 2026<");
});

test("a thousand lines are drawn at once", () => {
  const { invoice: bill, logs } = month(13, 1000, 1000);
  const result = match(bill, logs);
  const drawn = processorTime(() => [timeline("en", result, bill, logs), letter("de", result, bill)]);
  expect(drawn).toBeLessThan(1000);
});
