/** Sentences, letter and picture: every case in every language, and nothing of a file that could break out of the SVG. */

import { describe, expect, test } from "vitest";
import { match } from "../../src/matching";
import { answered } from "../../src/matching/answers";
import { lasting, money, roundMoney } from "../../src/matching/formatting";
import { letter } from "../../src/matching/letter";
import { timeline } from "../../src/matching/timeline";
import type { EntryClass, LineClass, LineReason, LineResult } from "../../src/matching/types";
import { elsewhereOf } from "../../src/matching/telling";
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
    expect(text).toContain(roundMoney(lang, BigInt(result.summary.stake), "EUR"));
    expect(text).toContain("Ada Byrne");
    expect(text).not.toContain("+353879999999"); // a question, until it is answered
    const denied = answered(result, bill, () => "never");
    expect(denied.summary.findings).toBe(4);
    const more = letter(lang, denied, bill);
    expect(more).toContain(sentence(lang, denied, denied.lines[62]!, bill));
    expect(more).toContain(roundMoney(lang, BigInt(denied.summary.stake), "EUR"));
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

test("a duplicate names the line that it repeats", () => {
  const { bill, logs } = findings();
  const result = match(bill, logs);
  const twin = bill.lines.find(({ index, startedAt, number }) => index < 60 && startedAt === bill.lines[60]!.startedAt && number === bill.lines[60]!.number)!;
  expect(result.lines[60]).toMatchObject({ class: "duplicate", reason: "same" });
  expect(sentence("en", result, result.lines[60]!, bill)).toContain(`line ${twin.index + 1} has the same time`);
  const near: LineResult = { ...result.lines[60]!, reason: "near" };
  expect(sentence("de", result, near, bill)).toContain(`Zeile ${twin.index + 1} ist fast gleich`);
});

/** A month of calls and messages, with calls to a number that only the messages know, and calls to one that nothing knows. */
function asked(): { bill: ReturnType<typeof invoice>; logs: ReturnType<typeof log>[] } {
  const { invoice: bill, logs } = month(11, 60);
  const [texted, strange] = ["+353879999991", "+353879999992"];
  for (const number of [texted, strange, strange, strange]) {
    const index = bill.lines.length;
    bill.lines.push(line(index, { startedAt: OCTOBER + 7 * 86_400 + 997 * index, number }));
  }
  logs[0]!.entries.push(entry(OCTOBER + 9 * 86_400, { kind: "message", direction: "in", number: texted, duration: -1, parts: 1 }));
  return { bill, logs };
}

test.each([
  { lang: "en", only: "The phone's list of calls has nothing with this number (its list of messages has).", none: "3 calls with +353879999992, €0.30 in all (lines 62, 63, 64)", never: "never took place" },
  { lang: "de", only: "In der Anrufliste des Telefons gibt es zu dieser Nummer nichts (in seiner Nachrichtenliste schon).", none: "3 Anrufe mit +353879999992, zusammen 0,30 € (Zeilen 62, 63, 64)", never: "gab es nie" },
  { lang: "fr", only: "La liste d’appels du téléphone n’a rien avec ce numéro (sa liste de messages, si).", none: "3 appels avec +353879999992, 0,30 € en tout (lignes 62, 63, 64)", never: "n’ont jamais eu lieu" },
] as const)("the list that knows nothing is named, and what is denied of one number is one sentence: $lang", ({ lang, only, none, never }) => {
  const { bill, logs } = asked();
  const found = match(bill, logs);
  const elsewhere = elsewhereOf(found, bill, logs);
  expect([...elsewhere]).toEqual([60]);
  const told = { ...answered(found, bill, (index) => (index >= 60 ? "never" : undefined)), elsewhere };
  const text = letter(lang, told, bill).replaceAll(/[^\S\n]/g, " ");
  expect(text).toContain(only);
  expect(text).toContain(none);
  expect(text).toContain(never);
  expect(text.split("+353879999992").length).toBe(2);
  expect(text.indexOf(none)).toBeLessThan(text.indexOf(only)); // the dearest first
  expect(text).not.toMatch(/never had to do|nie mit ihr zu tun|jamais eu affaire/);
});

test("messages beside a list of calls only are said to have no list", () => {
  const { invoice: bill, logs } = month(11, 60);
  const calls = logs.map((each) => ({ ...each, entries: each.entries.filter(({ kind }) => kind === "call") }));
  const result = match(bill, calls);
  const message = result.lines.find(({ index, reason }) => reason === "outside" && bill.lines[index]!.service === 4)!;
  expect(sentence("en", result, message, bill)).toContain("it is a message, and the lists that you gave have no messages");
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
  const plain = (text: string): string => text.replaceAll(/\s/g, " ");
  expect(money("en", 120_750_000n, "EUR")).toBe("€0.12075");
  expect(plain(money("de", -1_000_000_000n, "EUR"))).toBe("-1,00 €");
  expect(plain(money("fr", 1n, "EUR"))).toBe("0,000000001 €");
  expect(money("en", 5_000_000_000n, "JPY")).toBe("JP¥5");
  expect(money("en", 5_500_000_000n, "JPY")).toBe("JP¥5.5");
  expect(roundMoney("en", 8_535_600_000n, "EUR")).toBe("€8.54");
  expect(roundMoney("en", 1n, "EUR")).toBe("€0.000000001");
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
