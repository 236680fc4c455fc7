/** The files of the protocol (docs/protocol.md, section 11): bundle, receipt, account key; strictly read. */

import { type Json, NotJson, parseJson, TooDeep } from "./json";

/** Larger files are none of ours. */
export const MAX_BYTES = 256 * 1024 * 1024;
const MAX_DEPTH = 16;

export interface BatchFields {
  chainId: string;
  ledger: string;
  operatorId: string;
  period: string;
  region: string;
  sequence: string;
}

export interface Line {
  index: string;
  service: string;
  startedAt: string;
  utcOffset: string;
  usage: string;
  billedUsage: string;
  network: string;
  amount: string;
  rate: string;
  corrects: string;
}

export interface BundleLine extends Line {
  number: string;
  salt: string;
  hash: string;
}

export interface ReceiptLine extends Line {
  peer: string;
  number?: string;
  salt?: string;
}

export interface Entry {
  nextAccount: string;
  proof: string[];
}

export interface Bundle {
  schema: "billproof/bundle/1";
  batch: BatchFields;
  account: { accountId: string; keySecret: string; holder: string };
  statement: {
    account: string;
    recordsRoot: string;
    recordCount: string;
    currency: string;
    tariff: string;
    total: string;
    totalSalt: string;
  };
  records: BundleLine[];
  entry: Entry;
}

export interface Receipt {
  schema: "billproof/receipt/1";
  batch: BatchFields;
  statement: { account: string; recordCount: string; currency: string; tariff: string; totals: string };
  record: ReceiptLine;
  recordProof: string[];
  entry: Entry;
}

export interface AccountKeyFile {
  schema: "billproof/account-key/1";
  chainId: string;
  ledger: string;
  operatorId: string;
  accountId: string;
  accountSeed: string;
  holder: string;
}

export type Invoice = Bundle | Receipt;

/** The file claims one of our formats and breaks it: invalid. `place` names the field, `why` the rule. */
export class SchemaError extends Error {
  constructor(
    readonly place: string,
    readonly why: string,
  ) {
    super(`${why}${place ? ` - at ${place}` : ""}`);
  }
}

export type UnusableCode = "empty" | "large" | "deep" | "text" | "json" | "foreign" | "kind";

/** The file is none of ours. */
export class UnusableError extends Error {
  constructor(
    readonly code: UnusableCode,
    readonly detail = "",
  ) {
    super(`${code} ${detail}`);
  }
}

type Check = (value: Json, place: string) => void;

function text(pattern: RegExp, what: string): Check {
  return (value, place) => {
    if (typeof value !== "string" || !pattern.test(value)) throw new SchemaError(place, what);
  };
}

function short(least: number, most: number): Check {
  return (value, place) => {
    if (typeof value !== "string") throw new SchemaError(place, "a text is expected");
    const size = value.length <= most && value.length >= least ? value.length : [...value].length;
    if (size < least || size > most) throw new SchemaError(place, `a text of ${least} to ${most} characters`);
  };
}

function list(item: Check, least: number, most: number): Check {
  return (value, place) => {
    if (!Array.isArray(value) || value.length < least || value.length > most)
      throw new SchemaError(place, "a list of another length is expected");
    value.forEach((one, at) => item(one, `${place}[${at}]`));
  };
}

function object(fields: Record<string, Check>, optional: string[] = []): Check {
  const names = Object.keys(fields);
  return (value, place) => {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new SchemaError(place, "an object is expected");
    for (const key of Object.keys(value))
      if (!Object.hasOwn(fields, key)) throw new SchemaError(place, `unknown key ${JSON.stringify(key.slice(0, 60))}`);
    for (const name of names) {
      const inner = value[name];
      if (inner !== undefined) fields[name]!(inner, place ? `${place}.${name}` : name);
      else if (!optional.includes(name)) throw new SchemaError(place, `the key "${name}" is missing`);
    }
  };
}

