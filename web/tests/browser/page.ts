/** Debian's chromium on the built file, opened from disk, with a node that exists only in the test. */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { concat, keccak256 } from "viem";
import { batch, LEDGER, respond, type State } from "../chain/node";

export const FILE = fileURLToPath(new URL("../../dist/index.html", import.meta.url));
export const ADDRESS = `file://${FILE}`;
export const NODE = "http://127.0.0.1:18545";
/** A portal that exists only in the test: it serves the page, and a relay to the operator's node. */
export const PORTAL = "http://portal.test";
export { batch, LEDGER };

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Where pictures go, when they are asked for. */
export const SHOTS = process.env.BILLPROOF_SCREENSHOTS;

const artifact = JSON.parse(
  readFileSync(new URL("../../../src/billproof/ledger/artifacts/BillingLedger.json", import.meta.url), "utf8"),
);
/** Where the shipped contract lies on every chain. */
export const SHIPPED: string = `0x${keccak256(
  concat(["0xff", artifact.create2.deployer.toLowerCase(), artifact.create2.salt, keccak256(artifact.bytecode)]),
).slice(26)}`;

export async function launch(): Promise<Browser> {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  if (!executablePath) throw new Error("chromium is needed: apt-get install chromium");
  if (!existsSync(FILE)) throw new Error("build first: npm run build");
  return chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

export interface Opened {
  context: BrowserContext;
  page: Page;
  /** Every request other than for the page itself, in order. */
  requests: string[];
  /** Errors on the console and uncaught ones; refused connections are not among them. */
  errors: string[];
}

export interface Look {
  locale?: string;
  width?: number;
  dark?: boolean;
  hash?: string;
  node?: State;
  /** Opened from the portal instead of from disk. */
  portal?: boolean;
  /** What the portal has besides, by path. */
  files?: Record<string, string>;
}

export async function open(browser: Browser, { locale = "en-GB", width = 1100, dark = false, hash = "", node, portal, files = {} }: Look = {}): Promise<Opened> {
  const context = await browser.newContext({
    locale,
    viewport: { width, height: 900 },
    colorScheme: dark ? "dark" : "light",
    timezoneId: "Europe/Berlin",
  });
  const page = await context.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) requests.push(`${request.method()} ${request.url()}`);
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/ERR_(FAILED|CONNECTION_REFUSED)/.test(message.text())) errors.push(message.text());
  });
  await context.route(/^https?:/, (route) => {
    const request = route.request();
    if (portal && request.url() === `${PORTAL}/verify`) return route.fulfill({ path: FILE, contentType: "text/html" });
    const path = new URL(request.url()).pathname;
    if (portal && request.method() === "GET" && request.url().startsWith(`${PORTAL}/tariffs/`))
      return path in files ? route.fulfill({ body: files[path]!, contentType: "application/toml" }) : route.fulfill({ status: 404, body: "{}" });
    const relayed = portal && request.url() === `${PORTAL}/rpc`;
    if (!node || !(relayed || request.url().startsWith(NODE))) return route.abort("connectionrefused");
    const headers = { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" };
    if (request.method() === "OPTIONS") return route.fulfill({ status: 204, headers });
    const { id, method, params } = request.postDataJSON();
    const result = respond(node, method, params);
    const body = JSON.stringify({ jsonrpc: "2.0", id, ...(result instanceof Error ? { error: { message: result.message } } : { result }) });
    return route.fulfill({ status: 200, headers, contentType: "application/json", body });
  });
  await page.goto((portal ? `${PORTAL}/verify` : ADDRESS) + hash);
  return { context, page, requests, errors };
}

/** Gives files to the page as if the reader had chosen them. */
export async function choose(page: Page, files: { name: string; content: string | Uint8Array; type?: string }[], input = 0): Promise<void> {
  await page
    .locator("input[type=file]")
    .nth(input)
    .setInputFiles(files.map(({ name, content, type }) => ({ name, mimeType: type ?? "application/json", buffer: Buffer.from(content) })));
}

/** What axe finds wrong with the page as it is. */
export async function axe(page: Page): Promise<string[]> {
  // Evaluated by the debugger: the page's own policy lets no script in.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const found = await (globalThis as any).axe.run(document, { resultTypes: ["violations"] });
    return found.violations.map((one: any) => `${one.id}: ${one.nodes.map((node: any) => node.html.slice(0, 160)).join(" | ")}`);
  });
}

/** Pixels that the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

export async function shot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}
