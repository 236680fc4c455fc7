/** The nine EIP-712 struct types of the protocol and their hashes (docs/protocol.md, section 3). */

import { keccak256 } from "viem";
import { fromHex } from "./hex";

export type Bytes = Uint8Array;
/** Integers as bigint, byte strings as bytes, text as string; a nested struct as its hash. */
export type Value = bigint | string | Bytes;

export const keccak = (bytes: Bytes): Bytes => keccak256(bytes, "bytes");

const utf8 = new TextEncoder();
export const keccakText = (text: string): Bytes => keccak(utf8.encode(text));

export interface Struct {
  name: string;
  fields: readonly (readonly [type: string, name: string])[];
  typeString: string;
  typeHash: Bytes;
}

function struct(typeString: string): Struct {
  const [, name, list] = /^(\w+)\(([^)]*)\)/.exec(typeString)!;
  const fields = list!.split(",").map((field) => field.split(" ") as [string, string]);
  return { name: name!, fields, typeString, typeHash: keccakText(typeString) };
}

export const BATCH_ID = struct(
  "BatchId(uint256 chainId,address ledger,uint64 operatorId,uint32 period,uint32 region,uint32 sequence)",
);
export const PEER = struct("Peer(string number,bytes32 salt)");
export const CALL_RECORD = struct(
  "CallRecord(uint32 index,uint8 service,uint64 startedAt,int16 utcOffset,uint64 usage,uint64 billedUsage," +
    "bytes32 peer,bytes8 network,int128 amount,bytes32 rate,bytes32 corrects)",
);
export const TOTALS = struct("Totals(int128 total,bytes32 salt)");
export const STATEMENT = struct(
  "Statement(bytes32 batchId,bytes32 account,bytes32 recordsRoot,uint32 recordCount,bytes3 currency," +
    "bytes32 tariff,Totals totals)Totals(int128 total,bytes32 salt)",
);
export const ACCOUNT_ENTRY = struct("AccountEntry(bytes32 account,bytes32 nextAccount,bytes32 statement)");
export const ACCOUNT_KEY = struct("AccountKey(bytes32 subject,address holder)");
export const SUBJECT = struct("Subject(string accountId,bytes32 keySecret)");
export const KEY_SECRET = struct("KeySecret(bytes32 accountSeed,bytes32 batchId)");

export const ALL = [
  BATCH_ID,
  PEER,
  CALL_RECORD,
  TOTALS,
  STATEMENT,
  ACCOUNT_ENTRY,
  ACCOUNT_KEY,
  SUBJECT,
  KEY_SECRET,
];

/** A value lies outside its type. */
export class RangeFault extends Error {
  constructor(readonly field: string) {
    super(`${field} is outside its type`);
  }
}

/** `hashStruct`; the values in the order of the type's fields. */
export function hashStruct(type: Struct, values: readonly Value[]): Bytes {
  const message = new Uint8Array(32 * (values.length + 1));
  message.set(type.typeHash);
  for (let at = 0; at < values.length; at++) {
    const [kind, name] = type.fields[at]!;
    encode(message, 32 * (at + 1), kind, values[at]!, name);
  }
  return keccak(message);
}

function encode(message: Bytes, at: number, kind: string, value: Value, name: string): void {
  if (kind === "string") {
    message.set(keccakText(value as string), at);
  } else if (typeof value === "bigint") {
    writeInteger(message, at, kind, value, name);
  } else {
    const bytes = value as Bytes;
    const width = kind === "address" ? 20 : kind.startsWith("bytes") ? Number(kind.slice(5)) : 32;
    if (bytes.length !== width) throw new RangeFault(name);
    message.set(bytes, kind === "address" ? at + 12 : at);
  }
}

function writeInteger(message: Bytes, at: number, kind: string, value: bigint, name: string): void {
  const signed = kind.startsWith("int");
  const bits = BigInt(kind.replace(/\D+/, ""));
  const low = signed ? -(1n << (bits - 1n)) : 0n;
  const high = signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  if (value < low || value > high) throw new RangeFault(name);
  if (value < 0n) message.fill(0xff, at, at + 32);
  const view = new DataView(message.buffer);
  let rest = BigInt.asUintN(256, value);
  for (let word = 3; word >= 0 && (rest !== 0n || value < 0n); word--) {
    view.setBigUint64(at + 8 * word, BigInt.asUintN(64, rest));
    rest >>= 64n;
  }
}

/** ASCII padded right with zero bytes. */
export function padded(text: string, width: number): Bytes {
  const bytes = new Uint8Array(width);
  bytes.set(utf8.encode(text));
  return bytes;
}

export interface BatchId {
  chainId: bigint;
  ledger: string;
  operatorId: bigint;
  period: bigint;
  region: bigint;
  sequence: bigint;
}

export function hashBatchId(batch: BatchId): Bytes {
  const { chainId, ledger, operatorId, period, region, sequence } = batch;
  return hashStruct(BATCH_ID, [chainId, fromHex(ledger), operatorId, period, region, sequence]);
}
