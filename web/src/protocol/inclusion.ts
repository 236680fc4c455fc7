/**
 * Bundle or receipt → the root it leads to, every hash recomputed from fields. Asks nobody
 * (docs/protocol.md, section 12, step 2).
 */

import { type Bundle, type BundleLine, type Invoice, isBundle, type Line, type Receipt, SchemaError } from "./documents";
import { fromHex, toHex } from "./hex";
import { accountKey } from "./keys";
import {
  ACCOUNT_ENTRY,
  type BatchId,
  type Bytes,
  CALL_RECORD,
  hashBatchId,
  hashStruct,
  keccakText,
  PEER,
  padded,
  RangeFault,
  STATEMENT,
  TOTALS,
} from "./structs";
import { buildTree, proofLength, rootFromProof } from "./tree";

export type ProblemCheck =
  | "account key"
  | "line order"
  | "line"
  | "line count"
  | "total"
  | "lines root"
  | "number"
  | "proof length"
  | "amendment";

/** Why a document is invalid. `line` is the record's index, or its place where lines are not in order; null for the whole. */
export interface Problem {
  check: ProblemCheck;
  line: number | null;
  /** How many lines are not there after `line`, or before the first. */
  missing?: number;
  /** What the words of the problem need: said and found. */
  said?: string;
  found?: string;
}

export interface Inclusion {
  batch: BatchId;
  account: string;
  statement: string;
  root: string;
  problems: Problem[];
}

const INT64 = 1n << 63n;
const ZERO = `0x${"0".repeat(64)}`;

export function batchOf(document: Invoice): BatchId {
  const { chainId, ledger, operatorId, period, region, sequence } = document.batch;
  const batch = {
    chainId: within("batch.chainId", chainId, 256n),
    ledger,
    operatorId: within("batch.operatorId", operatorId, 64n),
    period: within("batch.period", period, 32n),
    region: within("batch.region", region, 32n),
    sequence: within("batch.sequence", sequence, 32n),
  };
  return batch;
}

export function include(document: Invoice): Inclusion {
  return isBundle(document) ? includeBundle(document) : includeReceipt(document);
}

function includeBundle(bundle: Bundle): Inclusion {
  const batch = batchOf(bundle);
  const { account, statement, records } = bundle;
  const problems: Problem[] = [];
  if (toHex(accountKey(account.accountId, fromHex(account.keySecret), account.holder)) !== statement.account)
    problems.push({ check: "account key", line: null });
  const hashes = records.map((record, at) => hashLine(record, hashPeer(record), `records[${at}]`));
  const indexes = records.map(({ index }) => BigInt(index));
  const rising = isRising(records);
  records.forEach((record, at) => {
    const before = indexes[at - 1] ?? -1n;
    if (rising && indexes[at] !== before + 1n) {
      // Lines that were taken out: said once, where they are missing, not of each line that follows.
      problems.push({ check: "line order", line: at ? Number(before) : null, missing: Number(indexes[at]! - before - 1n) });
    } else if (!rising && record.index !== String(at)) problems.push({ check: "line order", line: at, said: record.index });
    if (toHex(hashes[at]!) !== record.hash) problems.push({ check: "line", line: rising ? Number(indexes[at]) : at });
  });
  if (statement.recordCount !== String(records.length))
    problems.push({ check: "line count", line: null, said: statement.recordCount, found: String(records.length) });
  const total = int64("statement.total", statement.total);
  const sum = records.reduce((partial, record) => partial + BigInt(record.amount), 0n);
  if (total !== sum) problems.push({ check: "total", line: null, said: statement.total, found: sum.toString() });
  const recordsRoot = buildTree(hashes)[0]!;
  if (toHex(recordsRoot) !== statement.recordsRoot) problems.push({ check: "lines root", line: null });
  const totals = hashStruct(TOTALS, [total, fromHex(statement.totalSalt)]);
  return toRoot(batch, statement, recordsRoot, totals, bundle.entry, problems);
}

/** Whether each line's index is greater than that of the line before it. */
function isRising(records: readonly BundleLine[]): boolean {
  return records.every(({ index }, at) => BigInt(index) > BigInt(records[at - 1]?.index ?? -1));
}

/** The line that a problem's `line` means: by its index where they rise, else by its place in the file. */
export function lineOfProblem({ records }: Bundle, line: number): BundleLine {
  return (isRising(records) ? records.find(({ index }) => Number(index) === line) : records[line]) ?? records[0]!;
}

