/** Bill against tariff, in the built file. */

import { keccak256 } from "viem";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeBundle, makeLine } from "../support/bundle";
import { month } from "../support/month";
import { axe, choose, launch, NODE, open, overflow, PORTAL, SHIPPED, shot } from "./page";

const TARIFF = `schema = "billproof/tariff/1"
name = "Example"
version = "2026-10"
currency = "EUR"
valid = { from = "2026-10-01", until = "2026-12-01" }
home = ["262-01"]
rounding = { mode = "half-up", decimals = 4, at = "call" }

[[rates]]
name = "calls"
services = ["voice-originated"]
price = "0.09"
unit = "60 s"

[[fees]]
name = "Example 10"
amount = "9.99"
service = "recurring"
times = "once"
`;
const { lines, log } = month();
const [DEAR, LONG, CHEAP, NEVER] = [3, 8, 14, lines.findIndex(({ startedAt }, at) => at > 58 && lines[at - 1]!.startedAt === String(Number(startedAt) - 9000))];
const more = (at: number, money: bigint, billed = 0): void => {
  const line = lines[at]!;
  lines[at] = { ...line, amount: String(BigInt(line.amount) + money), billedUsage: String(Number(line.billedUsage) + billed) };
};
more(DEAR, 50_000_000n);
more(LONG, 90_000_000n, 60);
more(CHEAP, -10_000_000n);
more(NEVER, 110_000_000n); // the phone does not have it either
const hash = keccak256(new TextEncoder().encode(TARIFF));
const { bundle, root } = makeBundle(SHIPPED, lines, hash);
const BILL = { name: "bill-2026-10.json", content: JSON.stringify(bundle) };
const FILE = { name: `${hash}.toml`, content: TARIFF, type: "application/toml" };
const OTHER = { ...FILE, name: "other.toml", content: TARIFF.replace("0.09", "0.08") };
const CALLS = { name: "calls.xml", content: log, type: "text/xml" };
const OCTOBER = Date.UTC(2026, 9, 1) / 1000;
const PUBLISHED = { root, published: [OCTOBER - 5 * 86_400, OCTOBER, OCTOBER + 61 * 86_400, 0] };

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const cents = (text: string | null): string => (text ?? "").replace(/[^0-9.,]/g, "");

async function useNode(page: Page): Promise<void> {
  await page.locator(".help input[type=url]").fill(NODE);
  await page.locator(".help form button").first().click();
  await page.locator(".checks .valid").nth(2).waitFor();
}