const HASH = text(/^0x[0-9a-f]{64}$/, "32 bytes in lower-case hex are expected");
const ADDRESS = text(/^0x[0-9a-f]{40}$/, "20 bytes in lower-case hex are expected");
const UNSIGNED = text(/^(0|[1-9][0-9]{0,18})$/, "an integer below 2^63 is expected, canonical decimal");
const SIGNED = text(/^(0|-?[1-9][0-9]{0,18})$/, "an integer within 64 bits is expected, canonical decimal");
const CHAIN = text(/^[1-9][0-9]{0,77}$/, "a chain id is expected, canonical decimal");
const PERIOD = text(/^[2-9][0-9]{3}(0[1-9]|1[0-2])$/, "a month is expected, YYYYMM");
const CURRENCY = text(/^[A-Z]{3}$/, "three letters A-Z are expected");
const NETWORK = text(/^([0-9]{3}-[0-9]{2,3})?$/, "a network is expected, MCC-MNC");
const PROOF = list(HASH, 0, 40);
const ANY: Check = () => {};

const BATCH = object({
  chainId: CHAIN,
  ledger: ADDRESS,
  operatorId: UNSIGNED,
  period: PERIOD,
  region: UNSIGNED,
  sequence: UNSIGNED,
});
const LINE = {
  index: UNSIGNED,
  service: UNSIGNED,
  startedAt: UNSIGNED,
  utcOffset: SIGNED,
  usage: UNSIGNED,
  billedUsage: UNSIGNED,
  network: NETWORK,
  amount: SIGNED,
  rate: short(0, 512),
  corrects: HASH,
};
const ENTRY = object({ nextAccount: HASH, proof: PROOF });

const KINDS: Record<string, Check> = {
  "billproof/bundle/1": object({
    schema: ANY,
    batch: BATCH,
    account: object({ accountId: short(1, 256), keySecret: HASH, holder: ADDRESS }),
    statement: object({
      account: HASH,
      recordsRoot: HASH,
      recordCount: UNSIGNED,
      currency: CURRENCY,
      tariff: HASH,
      total: SIGNED,
      totalSalt: HASH,
    }),
    records: list(object({ ...LINE, number: short(0, 128), salt: HASH, hash: HASH }), 1, Number.MAX_SAFE_INTEGER),
    entry: ENTRY,
  }),
  "billproof/receipt/1": object({
    schema: ANY,
    batch: BATCH,
    statement: object({ account: HASH, recordCount: UNSIGNED, currency: CURRENCY, tariff: HASH, totals: HASH }),
    record: object({ ...LINE, peer: HASH, number: short(0, 128), salt: HASH }, ["number", "salt"]),
    recordProof: PROOF,
    entry: ENTRY,
  }),
  "billproof/account-key/1": object({
    schema: ANY,
    chainId: CHAIN,
    ledger: ADDRESS,
    operatorId: UNSIGNED,
    accountId: short(1, 256),
    accountSeed: HASH,
    holder: ADDRESS,
  }),
};

/** The document in a file's bytes. Raises `UnusableError` or `SchemaError`. */
export function parseDocument(content: Uint8Array): Invoice | AccountKeyFile {
  if (content.length === 0) throw new UnusableError("empty");
  if (content.length > MAX_BYTES) throw new UnusableError("large");
  const { value, faults } = read(content);
  const claim = typeof value === "object" && value !== null && !Array.isArray(value) ? value.schema : undefined;
  if (typeof claim !== "string" || !claim.startsWith("billproof/")) throw new UnusableError("foreign");
  if (!Object.hasOwn(KINDS, claim)) throw new UnusableError("kind", claim.slice(0, 80));
  const fault = faults[0];
  if (fault) throw new SchemaError(fault.key.slice(0, 60), FAULTS[fault.code]);
  KINDS[claim]!(value, "");
  return value as unknown as Invoice | AccountKeyFile;
}

const FAULTS = {
  repeated: "this key is there twice",
  null: "null: the key must be left out",
  surrogate: "half a character",
  number: "no number of JSON",
};

function read(content: Uint8Array): ReturnType<typeof parseJson> {
  let decoded: string;
  try {
    decoded = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new UnusableError("text");
  }
  try {
    return parseJson(decoded, MAX_DEPTH);
  } catch (error) {
    if (error instanceof NotJson) throw new UnusableError("json", error.message);
    if (error instanceof TooDeep) throw new UnusableError("deep");
    throw error;
  }
}

export function isBundle(document: Invoice): document is Bundle {
  return document.schema === "billproof/bundle/1";
}
