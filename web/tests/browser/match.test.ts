/** Bill against phone, in the built file. */

import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeBundle, makeLine } from "../support/bundle";
import { month, PREMIUM } from "../support/month";
import { axe, choose, launch, NODE, open, overflow, SHIPPED, shot, SHOTS } from "./page";

const { lines, log } = month();
const { bundle, root } = makeBundle(SHIPPED, lines);
const BILL = { name: "bill-2026-10.json", content: JSON.stringify(bundle) };
const CALLS = { name: "calls.xml", content: log, type: "text/xml" };

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test.each([
  { name: "wide", width: 1100, locale: "en-GB", dark: false },
  { name: "phone", width: 360, locale: "de-DE", dark: true },
])("findings first, the picture, the letter: $name", async ({ name, ...look }) => {
  const { context, page, requests, errors } = await open(browser, { ...look, node: { root } });
  await choose(page, [BILL]);
  await page.locator(".help input[type=url]").fill(NODE);
  await page.locator(".help form button").first().click();
  await page.locator(".checks .valid").nth(2).waitFor();
  const before = requests.length;
  await choose(page, [CALLS], 1);
  await page.locator(".match .verdict").waitFor();
  expect(await page.locator(".match .lines tr.line").count()).toBe(3);
  const stake = await page.locator(".match .stake").textContent();
  expect(stake).toMatch(/[1-9]/);
  expect(await page.locator(".picture svg rect").count()).toBeGreaterThan(150);
  expect(await page.locator(".picture .match-finding").count()).toBeGreaterThan(2);
  await page.locator(".match details summary").first().click();
  const letter = await page.locator("textarea").inputValue();
  for (const index of [0, 1, 2]) {
    const place = await page.locator(".match .lines tr.line").nth(index).locator("td").first().textContent();
    expect(letter).toContain(bundle.records[Number(place) - 1]!.hash);
  }
  expect(requests.length).toBe(before); // phone logs stay here
  expect(errors).toEqual([]);
  expect(await axe(page)).toEqual([]);
  await shot(page, `match-${name}`);
  if (SHOTS) await page.locator(".match").screenshot({ path: `${SHOTS}/match-${name}-part.png` });
  await page.locator(".filter select").selectOption("matched");
  expect(await page.locator(".match .lines tr.line").count()).toBeGreaterThan(80);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  if (SHOTS && name === "wide") await page.pdf({ path: `${SHOTS}/print.pdf` });
  await context.close();
});

