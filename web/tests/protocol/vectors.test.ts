/** Every vector of tests/vectors: this implementation knows nothing of the Python one. */

import { expect, test } from "vitest";
import { type Invoice, parseDocument, SchemaError, UnusableError } from "../../src/protocol/documents";
import { concat, fromHex, toHex } from "../../src/protocol/hex";
import { include } from "../../src/protocol/inclusion";
import { accountKey, keySecret, prf, showsAbsence } from "../../src/protocol/keys";
import { ALL, BATCH_ID, hashStruct, keccak, keccakText, type Struct, SUBJECT, TOTALS, type Value } from "../../src/protocol/structs";
import { buildTree, proofLength, proofOf, rootFromProof } from "../../src/protocol/tree";
import { bytesOf, vectors } from "./vectors";

function value(kind: string, given: unknown): Value {
  if (kind === "Totals") {
    const opened = given as { total: string; salt: string };
    return hashStruct(TOTALS, [BigInt(opened.total), fromHex(opened.salt)]);
  }
  if (kind === "string") return given as string;
  return /^u?int/.test(kind) ? BigInt(given as string) : fromHex(given as string);
}

function hashMessage(type: Struct, message: Record<string, unknown>): string {
  return toHex(hashStruct(type, type.fields.map(([kind, name]) => value(kind, message[name]))));
}

test("type strings, type hashes and struct hashes", () => {
  const { types, cases } = vectors("structs");
  expect(ALL.length).toBe(Object.keys(types).length);
  for (const type of ALL) {
    expect(type.typeString).toBe(types[type.name].typeString);
    expect(toHex(type.typeHash)).toBe(types[type.name].typeHash);
  }
  for (const { type, message, hash } of cases)
    expect(hashMessage(ALL.find(({ name }) => name === type)!, message), type).toBe(hash);
});

test("values outside their type are refused", () => {
  const least = (field: number, kind: bigint): (() => Value) => () =>
    hashStruct(BATCH_ID, [1n, new Uint8Array(20), 0n, 0n, 0n, 0n].map((old, at) => (at === field ? kind : old)));
  expect(least(0, 1n << 256n)).toThrow();
  expect(least(2, 1n << 64n)).toThrow();
  expect(least(2, -1n)).toThrow();
  expect(() => hashStruct(TOTALS, [1n << 127n, new Uint8Array(32)])).toThrow();
  expect(() => hashStruct(TOTALS, [0n, new Uint8Array(31)])).toThrow();
});

test("trees and proofs", () => {
  const { roots, proofs } = vectors("trees");
  const word = (n: number): Uint8Array => fromHex(`0x${n.toString(16).padStart(64, "0")}`);
  const leaves = Array.from({ length: 70 }, (_, n) => keccak(word(n)));
  roots.forEach((root: string, n: number) => expect(toHex(buildTree(leaves.slice(0, n + 1))[0]!)).toBe(root));
  for (const { leaves: count, leaf, proof } of proofs) {
    const nodes = buildTree(leaves.slice(0, count));
    expect(proofOf(nodes, leaf).map(toHex)).toEqual(proof);
    expect(proofLength(BigInt(count), BigInt(leaf))).toBe(proof.length);
    expect(toHex(rootFromProof(leaves[leaf]!, proof.map(fromHex)))).toBe(roots[count - 1]);
  }
});

test("derivations, account keys, absences", () => {
  for (const { key, label, word, value: expected } of vectors("derivations").prf)
    expect(toHex(prf(fromHex(key), label, fromHex(word)))).toBe(expected);
  for (const { batch, accountId, accountSeed, holder, ...expected } of vectors("account-keys").cases) {
    const id = { ...batch };
    for (const name of ["chainId", "operatorId", "period", "region", "sequence"]) id[name] = BigInt(batch[name]);
    const secret = keySecret(fromHex(accountSeed), id);
    expect(hashMessage(BATCH_ID, batch)).toBe(expected.batchId);
    expect(toHex(secret)).toBe(expected.keySecret);
    expect(toHex(hashStruct(SUBJECT, [accountId, secret]))).toBe(expected.subject);
    expect(toHex(accountKey(accountId, secret, holder))).toBe(expected.account);
  }
  for (const { account, next, key, absent } of vectors("absences").cases)
    expect(showsAbsence(fromHex(account), fromHex(next), fromHex(key))).toBe(absent);
});

test("the batch: bundles and receipts lead to its root, salts follow from its secrets", () => {
  const batch = vectors("batch");
  const files = [...Object.values(batch.bundles), ...Object.values(batch.receipts)];
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) {
    const inclusion = include(parseDocument(bytesOf(file)) as Invoice);
    expect(inclusion.problems).toEqual([]);
    expect(inclusion.root).toBe(batch.root);
  }
  for (const [id, bundle] of Object.entries<any>(batch.bundles)) {
    const opening = prf(fromHex(batch.secrets.batchSecret), "billproof/opening-key", keccakText(id));
    bundle.records.forEach((record: { salt: string }, at: number) => {
      const word = new Uint8Array(32);
      word[31] = at;
      expect(toHex(prf(opening, "billproof/peer-salt", word))).toBe(record.salt);
    });
  }
  expect(toHex(keccak(new TextEncoder().encode(batch.manifest)))).toBe(batch.manifestHash);
  expect(concat(new Uint8Array(1), new Uint8Array(2)).length).toBe(3);
});

const tampered = vectors("tampered").cases as {
  of: string;
  path: (string | number)[];
  value: unknown;
  outcome: string;
  check?: string;
  line?: number | null;
}[];

test.each(tampered)("tampered $of $path → $outcome", ({ of, path, value: changed, outcome, check, line }) => {
  const batch = vectors("batch");
  const document = structuredClone(of === "bundle" ? batch.bundles["1001"] : batch.receipts[of.slice("receipt, ".length)]);
  let place = document;
  for (const key of path.slice(0, -1)) place = place[key];
  const last = path.at(-1)!;
  place[last] = changed;
  expect(outcomeOf(document, batch)).toEqual({ outcome, ...(outcome === "problem" ? { check, line } : {}) });
});

function outcomeOf(document: unknown, batch: any): object {
  try {
    const inclusion = include(parseDocument(bytesOf(document)) as Invoice);
    const name = Object.entries(batch.batch).every(([key, given]) => String((inclusion.batch as any)[key]) === given);
    if (!name) return { outcome: "batch" };
    const first = inclusion.problems[0];
    if (first) return { outcome: "problem", check: first.check, line: first.line };
    return { outcome: inclusion.root === batch.root ? "valid" : "root" };
  } catch (error) {
    if (error instanceof SchemaError) return { outcome: "schema" };
    if (error instanceof UnusableError) return { outcome: "unusable" };
    throw error;
  }
}
