/** The built file, opened from disk: what a reader sees, and what leaves the machine. */

import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeBundle, makeLine } from "../support/bundle";
import { axe, batch, choose, launch, NODE, open, overflow, PORTAL, SHIPPED, shot } from "./page";

const LINES = [
  makeLine(),
  makeLine({ startedAt: "1791020000", number: "+491511234567", usage: "61", billedUsage: "120", amount: "180000000" }),
  makeLine({ startedAt: "1791540000", service: "6", usage: "1572864", billedUsage: "2097152", number: "", amount: "20000000", rate: "0.01 EUR/MiB" }),
  makeLine({ startedAt: "1791620000", service: "4", usage: "1", billedUsage: "1", number: "+447700900123", amount: "90000000", rate: "0.09 EUR" }),
  makeLine({ startedAt: "1793487600", service: "32", usage: "0", billedUsage: "0", number: "", network: "", amount: "9990000000", rate: "Example 10, October 2026" }),
];
const GENUINE = makeBundle(SHIPPED, LINES);
const FILE = { name: "bill-2026-10.json", content: JSON.stringify(GENUINE.bundle) };

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const headline = (page: Page) => page.locator(".result h2").first();

async function useNode(page: Page): Promise<void> {
  await page.locator(".help input[type=url]").fill(NODE);
  await page.locator(".help form button").first().click();
}

test("nothing is asked before the reader acts, and the page is in order", async () => {
  const { context, page, requests, errors } = await open(browser);
  await page.waitForTimeout(500);
  expect(requests).toEqual([]);
  expect(errors).toEqual([]);
  expect(await page.locator("h1").textContent()).toBe("Check your phone bill");
  expect(await axe(page)).toEqual([]);
  await shot(page, "start");
  await context.close();
});

test("a vector's bundle, changed in one line: wrong, the line is named, and nobody was asked", async () => {
  const { context, page, requests, errors } = await open(browser);
  const changed = structuredClone(batch.bundles["1001"]);
  changed.records[0].amount = "1";
  await choose(page, [{ name: "changed.json", content: JSON.stringify(changed) }]);
  await headline(page).waitFor();
  expect(await headline(page).textContent()).toBe("Something is wrong with this bill");
  expect(await page.locator(".problems").first().textContent()).toContain("Line 1 was changed");
  expect(requests).toEqual([]);
  expect(errors).toEqual([]);
  expect(await axe(page)).toEqual([]);
  await shot(page, "invalid");
  await context.close();
});

test("a vector's bundle: lines right, ledger unknown to this page", async () => {
  const { context, page, requests } = await open(browser);
  await choose(page, [{ name: "vector.json", content: JSON.stringify(batch.bundles["1001"]) }]);
  await headline(page).waitFor();
  expect(await headline(page).textContent()).toBe("Could not be fully checked");
  expect(requests).toEqual([]);
  await context.close();
});

test("a genuine bill: the reader's server, the reader's pin, valid; a page from the disk keeps neither", async () => {
  const { context, page, requests, errors } = await open(browser, { node: { root: GENUINE.root, operator: { name: "Meridian", domain: "" } } });
  await choose(page, [FILE]);
  await headline(page).waitFor();
  expect(await headline(page).textContent()).toBe("Could not be fully checked");
  await shot(page, "no-node");
  await useNode(page);
  await page.getByText("I have compared these with my company").waitFor();
  expect(await axe(page)).toEqual([]);
  await shot(page, "unknown-company");
  await page.locator(".help input[type=text]").fill("Meridian");
  await page.locator(".help form button").click();
  await page.locator(".result.valid").waitFor();
  expect(await headline(page).textContent()).toBe("Genuine and unchanged");
  expect(await page.locator(".checks .valid").count()).toBe(4);
  expect(await page.locator("[role=status].hidden").first().textContent()).toBe("Result: Genuine and unchanged");
  expect(new Set(requests.map((request) => request.replace(/\/$/, "")))).toEqual(new Set([`POST http://127.0.0.1:8545`, `POST ${NODE}`]));
  expect(errors).toEqual([]);
  expect(await axe(page)).toEqual([]);
  await shot(page, "valid");
  // Other pages from the disk could have written what is kept there.
  await page.reload();
  await choose(page, [FILE]);
  await headline(page).waitFor();
  expect(await headline(page).textContent()).toBe("Could not be fully checked");
  await context.close();
});

