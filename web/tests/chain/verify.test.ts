import { expect, test } from "vitest";
import { overall, type Report, type Settings, Verifier, verdictOf } from "../../src/verify";
import * as words from "../../src/ui/words";
import { makeBundle, makeLine } from "../support/bundle";
import { bytesOf } from "../protocol/vectors";
import { batch, deployment, LEDGER, requests, type State, serve } from "./node";

const PIN = { chainId: "31337", ledger: LEDGER, operatorId: "1", name: "Meridian" };
const ONE = "https://one.test";
const TWO = "https://two.test";
const OWN = "https://mine.test";
const RELAY = "https://operator.test/rpc";
const PUBLIC = deployment({ kind: "public", endpoints: [] });
const BUNDLE = batch.bundles["1001"];

function verifier(changes: Partial<Settings> = {}): Verifier {
  return new Verifier({ nodes: [], pins: [PIN], testnets: false, relay: null, deployments: [deployment()], ...changes });
}

async function check(nodes: Record<string, State>, changes: Partial<Settings> = {}, file: unknown = BUNDLE): Promise<Report> {
  serve(nodes);
  return verifier(changes).verify("bill.json", bytesOf(file));
}

const summary = (report: Report): string => {
  const last = report.steps.find(({ verdict }) => verdict !== "valid") ?? report.steps.at(-1)!;
  return `${verdictOf(report)}: ${last.name} ${last.code}`;
};

test("two independent endpoints agree: valid, and only roots were asked for", async () => {
  const report = await check({ [ONE]: {}, [TWO]: {} });
  expect(summary(report)).toBe("valid: identity id.pinned");
  expect(report.steps.map(({ name }) => name)).toEqual(["file", "inclusion", "anchoring", "identity"]);
  expect(JSON.stringify(requests)).not.toContain("4930123456");
  expect(new Set(requests.map(({ method }) => method))).toEqual(
    new Set(["eth_chainId", "eth_getBlockByNumber", "eth_getCode", "eth_call"]),
  );
});

test("a receipt, and the user's own node alone", async () => {
  const receipt = Object.values(batch.receipts)[0];
  expect(summary(await check({ [OWN]: {} }, { nodes: [OWN] }, receipt))).toBe("valid: identity id.pinned");
});

test("a receipt is called one, and said to prove one line", async () => {
  const receipt = structuredClone(Object.values(batch.receipts)[0]) as any;
  const valid = await check({ [OWN]: {} }, { nodes: [OWN] }, receipt);
  expect(words.summary(valid, "valid")).toMatch(/^This is exactly the line that Meridian sealed .+ nothing of the rest of the bill\.$/);
  receipt.record.amount = "1";
  const changed = await check({ [OWN]: {} }, { nodes: [OWN] }, receipt);
  expect(verdictOf(changed)).toBe("invalid");
  expect(words.ofReceipt("verdict.invalid", changed)).toBe("verdict.invalid.receipt");
  expect(words.stepWords(changed.steps.at(-1)!, changed)).toMatch(/^The line does not lead to the seal/);
  expect(words.summary(await check({ [OWN]: {} }, { nodes: [OWN] }), "valid")).toMatch(/^This is exactly the bill/);
});

test("a receipt attached to pages lends them nothing", async () => {
  serve({ [OWN]: {} });
  const receipt = bytesOf(Object.values(batch.receipts)[0]);
  const report = await verifier({ nodes: [OWN] }).verify("bill.pdf", receipt, ["Total EUR 4,711.00"]);
  expect(verdictOf(report)).toBe("cannot-check");
  expect(report.steps[1]!.code).toBe("pageReceipt");
});