test.each([
  { name: "wide", width: 1100, locale: "en-GB", dark: false, said: "Charged €0.77, the contract says €0.72.", published: "valid from 1 October 2026 up to and including 30 November 2026" },
  { name: "phone", width: 390, locale: "de-DE", dark: true, said: "Berechnet 0,77\u00a0€, laut Vertrag 0,72\u00a0€.", published: "gültig vom 1. Oktober 2026 bis einschließlich 30. November 2026" },
  { name: "french", width: 390, locale: "fr-FR", dark: false, said: "Facturé 0,77\u00a0€, le contrat dit 0,72\u00a0€.", published: "valable du 1 octobre 2026 au 30 novembre 2026 inclus" },
])("every line beside the contract, the dearest first: $name", async ({ name, said, published, ...look }) => {
  const { context, page, requests, errors } = await open(browser, { ...look, node: PUBLISHED });
  await choose(page, [BILL]);
  await page.locator(".tariff").waitFor();
  await useNode(page);
  expect(await page.locator(".result .notes").textContent()).toContain(published);
  expect(await axe(page)).toEqual([]);
  const before = requests.length;

  await choose(page, [OTHER], 1);
  await page.locator(".tariff .notes .invalid").waitFor();
  expect(await page.locator(".tariff .verdict").count()).toBe(0); // nothing is priced by it
  expect(await axe(page)).toEqual([]);
  await choose(page, [FILE]); // beside the bill, where bills are dropped
  await page.locator(".tariff .verdict.invalid").waitFor();
  expect(cents(await page.locator(".tariff .stake").textContent())).toMatch(/^0[.,]25$/);
  const rows = page.locator(".tariff tr.line");
  expect(await rows.locator("td:first-child").allTextContents()).toEqual([NEVER, LONG, DEAR].map((at) => String(at + 1)));
  expect(await page.locator(".tariff tr.remark").nth(2).textContent()).toContain(said);
  expect(await page.locator(".tariff textarea").inputValue()).toContain(bundle.records[DEAR]!.hash);
  const claimed = [...(await page.locator(".tariff textarea").inputValue()).matchAll(/^\d+\. \S+ (\d+)\s?: /gm)].map(([, line]) => Number(line) - 1);
  expect(claimed).toEqual([NEVER, LONG, DEAR]); // the dearest first, as above
  await page.locator(".tariff .filter select").selectOption({ index: 1 });
  expect(await rows.locator("td:first-child").allTextContents()).toEqual([String(CHEAP + 1)]);
  await page.locator(".tariff .filter select").selectOption({ index: 2 });
  expect(await rows.count()).toBe(lines.length);
  expect(await page.locator(".tariff .table").evaluate((table) => table.scrollWidth - table.clientWidth)).toBeLessThanOrEqual(0);
  expect(await axe(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await shot(page, `tariff-${name}`);

  // With the phone's log: the line that the phone disputes wholly counts once.
  const inputs = await page.locator("input[type=file]").count();
  await choose(page, [CALLS], inputs - 1);
  await page.locator(".match .verdict").waitFor();
  const stakes = await page.locator(".match tr.line td:last-child").allTextContents();
  const sum = stakes.map((text) => Math.round(Number(cents(text).replace(",", ".")) * 1e4)).reduce((a, b) => a + b, 0) / 1e4;
  expect(Number(cents(await page.locator(".match .stake").textContent()).replace(",", "."))).toBeCloseTo(sum, 2);
  const never = page.locator(".match tr.line").filter({ has: page.locator("td:first-child", { hasText: new RegExp(`^${NEVER + 1}$`) }) });
  expect(await never.count()).toBe(1);
  expect(Number(cents(await never.locator("td:last-child").textContent()).replace(",", "."))).toBeCloseTo(Number(lines[NEVER]!.amount) / 1e9, 4);
  const letter = await page.locator(".match textarea").inputValue();
  for (const at of [DEAR, LONG, NEVER]) expect(letter.split(bundle.records[at]!.hash).length).toBe(2);
  expect(await page.locator("textarea").count()).toBe(1);
  expect(requests.length).toBe(before); // neither tariff nor log left the machine
  expect(errors).toEqual([]);
  expect(await axe(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await shot(page, `tariff-and-log-${name}`);
  await context.close();
});

test("a line that the phone disputes for little and the tariff for much is claimed for the greater, once", async () => {
  const doubled = [...lines];
  const { amount, billedUsage } = doubled[DEAR]!;
  doubled[DEAR] = { ...doubled[DEAR]!, usage: String(Number(doubled[DEAR]!.usage) + 60), billedUsage: String(Number(billedUsage) + 60), amount: String(3n * BigInt(amount)) };
  const bill = makeBundle(SHIPPED, doubled, hash).bundle;
  const { context, page } = await open(browser);
  await choose(page, [{ ...BILL, content: JSON.stringify(bill) }, FILE]);
  await page.locator(".tariff .verdict.invalid").waitFor();
  const placed = (card: string) => page.locator(`${card} tr.line`).filter({ has: page.locator("td:first-child", { hasText: new RegExp(`^${DEAR + 1}$`) }) });
  const tariffs = Number(cents(await placed(".tariff").locator("td:last-child").textContent()));
  await choose(page, [CALLS], (await page.locator("input[type=file]").count()) - 1);
  await page.locator(".match .verdict").waitFor();
  const row = placed(".match");
  expect(await row.count()).toBe(1);
  expect(Number(cents(await row.locator("td:last-child").textContent()))).toBeCloseTo(tariffs, 6);
  const stakes = (await page.locator(".match tr.line td:last-child").allTextContents()).map((text) => Number(cents(text)));
  expect(stakes).toEqual([...stakes].sort((a, b) => b - a)); // the dearest first
  expect(Number(cents(await page.locator(".match .stake").textContent()))).toBeCloseTo(stakes.reduce((a, b) => a + b), 2);
  const said = await row.locator("xpath=following-sibling::tr[1]").textContent();
  const already = Number(/\(€([0-9.]+) of it in dispute already/.exec(said!)![1]);
  expect(already).toBeGreaterThan(0);
  expect(already).toBeLessThan(tariffs);
  const letter = await page.locator(".match textarea").inputValue();
  expect(letter).toContain(`Of that, €${already} is in the sum above.`);
  expect(letter.split(bill.records[DEAR]!.hash).length).toBe(2);
  const sums = [/Altogether this is about €([0-9.]+)\./, /That is €([0-9.]+) too much/].map((sum) => Number(sum.exec(letter)![1]));
  expect(sums[0]! + sums[1]!).toBeCloseTo(Number(cents(await page.locator(".match .stake").textContent())), 2);
  await context.close();
});

test("a bill that is right is said to be; a bill without a tariff is told so", async () => {
  const right = makeBundle(SHIPPED, month().lines, hash);
  const { context, page } = await open(browser);
  await choose(page, [{ ...BILL, content: JSON.stringify(right.bundle) }, FILE]);
  await page.locator(".tariff .verdict.valid").waitFor();
  expect(await page.locator(".tariff h3").first().textContent()).toBe("Every price is as the contract says");
  expect(await page.locator(".tariff textarea").count()).toBe(0);
  const unnamed = makeBundle(SHIPPED, month().lines);
  await choose(page, [{ ...BILL, content: JSON.stringify(unnamed.bundle) }]);
  await page.locator(".tariff .notes li", { hasText: "Your bill names no tariff" }).waitFor();
  await context.close();
});

test("prices stay claimed beside a log of another phone; sums of bills with tax lines are before tax", async () => {
  const tax = makeLine({ startedAt: lines.at(-1)!.startedAt, service: "35", usage: "0", billedUsage: "0", number: "", network: "", amount: "19000000000", rate: "tax/vat-19" });
  const taxed = makeBundle(SHIPPED, [...lines, tax], hash).bundle;
  const foreign = log.replaceAll(/number="\+[0-9]+"/g, 'number="+33199000000"');
  const { context, page } = await open(browser);
  await choose(page, [{ ...BILL, content: JSON.stringify(taxed) }, FILE]);
  await page.locator(".tariff .verdict.invalid").waitFor();
  expect(await page.locator(".tariff .stake").textContent()).toBe("€0.25 too much, before tax");
  expect(await page.locator(".tariff textarea").inputValue()).toContain("That is €0.25 before tax too much.");
  expect(await page.locator(".tariff .notes").textContent()).toContain("1 line, €19.00, has no price in this tariff.");
  await choose(page, [{ ...CALLS, content: foreign }], (await page.locator("input[type=file]").count()) - 1);
  await page.locator(".match .verdict.cannot-check").waitFor();
  const letter = await page.locator("textarea").inputValue();
  for (const at of [DEAR, LONG, NEVER]) expect(letter).toContain(taxed.records[at]!.hash);
  await context.close();
});

test("a broken tariff is refused by its place, and a tariff alone wants a bill", async () => {
  const { context, page, errors } = await open(browser);
  const broken = { ...FILE, name: "broken.toml", content: TARIFF.replace('unit = "60 s"', 'unit = "60 B"') };
  await choose(page, [broken]);
  await page.locator(".status", { hasText: "broken.toml is a tariff: choose a bill too." }).waitFor();
  await choose(page, [BILL]);
  await page.locator(".tariff .notes .invalid").waitFor();
  expect(await page.locator(".tariff .notes").textContent()).toContain("rates[1].unit says what it may not");
  expect(errors).toEqual([]);
  await context.close();
});

test("the portal is asked for the tariff when the reader wants it, once", async () => {
  const { context, page, requests, errors } = await open(browser, { portal: true, node: PUBLISHED, files: { [`/tariffs/${hash}`]: TARIFF } });
  await choose(page, [BILL]);
  await page.locator(".tariff").waitFor();
  const asked = (): string[] => requests.filter((request) => request.includes("/tariffs/"));
  expect(asked()).toEqual([]);
  await page.getByRole("button", { name: "Fetch it from this server" }).click();
  await page.locator(".tariff .verdict.invalid").waitFor();
  expect(asked()).toEqual([`GET ${PORTAL}/tariffs/${hash}`]);
  expect(errors).toEqual([]);
  await context.close();
});

test("a portal without the tariff, or with another under its name, changes nothing", async () => {
  for (const files of [{}, { [`/tariffs/${hash}`]: OTHER.content }]) {
    const { context, page } = await open(browser, { portal: true, node: PUBLISHED, files });
    await choose(page, [BILL]);
    await page.getByRole("button", { name: "Fetch it from this server" }).click();
    await page.locator(".tariff [role=status], .tariff .invalid", { hasText: /does not have|is not the tariff/ }).waitFor();
    expect(await page.locator(".tariff .verdict").count()).toBe(0);
    await context.close();
  }
});

test("a page from disk asks nobody for tariffs, and says what the book says", async () => {
  const { context, page, requests } = await open(browser, { node: { ...PUBLISHED, published: [0, 0, 0, 0] } });
  await choose(page, [BILL]);
  await useNode(page);
  expect(await page.locator(".result .notes").textContent()).toContain("never published");
  expect(await page.getByRole("button", { name: "Fetch it from this server" }).count()).toBe(0);
  expect(requests.filter((request) => request.startsWith("GET "))).toEqual([]);
  await context.close();
});