test.each([
  ["de-DE", "Telefonrechnung prüfen"],
  ["fr-FR", "Vérifiez votre facture de téléphone"],
])("on a phone, dark, in %s", async (locale, title) => {
  const { context, page } = await open(browser, { locale, width: 360, dark: true, node: { root: GENUINE.root } });
  expect(await page.locator("h1").textContent()).toBe(title);
  await choose(page, [FILE]);
  await headline(page).waitFor();
  await useNode(page);
  await page.locator(".help input[type=text]").fill("Meridian");
  await page.locator(".help form button").click();
  await page.locator(".result.valid").waitFor();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  expect(await axe(page)).toEqual([]);
  await shot(page, `phone-${locale}`);
  await context.close();
});

const REFUSED: { name: string; file: () => { name: string; content: string | Uint8Array; type?: string }; said: string }[] = [
  { name: "a PDF with bytes appended", file: () => ({ name: "long.pdf", content: Buffer.concat([PDF, Buffer.from("more")]), type: "application/pdf" }), said: "This PDF holds" },
  { name: "a PDF that was cut", file: () => ({ name: "cut.pdf", content: PDF.subarray(0, PDF.length / 2), type: "application/pdf" }), said: "This PDF holds" },
  { name: "a picture without a code", file: () => ({ name: "cat.svg", content: "<svg/>", type: "image/svg+xml" }), said: "No QR code was found" },
  { name: "a broken phone log", file: () => ({ name: "calls.xml", content: "<calls><call", type: "text/xml" }), said: "This is a phone log, not a bill, and it is damaged or cut off." },
  { name: "a text", file: () => ({ name: "notes.txt", content: "milk, eggs", type: "text/plain" }), said: "This is a text file, not a bill." },
  { name: "a web page", file: () => ({ name: "page.html", content: "<html>", type: "text/html" }), said: "This is a web page, not a bill." },
];
const PDF = readFileSync(new URL("../../../tests/vectors/invoice.pdf", import.meta.url));

test.each(REFUSED)("nothing of the last verdict stays above or below what is refused: $name", async ({ file, said }) => {
  const { context, page, errors } = await open(browser, { node: { root: GENUINE.root } });
  await choose(page, [FILE]);
  await headline(page).waitFor();
  await useNode(page);
  await page.locator(".help input[type=text]").fill("Meridian");
  await page.locator(".help form button").click();
  await page.locator(".result.valid").waitFor();
  const refused = file();
  await choose(page, [refused]);
  await page.locator(".result.unusable").waitFor();
  expect(await page.locator(".result").count()).toBe(1);
  expect(await page.locator(".match").count()).toBe(0);
  expect(await page.locator(".result .file").textContent()).toBe(refused.name);
  expect(await page.locator(".checks").textContent()).toContain(said);
  expect(await page.locator("main").textContent()).not.toContain("Genuine and unchanged");
  expect(errors).toEqual([]);
  await context.close();
});

test("a refused file beside a bill has a card of its own", async () => {
  const { context, page } = await open(browser);
  await choose(page, [FILE, { name: "notes.txt", content: "milk, eggs", type: "text/plain" }]);
  await page.locator(".result").nth(1).waitFor();
  expect(await page.locator(".result .file").allTextContents()).toEqual([FILE.name, "notes.txt"]);
  await context.close();
});