test.each([
  { locale: "en-GB", width: 1100, dark: false, title: "1 question only you can answer", never: "I never called it", known: "I know this number" },
  { locale: "de-DE", width: 390, dark: true, title: "1 Frage, die nur Sie beantworten können", never: "Dort habe ich nie angerufen", known: "Ich kenne diese Nummer" },
  { locale: "fr-FR", width: 390, dark: false, title: "1 question à laquelle vous seul pouvez répondre", never: "Je ne l’ai jamais appelé", known: "Je connais ce numéro" },
])("what only the reader can tell is asked, answered by keyboard, and moves into money and letter: $locale", async ({ title, never, known, ...look }) => {
  const { context, page, requests, errors } = await open(browser, { ...look, node: { root } });
  await choose(page, [BILL]);
  await page.locator(".match").waitFor();
  const before = new Set(requests);
  await choose(page, [CALLS], 1);
  const asked = page.getByRole("region", { name: title });
  await asked.waitFor();
  const stake = () => page.locator(".match .stake").textContent();
  const letter = async (): Promise<string> => (await page.locator("textarea").inputValue()).replaceAll(/\s+/g, " ");
  const question = asked.getByRole("group", { name: PREMIUM });
  expect(await question.locator("li").count()).toBe(2);
  expect(await letter()).not.toContain(PREMIUM);
  const first = await stake();
  expect(await axe(page)).toEqual([]);
  await page.locator(".filter select").selectOption("all");

  await question.getByRole("radio", { name: never }).focus();
  await page.keyboard.press("Space");
  expect(await page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("radio"); // where the reader was
  expect(await page.locator(".filter select").inputValue()).toBe("all");
  expect(await page.locator(".picture .match-question").count()).toBe(0);
  expect(await stake()).not.toBe(first);
  const denied = await letter();
  expect(denied.split(PREMIUM).length).toBe(2); // once for all of its lines
  for (const record of bundle.records.filter(({ number }) => number === PREMIUM)) expect(denied).toContain(record.hash);
  expect(await page.locator(".match > [role=status]").textContent()).toContain("5");
  expect(await axe(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await shot(page, `questions-${look.locale}`);

  await page.keyboard.press("ArrowUp");
  expect(await question.getByRole("radio", { name: known }).isChecked()).toBe(true);
  expect(await stake()).toBe(first);
  expect(await letter()).not.toContain(PREMIUM);
  // An answer outlasts a change of language, and is gone with the page.
  await page.locator(".top select").selectOption(look.locale === "en-GB" ? "de" : "en");
  await page.locator(".questions [type=radio]:checked").waitFor();
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(PREMIUM);
  await page.reload();
  await choose(page, [BILL]);
  await page.locator(".match").waitFor();
  await choose(page, [CALLS], 1);
  await page.locator(".questions").waitFor();
  expect(await page.locator(".questions [type=radio]:checked").count()).toBe(0);
  expect(new Set(requests)).toEqual(before); // the same look-ups again, and nothing of the answers
  expect(errors).toEqual([]);
  await context.close();
});

test.each([
  { locale: "en-GB", width: 1100, never: "I never called it", again: "Write it again", kept: "You have changed this letter" },
  { locale: "de-DE", width: 390, never: "Dort habe ich nie angerufen", again: "Neu schreiben", kept: "Sie haben diesen Brief geändert" },
])("a letter that the reader has changed stays as it is, until it is to be written again: $locale", async ({ never, again, kept, ...look }) => {
  const { context, page, errors } = await open(browser, { ...look, node: { root } });
  await choose(page, [BILL]);
  await page.locator(".match").waitFor();
  await choose(page, [CALLS], 1);
  const box = page.locator(".match .letter");
  const area = box.locator("textarea");
  const button = box.getByRole("button", { name: again });
  await box.locator("summary").click();
  const written = await area.inputValue();
  expect(await button.isVisible()).toBe(false);
  const mine = `Ada Byrne, 1 Dublin Road\n${written}`;
  await area.fill(mine);
  expect(await button.isVisible()).toBe(true);
  expect(await box.textContent()).not.toContain(kept); // nothing else has changed
  await area.fill(written); // as it was: nothing to keep
  expect(await button.isVisible()).toBe(false);
  await area.fill(mine);

  await page.getByRole("radio", { name: never }).check();
  expect(await area.inputValue()).toBe(mine);
  expect(await box.getByText(kept).isVisible()).toBe(true);
  expect(await box.locator("pre").textContent()).toBe(mine); // what is printed
  await shot(page, `letter-${look.locale}`);
  expect(await axe(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  // It outlasts a change of language too.
  await page.locator(".top select").selectOption("fr");
  await page.getByRole("button", { name: "Récrire la lettre" }).waitFor();
  expect(await page.locator(".match textarea").inputValue()).toBe(mine);
  await page.locator(".top select").selectOption(look.locale.slice(0, 2));
  await button.waitFor();

  await button.click();
  expect(await area.inputValue()).not.toContain("Ada Byrne");
  expect(await area.inputValue()).toContain(PREMIUM);
  expect(await area.evaluate((element) => document.activeElement === element)).toBe(true);
  expect(await box.textContent()).not.toContain(kept);
  expect(await button.isVisible()).toBe(false);
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain("Ada");
  expect(errors).toEqual([]);
  await context.close();
});

test("with nothing but questions, the questions are the verdict until they are answered", async () => {
  const at = (day: number): number => 1790812800 + day * 86_400 + 36_000;
  const calls = Array.from({ length: 12 }, (_, day) => makeLine({ startedAt: String(at(day)), number: day === 5 ? PREMIUM : "+4930123456" }));
  const logged = calls.filter(({ number }) => number !== PREMIUM).map(({ startedAt }) => `<call number="030123456" duration="125" date="${startedAt}000" type="2" presentation="1" />`);
  const { context, page } = await open(browser);
  await choose(page, [{ name: "bill.json", content: JSON.stringify(makeBundle(SHIPPED, calls).bundle) }]);
  await page.locator(".match").waitFor();
  await choose(page, [{ ...CALLS, content: `<calls count="${logged.length}">${logged.join("")}</calls>` }], 1);
  await page.locator(".match .verdict.cannot-check").waitFor();
  const headline = page.locator(".match .verdict h3");
  expect(await headline.textContent()).toBe("1 question only you can answer");
  expect(await page.locator("textarea").count()).toBe(0);
  await page.getByRole("radio", { name: "I know this number" }).check();
  expect(await headline.textContent()).toBe("Nothing to dispute: the phone confirms 11 of 12 lines");
  expect(await page.locator(".match .verdict").textContent()).toContain("1 line, €0.27, is not on the phone, but you know the number.");
  expect(await page.locator(".filter option").allTextContents()).toContain("Lines with numbers that you know (1)");
  expect(await page.locator(".match .verdict.valid").count()).toBe(1);
  await page.getByRole("radio", { name: "I never called it" }).check();
  expect(await headline.textContent()).toBe("1 line to ask about");
  expect(await page.locator(".match .stake").textContent()).toBe("€0.27 at stake");
  await context.close();
});

test.each([
  { logged: 12, level: "valid", said: "Nothing to dispute: the phone confirms 12 of 12 lines" },
  { logged: 6, level: "valid", said: "Nothing to dispute: the phone confirms 6 of 12 lines" },
  { logged: 5, level: "cannot-check", said: "Nothing to dispute, but the phone confirms only 5 of 12 lines" },
  { logged: 1, level: "cannot-check", said: "Nothing to dispute, but the phone confirms only 1 of 12 lines" },
])("nothing to dispute is good news only where the phone confirms half: $logged of 12", async ({ logged, level, said }) => {
  const calls = Array.from({ length: 12 }, (_, day) => makeLine({ startedAt: String(1790812800 + day * 86_400 + 36_000) }));
  const entries = calls.slice(0, logged).map(({ startedAt }) => `<call number="030123456" duration="125" date="${startedAt}000" type="2" presentation="1" />`);
  const { context, page } = await open(browser);
  await choose(page, [{ name: "bill.json", content: JSON.stringify(makeBundle(SHIPPED, calls).bundle) }]);
  await page.locator(".match").waitFor();
  await choose(page, [{ ...CALLS, content: `<calls count="${logged}">${entries.join("")}</calls>` }], 1);
  const verdict = page.locator(`.match .verdict.${level}`);
  await verdict.waitFor();
  expect(await verdict.locator("h3").textContent()).toBe(said);
  const rest = 12 - logged;
  if (rest) expect(await verdict.textContent()).toContain(`${rest} lines, €${(0.27 * rest).toFixed(2)}, could not be compared: see below.`);
  expect(await page.locator("textarea").count()).toBe(0);
  expect(await axe(page)).toEqual([]);
  await shot(page, `confirmed-${logged}`);
  await context.close();
});

test("what could not be compared is counted, with its sum and its reason", async () => {
  const { context, page } = await open(browser);
  await choose(page, [BILL]);
  await page.locator(".match").waitFor();
  await choose(page, [CALLS], 1);
  const rest = page.locator(".uncompared");
  await rest.waitFor();
  expect(await rest.locator("h3").textContent()).toBe("1 line, €9.99, could not be compared");
  expect(await rest.locator("li").allTextContents()).toEqual(["1 line, €9.99 – fees, data, taxes and whatever else no phone lists"]);
  await context.close();
});

test("with a list of calls only, messages are said to have no list, and what is billed too long is not confirmed", async () => {
  const { context, page } = await open(browser);
  const text = makeLine({ startedAt: "1791300000", service: "4", usage: "1", billedUsage: "1", amount: "90000000" });
  const free = makeLine({ startedAt: "1791300900", service: "4", usage: "1", billedUsage: "1", amount: "0" });
  await choose(page, [{ name: "bill.json", content: JSON.stringify(makeBundle(SHIPPED, [...lines, text, text, free]).bundle) }]);
  await page.locator(".match").waitFor();
  await choose(page, [CALLS], 1);
  await page.locator(".uncompared").waitFor();
  expect(await page.locator(".uncompared li").allTextContents()).toContain("2 lines, €0.18 – messages, and none of your lists has any: add one that does");
  expect(await page.locator(".uncompared").textContent()).toContain("1 more line was not compared either, and costs nothing.");
  expect(await page.locator(".match .verdict").textContent()).toContain("The phone confirms 89 of 98 lines.");
  await context.close();
});

test("lists can be taken away, and another bill starts without those of the last", async () => {
  const { context, page, errors } = await open(browser);
  await choose(page, [BILL]);
  await page.locator(".match").waitFor();
  await choose(page, [CALLS, { ...CALLS, name: "more.xml" }], 1);
  await page.getByRole("button", { name: "Remove more.xml" }).click();
  expect(await page.locator(".logs li").count()).toBe(1);
  await page.getByRole("button", { name: "Remove calls.xml" }).click();
  expect(await page.locator(".logs").count()).toBe(0);
  expect(await page.locator(".match .verdict").count()).toBe(0);
  await choose(page, [CALLS], 1);
  await page.locator(".logs").waitFor();
  await choose(page, [{ ...BILL, name: "the-same.json" }]);
  await page.getByText("the-same.json").waitFor();
  expect(await page.locator(".logs li").count()).toBe(1); // the same bill again
  await choose(page, [{ name: "next.json", content: JSON.stringify(makeBundle(SHIPPED, lines.slice(1)).bundle) }]);
  await page.getByText("next.json").waitFor();
  expect(await page.locator(".logs").count()).toBe(0);
  expect(errors).toEqual([]);
  await context.close();
});

test("a list that was cut off is said to be", async () => {
  const { context, page } = await open(browser);
  await choose(page, [BILL]);
  await page.locator(".match").waitFor();
  await choose(page, [{ ...CALLS, content: log.slice(0, log.lastIndexOf("duration=") + 9) }], 1);
  await page.getByText("calls.xml: cannot be read as a call list (the file is cut off; export it again).").waitFor();
  await context.close();
});

test("the picture fits a phone's screen, in readable print, and is drawn anew when the phone is turned", async () => {
  const { context, page, errors } = await open(browser, { width: 390, node: { root } });
  await choose(page, [BILL]);
  await page.locator(".match").waitFor();
  await choose(page, [CALLS], 1);
  const picture = page.locator(".picture svg");
  await picture.waitFor();
  const look = () =>
    picture.evaluate((drawn: SVGSVGElement) => ({
      beside: drawn.getBoundingClientRect().right - innerWidth,
      scale: drawn.getBoundingClientRect().width / drawn.viewBox.baseVal.width,
    }));
  const upright = await look();
  expect(upright.beside).toBeLessThanOrEqual(0);
  expect(upright.scale).toBeGreaterThan(0.9);
  await page.setViewportSize({ width: 900, height: 500 });
  await page.locator(".picture:not(.narrow)").waitFor();
  expect((await look()).beside).toBeLessThanOrEqual(0);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  expect(errors).toEqual([]);
  await context.close();
});

test("what is no call list is named, and the rest still counts", async () => {
  const { context, page } = await open(browser);
  await choose(page, [BILL]);
  await page.locator(".match").waitFor();
  await choose(page, [{ name: "notes.txt", content: "milk, eggs" }, CALLS], 1);
  await page.locator(".match .verdict").waitFor();
  expect(await page.locator(".match .notes .invalid").textContent()).toContain("notes.txt");
  await context.close();
});

test("an invoice's PDF and its code", async () => {
  const vectors = new URL("../../../tests/vectors/", import.meta.url);
  const { context, page, requests, errors } = await open(browser);
  const headline = page.locator(".result h2").first();
  await choose(page, [{ name: "invoice.pdf", content: readFileSync(new URL("invoice.pdf", vectors)), type: "application/pdf" }]);
  await page.getByText("The pages say the same as the proof").waitFor();
  expect(await headline.textContent()).toBe("Could not be fully checked");
  await choose(page, [{ name: "code.png", content: readFileSync(new URL("receipt-code.png", vectors)), type: "image/png" }]);
  await page.getByText("A receipt for one line of a bill").waitFor();
  await page.reload();
  const drawn = readFileSync(new URL("../readers/receipt-code.svg", import.meta.url), "utf8");
  const hostile = drawn.replace("<path", '<image href="https://tracker.example/"/><path');
  await choose(page, [{ name: "code.svg", content: hostile, type: "image/svg+xml" }]);
  await page.getByText("A receipt for one line of a bill").waitFor();
  expect(requests).toEqual([]);
  expect(errors).toEqual([]);
  await context.close();
});

test("a phone log in the place of the bill is told apart, and taken once there is a bill", async () => {
  const { context, page, errors } = await open(browser, { node: { root } });
  await choose(page, [CALLS]);
  await page.getByText("calls.xml is a phone log: it goes below, after the bill.").waitFor();
  expect(await page.locator("article").count()).toBe(0);
  await choose(page, [BILL]);
  await page.locator("article").waitFor();
  await choose(page, [CALLS]);
  await page.locator(".match .verdict").waitFor();
  expect(await page.locator("article").count()).toBe(1);
  expect(errors).toEqual([]);
  await context.close();
});

test("files that miss the marked places are taken as bills", async () => {
  const { context, page } = await open(browser, { node: { root } });
  const carried = await page.evaluateHandle((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], "bill.json", { type: "application/json" }));
    return data;
  }, BILL.content);
  await page.dispatchEvent("footer", "drop", { dataTransfer: carried });
  await page.locator("article").waitFor();
  await context.close();
});
