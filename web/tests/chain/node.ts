/** Nodes that exist only in the test: `fetch` answers JSON-RPC from a table. */

import { readFileSync } from "node:fs";
import type { Deployment } from "../../src/chain/deployments";
import { vectors } from "../protocol/vectors";

const artifact = JSON.parse(
  readFileSync(new URL("../../../src/billproof/ledger/artifacts/BillingLedger.json", import.meta.url), "utf8"),
);
export const batch = vectors("batch");
export const LEDGER: string = batch.batch.ledger;
export const BOOK = `0x${"b".repeat(40)}`;
const word = (value: string | number | bigint): string => BigInt(value).toString(16).padStart(64, "0");

export interface State {
  chainId?: number;
  block?: number;
  hash?: string;
  root?: string;
  amends?: number;
  flags?: [repudiated: number, ringFault: number];
  /** Block from which the batch is there. */
  since?: number;
  /** Sequences that exist besides 1, and what they amend. */
  later?: Record<number, number>;
  operator?: { name: string; domain: string } | null;
  code?: string;
  /** The four numbers of the tariff book; none: there is no book. */
  published?: number[] | Error;
  /** Its answers say that they are the operator's. */
  relays?: boolean;
  fails?: "dead" | "status" | "html" | "pruned";
}

export const requests: { url: string; method: string; to?: string }[] = [];

/** Replaces `fetch`: each origin is a node of its own; a `files` entry is a plain page. */
export function serve(nodes: Record<string, State>, files: Record<string, string> = {}): void {
  requests.length = 0;
  globalThis.fetch = (async (input: string, init?: RequestInit) => {
    const url = new URL(input);
    if (!init?.method) {
      requests.push({ url: input, method: "GET" });
      if (!(input in files)) throw new TypeError("Failed to fetch");
      return new Response(files[input], { status: 200 });
    }
    const { id, method, params } = JSON.parse(init.body as string);
    requests.push({ url: input, method, to: params[0]?.to });
    const state = nodes[url.origin + (url.pathname === "/" ? "" : url.pathname)];
    if (!state || state.fails === "dead") throw new TypeError("Failed to fetch");
    if (state.fails === "status") return new Response("no", { status: 429 });
    if (state.fails === "html") return new Response("<html>", { status: 200 });
    const answer = respond(state, method, params);
    const headers: HeadersInit = state.relays ? { "X-Billproof-Relay": "operator" } : {};
    const said = answer instanceof Error ? { error: { message: answer.message } } : { result: answer };
    return Response.json({ jsonrpc: "2.0", id, ...said }, { headers });
  }) as typeof fetch;
}

export function respond(state: State, method: string, params: any[]): unknown {
  const top = state.block ?? 100;
  if (method === "eth_chainId") return `0x${(state.chainId ?? 31337).toString(16)}`;
  if (method === "eth_getBlockByNumber") {
    const number = params[0].startsWith("0x") ? Number(params[0]) : top;
    return { number: `0x${number.toString(16)}`, hash: state.hash ?? `0x${word(number)}`, timestamp: "0x6a000000" };
  }
  if (method === "eth_getCode") return state.code ?? artifact.deployedBytecode;
  const at = params[1] === "latest" ? Number.POSITIVE_INFINITY : Number(params[1]);
  if (state.fails === "pruned") return new Error("missing trie node");
  const data: string = params[0].data;
  if (data.startsWith("0x5cb050f0")) return operator(state.operator === undefined ? { name: "Meridian", domain: "" } : state.operator);
  if (data.startsWith("0x49e0bc75")) {
    if (state.published instanceof Error) return state.published;
    return state.published ? `0x${state.published.map(word).join("")}` : "0x";
  }
  const sequence = Number(`0x${data.slice(-64)}`);
  const later = state.later?.[sequence];
  const exists = (sequence === 1 || later !== undefined) && at >= (state.since ?? 0);
  const root = state.root ?? batch.root;
  const [repudiated, ringFault] = state.flags ?? [0, 0];
  const fields = exists ? [root, 1793500000, 42, later ?? state.amends ?? 0, repudiated, ringFault] : [0, 0, 0, 0, 0, 0];
  return `0x${fields.map(word).join("")}`;
}

function operator(found: { name: string; domain: string } | null): string | Error {
  if (!found) return new Error("execution reverted");
  const text = (value: string): string => {
    const bytes = Buffer.from(value);
    return word(bytes.length) + bytes.toString("hex").padEnd(64 * Math.ceil(bytes.length / 32), "0");
  };
  const [name, domain, uri] = [text(found.name), text(found.domain), text("")];
  const first = 6 * 32;
  const offsets = [first, first + name.length / 2, first + (name.length + domain.length) / 2];
  return `0x${word(32)}${word(1)}${word(0)}${word(7)}${offsets.map(word).join("")}${name}${domain}${uri}`;
}

export function deployment(changes: Partial<Deployment> = {}): Deployment {
  return {
    chainId: 31337n,
    name: "the test chain",
    kind: "development",
    ledger: LEDGER,
    book: BOOK,
    confirmations: 0,
    endpoints: [
      { url: "https://one.test", operatedBy: "one" },
      { url: "https://two.test", operatedBy: "two" },
    ],
    ...changes,
  };
}
