import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { preferred, setLanguage, t, TABLES } from "../../src/i18n";
import { minutes, partyOf, roundMoney } from "../../src/ui/format";

const places = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

test.each(["de", "fr"] as const)("%s has every key, with the same places to fill in", (language) => {
  expect(Object.keys(TABLES[language]).sort()).toEqual(Object.keys(TABLES.en).sort());
  for (const [key, text] of Object.entries(TABLES.en)) {
    const other = TABLES[language][key as keyof typeof TABLES.en];
    expect(places(other), key).toEqual(places(text));
    expect(other.split("|").length, key).toBe(text.split("|").length);
    expect(other.trim(), key).not.toBe("");
  }
});

test("every code of a step, a problem or a note has words", () => {
  const source = (folder: string): string =>
    readdirSync(new URL(`../../src/${folder}`, import.meta.url))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(new URL(`../../src/${folder}/${name}`, import.meta.url), "utf8"))
      .join("\n");
  const verify = source(".");
  const chain = source("chain");
  const steps = [...verify.matchAll(/add\(report, "\w+", "[\w-]+", "([\w.]+)"/g)].map(([, code]) => code!);
  const reasons = [...chain.matchAll(/new ChainError\("(\w+)"/g)].map(([, reason]) => `chain.${reason}`);
  const how = [...chain.matchAll(/found\("\w+", "(\w+)"\)/g)].map(([, code]) => `id.${code}`);
  const all = [...steps, ...reasons, ...how, "id.pinned", "chain.refused", "chain.tooFew", "chain.nobody"];
  expect(all.length).toBeGreaterThan(30);
  for (const code of all) expect(TABLES.en, code).toHaveProperty([`step.${code}`]);
});

test("forms, numbers and languages", () => {
  setLanguage("en");
  expect(t("match.some", { n: 1 })).toBe("1 line to ask about");
  expect(t("match.some", { n: 1200 })).toBe("1,200 lines to ask about");
  setLanguage("fr");
  expect(t("match.some", { n: 0 })).toBe("0 ligne à clarifier");
  expect(preferred(["nl-NL", "de-AT"])).toBe("de");
  expect(preferred([])).toBe("en");
  setLanguage("en");
});

test("from an hour on, lengths say what each number counts", () => {
  setLanguage("en");
  expect(minutes(3599)).toBe("59:59 min");
  expect(minutes(11_855)).toBe("3 h 17 min 35 s");
});

test("who is at the other end is said also where the bill does not show it", () => {
  setLanguage("en");
  expect(partyOf("2", "")).toBe("a withheld number");
  expect(partyOf("2", "+4930123456")).toBe("+4930123456");
  expect(partyOf("32", "")).toBe("");
});

test("sums of headlines are rounded, but never to nothing", () => {
  setLanguage("en");
  expect(roundMoney(25_940_968_000n, "EUR")).toBe("€25.94");
  expect(roundMoney("-2495000000", "EUR")).toBe("-€2.50");
  expect(roundMoney(9_700_000n, "EUR")).toBe("€0.0097");
  expect(roundMoney(0n, "EUR")).toBe("€0.00");
});