const CASES: [string, string, Record<string, State>, Partial<Settings>?][] = [
  ["one answers", "cannot-check: anchoring chain.tooFew", { [ONE]: {} }],
  ["nobody answers", "cannot-check: anchoring chain.nobody", {}],
  ["own node is dead", "cannot-check: anchoring chain.dead", {}, { nodes: [OWN] }],
  ["own node limits", "cannot-check: anchoring chain.http", { [OWN]: { fails: "status" } }, { nodes: [OWN] }],
  ["own node is a web page", "cannot-check: anchoring chain.notRpc", { [OWN]: { fails: "html" } }, { nodes: [OWN] }],
  ["own node is pruned", "cannot-check: anchoring chain.pruned", { [OWN]: { fails: "pruned" } }, { nodes: [OWN] }],
  ["own node serves another chain", "cannot-check: anchoring chain.wrongChain", { [OWN]: { chainId: 1 } }, { nodes: [OWN] }],
  ["no ledger there", "cannot-check: anchoring chain.noLedger", { [OWN]: { code: "0x" } }, { nodes: [OWN] }],
  ["another contract there", "cannot-check: anchoring chain.foreignCode", { [OWN]: { code: "0x6000" } }, { nodes: [OWN] }],
  ["they disagree", "cannot-check: anchoring chain.disagree", { [ONE]: {}, [TWO]: { root: `0x${"1".repeat(64)}` } }],
  ["they are on a fork", "cannot-check: anchoring chain.fork", { [ONE]: {}, [TWO]: { hash: `0x${"1".repeat(64)}` } }],
  ["one is behind", "cannot-check: anchoring chain.behind", { [ONE]: { since: 90 }, [TWO]: { block: 80, since: 90 } }],
  ["another root", "invalid: inclusion otherRoot", { [OWN]: { root: `0x${"1".repeat(64)}` } }, { nodes: [OWN] }],
  ["no batch", "not-anchored: anchoring chain.missing", { [OWN]: { since: Number.NaN } }, { nodes: [OWN] }],
  ["not final yet", "not-anchored: anchoring chain.notFinal", { [OWN]: { since: 200 } }, { nodes: [OWN] }],
  ["repudiated", "cannot-check: anchoring repudiated", { [OWN]: { flags: [1, 0] } }, { nodes: [OWN] }],
  ["ring fault", "cannot-check: anchoring ringFault", { [OWN]: { flags: [0, 1] } }, { nodes: [OWN] }],
  ["an amendment that raises", "invalid: inclusion problems", { [OWN]: { amends: 1 } }, { nodes: [OWN] }],
  ["nobody knows the operator", "cannot-check: identity id.noDomain", { [OWN]: {} }, { nodes: [OWN], pins: [] }],
  ["a private domain", "cannot-check: identity id.privateDomain", { [OWN]: { operator: { name: "M", domain: "m.example" } } }, { nodes: [OWN], pins: [] }],
  ["a silent domain", "cannot-check: identity id.silent", { [OWN]: { operator: { name: "M", domain: "m.org" } } }, { nodes: [OWN], pins: [] }],
  ["an unknown chain", "cannot-check: anchoring chain.unknownChain", {}, { deployments: [] }],
  ["another ledger", "cannot-check: anchoring chain.otherLedger", {}, { deployments: [deployment({ ledger: `0x${"1".repeat(40)}` })] }],
  ["a test network", "cannot-check: anchoring chain.testnet", {}, { deployments: [deployment({ kind: "testnet" })] }],
  ["no node is known", "cannot-check: anchoring chain.noNode", {}, { deployments: [deployment({ endpoints: [] })] }],
  ["same runner twice", "cannot-check: anchoring chain.tooFew", { [ONE]: {}, [TWO]: {} }, {
    deployments: [deployment({ endpoints: [ONE, TWO].map((url) => ({ url, operatedBy: "one" })) })],
  }],
  ["the operator's relay alone", "cannot-check: anchoring operatorOnly", { [RELAY]: {} }, { relay: RELAY }],
  ["the relay does not help against a liar", "cannot-check: anchoring chain.disagree", {
    [ONE]: {}, [TWO]: { root: `0x${"1".repeat(64)}` }, [RELAY]: {},
  }, { relay: RELAY }],
  ["the relay does not replace the user's node", "cannot-check: anchoring chain.dead", { [RELAY]: {} }, { relay: RELAY, nodes: [OWN] }],
  ["the relay named as own node", "cannot-check: anchoring operatorOnly", { [RELAY]: {} }, { relay: RELAY, nodes: [RELAY], deployments: [PUBLIC] }],
  ["another address of the relay's host", "cannot-check: anchoring operatorOnly", { "https://operator.test:8443": {} }, {
    relay: RELAY, nodes: ["https://OPERATOR.test:8443/"], deployments: [PUBLIC],
  }],
  ["an operator's relay, to a page from disk", "cannot-check: anchoring operatorOnly", { [OWN]: { relays: true } }, { nodes: [OWN], deployments: [PUBLIC] }],
  ["an own node beside the relay", "valid: identity id.pinned", { [OWN]: {} }, { relay: RELAY, nodes: [OWN], deployments: [PUBLIC] }],
  ["relays among the listed", "cannot-check: anchoring chain.tooFew", { [ONE]: {}, [TWO]: { relays: true } }],
];

