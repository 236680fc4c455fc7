/**
 * Whether operator N of a ledger is who it says (docs/identity.md): pinned by the user, or ledger and domain
 * name each other. A browser cannot ask DNS: only the domain's file is looked at.
 */

import { printable } from "./errors";
import { limitedText } from "./rpc";
import { operatorState } from "./reads";
import type { RootLookup } from "./lookup";

export interface Pin {
  chainId: string;
  ledger: string;
  operatorId: string;
  name: string;
}

export type Triple = Omit<Pin, "name">;

export interface Identity {
  status: "pinned" | "bound" | "unbound" | "contradicted";
  /** Why, as a code: what the reader's language has words for. */
  how: "pinned" | "bound" | "noDomain" | "privateDomain" | "others" | "silent" | "badFile";
  name: string;
  domain: string;
}

export const SCHEMA = "billproof/domain-binding/1";
const WELL_KNOWN = "/.well-known/billproof.json";
const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
const PRIVATE =
  /\.(example|invalid|test|local|localhost|internal|home\.arpa|onion|lan)$/;
const MAX_FILE = 64 * 1024;
const MAX_OPERATORS = 1000;

export async function identify(lookup: RootLookup, operatorId: bigint, pins: Pin[]): Promise<Identity> {
  const { deployment } = lookup;
  const triple = {
    chainId: deployment.chainId.toString(),
    ledger: deployment.ledger,
    operatorId: operatorId.toString(),
  };
  const pin = pins.find((one) => same(one, triple));
  if (pin) return { status: "pinned", how: "pinned", name: pin.name, domain: "" };
  const state = await lookup.agreed((node, block) => operatorState(node, deployment, operatorId, block));
  return bind(printable(state.name, 200), state.domain, triple);
}

/** Asks the domain that the ledger names whether it names the operator as well. */
export async function bind(name: string, domain: string, triple: Triple, timeout = 5000): Promise<Identity> {
  const shown = printable(domain, 253);
  const found = (status: Identity["status"], how: Identity["how"]): Identity => ({ status, how, name, domain: shown });
  if (!domain) return found("unbound", "noDomain");
  if (!DOMAIN.test(domain) || PRIVATE.test(domain)) return found("unbound", "privateDomain");
  let text: string;
  try {
    text = await fetchFile(`https://${domain}${WELL_KNOWN}`, timeout);
  } catch {
    return found("unbound", "silent");
  }
  const named = parseBinding(text);
  if (!named) return found("unbound", "badFile");
  return named.some((one) => same(one, triple)) ? found("bound", "bound") : found("contradicted", "others");
}

async function fetchFile(url: string, timeout: number): Promise<string> {
  const answer = await fetch(url, {
    credentials: "omit",
    referrerPolicy: "no-referrer",
    cache: "no-store",
    signal: AbortSignal.timeout(timeout),
  });
  if (answer.status !== 200 || new URL(answer.url || url).origin !== new URL(url).origin) throw new Error("no file");
  return limitedText(answer, MAX_FILE);
}

/** The operators that a `billproof.json` names; null when it is not exactly of its form. */
export function parseBinding(text: string): Triple[] | null {
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    return null;
  }
  if (!hasKeys(tree, ["schema", "operators"]) || tree.schema !== SCHEMA) return null;
  const { operators } = tree;
  if (!Array.isArray(operators) || operators.length > MAX_OPERATORS) return null;
  return operators.every(isTriple) ? operators : null;
}

function isTriple(entry: unknown): entry is Triple {
  const number = /^[1-9][0-9]{0,18}$/;
  return (
    hasKeys(entry, ["chainId", "ledger", "operatorId"]) &&
    Object.values(entry).every((value) => typeof value === "string") &&
    number.test(entry.chainId as string) &&
    number.test(entry.operatorId as string) &&
    /^0x[0-9a-f]{40}$/.test(entry.ledger as string)
  );
}

function hasKeys(value: unknown, keys: string[]): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length === keys.length &&
    keys.every((key) => Object.hasOwn(value, key))
  );
}

function same(a: Triple, b: Triple): boolean {
  return a.chainId === b.chainId && a.ledger === b.ledger && a.operatorId === b.operatorId;
}