function includeReceipt(receipt: Receipt): Inclusion {
  const batch = batchOf(receipt);
  const { record, statement } = receipt;
  const problems: Problem[] = [];
  const index = BigInt(record.index);
  const count = BigInt(statement.recordCount);
  const line = Number(index);
  if ((record.number === undefined) !== (record.salt === undefined))
    throw new SchemaError("record", "number and salt are both there or both left out");
  if (record.number !== undefined && record.salt !== undefined) {
    const peer = hashPeer({ number: record.number, salt: record.salt });
    if (toHex(peer) !== record.peer) problems.push({ check: "number", line });
  }
  if (index >= count)
    problems.push({ check: "line count", line, said: record.index, found: statement.recordCount });
  else if (receipt.recordProof.length !== proofLength(count, index)) problems.push({ check: "proof length", line });
  const leaf = hashLine(record, fromHex(record.peer), "record");
  const recordsRoot = rootFromProof(leaf, receipt.recordProof.map(fromHex));
  return toRoot(batch, statement, recordsRoot, fromHex(statement.totals), receipt.entry, problems);
}

/** What an amendment may not do: raise a total, or hold a line that corrects nothing. */
export function amendmentProblems(document: Invoice): Problem[] {
  const lines: Line[] = isBundle(document) ? document.records : [document.record];
  const problems: Problem[] = lines
    .filter((line) => line.corrects === ZERO)
    .map((line) => ({ check: "amendment", line: Number(line.index) }));
  if (isBundle(document) && BigInt(document.statement.total) > 0n) problems.push({ check: "amendment", line: null });
  return problems;
}

/** Lines that raise a bill as corrections of other lines: neither a phone's log nor a tariff is compared with them. */
export function raisingLines(document: Invoice): number[] {
  const lines: Line[] = isBundle(document) ? document.records : [document.record];
  return lines.filter(({ corrects, amount }) => corrects !== ZERO && BigInt(amount) > 0n).map(({ index }) => Number(index));
}

export function hashPeer(line: Pick<BundleLine, "number" | "salt">): Bytes {
  return hashStruct(PEER, [line.number, fromHex(line.salt)]);
}

/** `hashStruct(CallRecord)`; integers are of 64 bits in files, whatever the type allows. */
export function hashLine(line: Line, peer: Bytes, place = "record"): Bytes {
  const integer = (name: keyof Line): bigint => int64(`${place}.${name}`, line[name]);
  try {
    return hashStruct(CALL_RECORD, [
      integer("index"),
      integer("service"),
      integer("startedAt"),
      integer("utcOffset"),
      integer("usage"),
      integer("billedUsage"),
      peer,
      padded(line.network, 8),
      integer("amount"),
      rateHash(line.rate),
      fromHex(line.corrects),
    ]);
  } catch (error) {
    if (error instanceof RangeFault) throw new SchemaError(`${place}.${error.field}`, "the integer does not fit its type");
    throw error;
  }
}

const rates = new Map<string, Bytes>();

/** Rate lines repeat: each is hashed once. */
function rateHash(rate: string): Bytes {
  let hash = rates.get(rate);
  if (!hash) {
    if (rates.size > 10_000) rates.clear();
    rates.set(rate, (hash = keccakText(rate)));
  }
  return hash;
}

function toRoot(
  batch: BatchId,
  statement: Bundle["statement"] | Receipt["statement"],
  recordsRoot: Bytes,
  totals: Bytes,
  entry: { nextAccount: string; proof: string[] },
  problems: Problem[],
): Inclusion {
  const account = fromHex(statement.account);
  const statementHash = hashStruct(STATEMENT, [
    hashBatchId(batch),
    account,
    recordsRoot,
    within("statement.recordCount", statement.recordCount, 32n),
    padded(statement.currency, 3),
    fromHex(statement.tariff),
    totals,
  ]);
  const leaf = hashStruct(ACCOUNT_ENTRY, [account, fromHex(entry.nextAccount), statementHash]);
  const root = rootFromProof(leaf, entry.proof.map(fromHex));
  return { batch, account: statement.account, statement: toHex(statementHash), root: toHex(root), problems };
}

function within(place: string, text: string, bits: bigint): bigint {
  const number = BigInt(text);
  if (number >> bits) throw new SchemaError(place, `the integer does not fit ${bits} bits`);
  return number;
}

function int64(place: string, text: string): bigint {
  const number = BigInt(text);
  if (number < -INT64 || number >= INT64) throw new SchemaError(place, "the integer does not fit 64 bits");
  return number;
}