test("the company's own server is accepted on a test chain, and said to be its own", async () => {
  for (const changes of [{ relay: RELAY, nodes: [RELAY] }, { nodes: [RELAY] }]) {
    const report = await check({ [RELAY]: { relays: true } }, changes);
    expect(summary(report)).toBe("valid: identity id.pinned");
    expect(report.steps.find(({ name }) => name === "anchoring")!.code).toBe("operatorTrial");
  }
});

test.each(CASES)("%s → %s", async (_, expected, nodes, changes) => {
  expect(summary(await check(nodes, changes))).toBe(expected);
});

test("a final block long past cannot show that a batch is missing", async () => {
  const real = deployment({ kind: "public", confirmations: null });
  const report = await check({ [OWN]: { since: 10 ** 9, block: 5 } }, { nodes: [OWN], deployments: [real] });
  expect(summary(report)).toBe("not-anchored: anchoring chain.notFinal");
  const missing = await check({ [OWN]: { since: Number.NaN } }, { nodes: [OWN], deployments: [real] });
  expect(summary(missing)).toBe("cannot-check: anchoring chain.stale");
});

test("ledger and domain name each other, or do not", async () => {
  const file = (operatorId: string) =>
    JSON.stringify({ schema: "billproof/domain-binding/1", operators: [{ chainId: "31337", ledger: LEDGER, operatorId }] });
  const url = "https://m.org/.well-known/billproof.json";
  const bound = async (text: string): Promise<string> => {
    serve({ [OWN]: { operator: { name: "M", domain: "m.org" } } }, { [url]: text });
    return summary(await verifier({ nodes: [OWN], pins: [] }).verify("bill.json", bytesOf(BUNDLE)));
  };
  expect(await bound(file("1"))).toBe("valid: identity id.bound");
  expect(await bound(file("2"))).toBe("cannot-check: identity id.others");
  expect(await bound(file("01"))).toBe("cannot-check: identity id.badFile");
  expect(await bound("<html>")).toBe("cannot-check: identity id.badFile");
});

test("no operator of that number", async () => {
  serve({ [OWN]: { operator: null } });
  const report = await verifier({ nodes: [OWN], pins: [] }).verify("bill.json", bytesOf(BUNDLE));
  expect(verdictOf(report)).toBe("cannot-check");
});

test("amendments of the batch are noted", async () => {
  const report = await check({ [OWN]: { later: { 2: 0, 3: 1 } } }, { nodes: [OWN] });
  expect(report.notes).toEqual([{ code: "amended", words: { batch: "0-3" } }]);
});

test("lines of an ordinary batch that raise the bill as corrections are noted", async () => {
  const raised = makeLine({ corrects: `0x${"ab".repeat(32)}` });
  const { bundle, root } = makeBundle(LEDGER, [makeLine(), raised, makeLine({ ...raised, amount: "-1" }), makeLine({ ...raised, amount: "1" })]);
  const report = await check({ [OWN]: { root } }, { nodes: [OWN] }, bundle);
  expect(report.notes).toEqual([{ code: "raising", words: { count: 2, lines: "2, 4" } }]);
});

test("unusable and invalid files ask nobody", async () => {
  serve({});
  const verify = (content: Uint8Array) => verifier().verify("x", content);
  expect(summary(await verify(bytesOf({ a: 1 })))).toBe("unusable: file file.foreign");
  expect(summary(await verify(bytesOf({ ...BUNDLE, more: "1" })))).toBe("invalid: file broken");
  const changed = structuredClone(BUNDLE);
  changed.records[1].amount = "1";
  const report = await verify(bytesOf(changed));
  expect(summary(report)).toBe("invalid: inclusion problems");
  expect(report.steps[1]!.problems.map(({ check, line }) => [check, line])).toEqual([["line", 1], ["total", null], ["lines root", null]]);
  expect(requests).toEqual([]);
  expect(overall([report, await verify(bytesOf({ a: 1 }))])).toBe("invalid");
});
