import { expect, test } from "vitest";
import ledger from "virtual:ledger";
import { bookOf } from "../../build/ledger";
import { type Report, Verifier, verdictOf } from "../../src/verify";
import { bytesOf } from "../protocol/vectors";
import { makeBundle, makeLine } from "../support/bundle";
import { BOOK, deployment, LEDGER, requests, type State, serve } from "./node";

const PIN = { chainId: "31337", ledger: LEDGER, operatorId: "1", name: "Meridian" };
const [ONE, TWO, OWN] = ["https://one.test", "https://two.test", "https://mine.test"] as const;
const TARIFF = `0x${"5a".repeat(32)}`;
const OCTOBER = Date.UTC(2026, 9, 1) / 1000;
const BEFORE = OCTOBER - 86_400;

async function check(nodes: Record<string, State>, own: string[] = [], tariff = TARIFF): Promise<Report> {
  const { bundle, root } = makeBundle(LEDGER, [makeLine()], tariff);
  serve(Object.fromEntries(Object.entries(nodes).map(([name, state]) => [name, { root, ...state }])));
  const verifier = new Verifier({ nodes: own, pins: [PIN], testnets: false, relay: null, deployments: [deployment()] });
  return verifier.verify("bill.json", bytesOf(bundle));
}

const toBook = (): number => requests.filter(({ to }) => to === BOOK).length;

test("the book beside the shipped ledger is where the specification says", () => {
  expect(bookOf(ledger.address)).toBe("0xbabb62cbcb025340502aaa04756d9ea1d1c72cb9");
});

test("one more call a node, and only where a tariff is named", async () => {
  const published = [BEFORE, OCTOBER, 0, 0];
  const report = await check({ [ONE]: { published }, [TWO]: { published } });
  expect([verdictOf(report), report.publication.status]).toEqual(["valid", "published"]);
  const named = requests.length;
  expect(toBook()).toBe(2);
  const other = await check({ [ONE]: { published }, [TWO]: { published } }, [], `0x${"0".repeat(64)}`);
  expect([verdictOf(other), other.publication.status, toBook()]).toEqual(["valid", "none", 0]);
  expect(requests.length).toBe(named - 2);
});

test.each<[string, string, Record<string, State>]>([
  ["no book", "no-book", { [OWN]: {} }],
  ["never published", "unpublished", { [OWN]: { published: [0, 0, 0, 0] } }],
  ["late", "late", { [OWN]: { published: [OCTOBER + 1, OCTOBER, 0, 0] } }],
  ["withdrawn", "withdrawn", { [OWN]: { published: [BEFORE, OCTOBER, 0, OCTOBER] } }],
  ["not for this month", "outside", { [OWN]: { published: [BEFORE, OCTOBER + 86_400 * 31, 0, 0] } }],
  ["odd", "unknown", { [OWN]: { published: [BEFORE] } }],
  ["refused", "unknown", { [OWN]: { published: new Error("only the ledger is read here") } }],
])("%s → %s, and the verdict stays", async (_, status, nodes) => {
  const report = await check(nodes, [OWN]);
  expect([verdictOf(report), report.publication.status]).toEqual(["valid", status]);
});

test("nodes that disagree about the book say nothing of it, and still of the root", async () => {
  const report = await check({ [ONE]: { published: [BEFORE, OCTOBER, 0, 0] }, [TWO]: {} });
  expect([verdictOf(report), report.publication.status]).toEqual(["valid", "unknown"]);
});

test("a node that fails there is still asked for the next bill's root", async () => {
  const { bundle, root } = makeBundle(LEDGER, [makeLine()], TARIFF);
  serve({ [OWN]: { root, published: new Error("no") } });
  const verifier = new Verifier({ nodes: [OWN], pins: [PIN], testnets: false, relay: null, deployments: [deployment()] });
  for (const name of ["one.json", "two.json"]) {
    const report = await verifier.verify(name, bytesOf(bundle));
    expect([verdictOf(report), report.publication.status]).toEqual(["valid", "unknown"]);
  }
});