test("a code that names a bill is for the next file only, and takes away a bill that is another", async () => {
  const { keccak256 } = await import("viem");
  const { context, page } = await open(browser);
  await choose(page, [{ name: "other.json", content: JSON.stringify(makeBundle(SHIPPED, LINES.slice(1)).bundle) }]);
  await headline(page).waitFor();
  await page.evaluate((hash) => (location.hash = hash), `#d=${keccak256(Buffer.from(FILE.content)).slice(2)}`);
  await page.getByText("Now choose the bill itself").waitFor();
  expect(await page.locator(".result").count()).toBe(0);
  const code = readFileSync(new URL("../../../tests/vectors/receipt-code.png", import.meta.url));
  await choose(page, [{ name: "receipt.png", content: code, type: "image/png" }]); // holds its receipt, and is no file that a code could mean
  await page.locator(".result").waitFor();
  expect(await page.locator("main").textContent()).not.toMatch(/the QR code or link means/);
  await choose(page, [{ ...FILE, name: "resaved.json", content: JSON.stringify(GENUINE.bundle, null, 1) }]);
  await page.getByText("This is not the file that the QR code or link means").waitFor();
  await choose(page, [{ ...FILE, name: "third.json" }]);
  await page.getByText("third.json").waitFor();
  expect(await page.locator("main").textContent()).not.toMatch(/the QR code or link means/);
  await context.close();
});

test("the line of a receipt is not called a bill", async () => {
  const receipt = Object.values(batch.receipts)[0] as any;
  const { context, page } = await open(browser);
  await choose(page, [{ name: "receipt.json", content: JSON.stringify(receipt) }]);
  await headline(page).waitFor();
  expect(await page.locator(".bill h3").textContent()).toBe("The line");
  await context.close();
});

test("the bill inside a link, by keyboard only", async () => {
  const { deflateSync } = await import("node:zlib");
  const { keccak256 } = await import("viem");
  const content = Buffer.from(FILE.content);
  const hash = `#d=${keccak256(content).slice(2)}&z=${deflateSync(content, { level: 9 }).toString("base64url")}`;
  const { context, page, errors } = await open(browser, { hash });
  await headline(page).waitFor();
  await page.getByText("This is the very file").waitFor();
  expect(errors).toEqual([]);
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.tagName)).not.toBe("BODY");
  await context.close();
});

test("2,000 lines are hashed off the page's own thread", async () => {
  const many = Array.from({ length: 2000 }, (_, at) => makeLine({ startedAt: String(1790933700 + 600 * at) }));
  const { bundle, root } = makeBundle(SHIPPED, many);
  const { context, page, errors } = await open(browser, { node: { root } });
  const worker = page.waitForEvent("worker");
  await choose(page, [{ name: "large.json", content: JSON.stringify(bundle) }]);
  await worker;
  await headline(page).waitFor();
  expect(errors).toEqual([]);
  expect(await page.locator(".checks .valid").count()).toBeGreaterThan(0);
  await context.close();
});

test("the portal's relay alone never makes a bill valid", async () => {
  const { context, page, requests, errors } = await open(browser, { portal: true, node: { root: GENUINE.root } });
  await choose(page, [FILE]);
  await page.getByText("Confirmed by the operator only").waitFor();
  expect(await headline(page).textContent()).toBe("Could not be fully checked");
  expect(requests).toContain(`POST ${PORTAL}/rpc`);
  expect(requests.every((request) => request === `GET ${PORTAL}/verify` || /^POST http:\/\/(portal\.test\/rpc|127\.0\.0\.1:8545\/)$/.test(request))).toBe(true);
  expect(errors).toEqual([]);
  await shot(page, "operator-only");
  await context.close();
});

test("what a file says is text, and no script but the page's own runs", async () => {
  const evil = "<img src=x onerror='globalThis.evil=1'><script>globalThis.evil=1</script>\u202e";
  const { bundle } = makeBundle(SHIPPED, [makeLine({ number: evil.slice(0, 100), rate: evil })]);
  const { context, page } = await open(browser);
  await choose(page, [{ name: `${evil.replaceAll("/", "")}.json`, content: JSON.stringify(bundle) }]);
  await headline(page).waitFor();
  expect(await page.locator(".lines img").count()).toBe(0);
  expect(await page.locator(".lines").textContent()).toContain("<img src=x");
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.evil = 1";
    document.head.append(script);
    document.body.insertAdjacentHTML("beforeend", "<img src='data:,' onerror='globalThis.evil = 1'>");
  });
  await page.waitForTimeout(200);
  expect(await page.evaluate(() => (globalThis as any).evil)).toBeUndefined();
  await context.close();
});
