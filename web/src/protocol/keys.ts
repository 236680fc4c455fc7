/** Derived secrets, account keys, absence (docs/protocol.md, sections 6 and 8). */

import { compareBytes, concat, fromHex } from "./hex";
import { ACCOUNT_KEY, type BatchId, type Bytes, hashBatchId, hashStruct, KEY_SECRET, keccak, padded, SUBJECT } from "./structs";

/** PRF(key, label, word). */
export function prf(key: Bytes, label: string, word: Bytes): Bytes {
  return keccak(concat(key, padded(label, 32), word));
}

/** The key secret of an account's seed in a batch. */
export function keySecret(seed: Bytes, batch: BatchId): Bytes {
  return hashStruct(KEY_SECRET, [seed, hashBatchId(batch)]);
}

/** The account key that an opening gives. */
export function accountKey(accountId: string, secret: Bytes, holder: string): Bytes {
  return hashStruct(ACCOUNT_KEY, [hashStruct(SUBJECT, [accountId, secret]), fromHex(holder)]);
}

/** Whether an entry of the ring shows that no statement was committed under `key`. */
export function showsAbsence(account: Bytes, next: Bytes, key: Bytes): boolean {
  const after = compareBytes(key, account);
  const before = compareBytes(key, next);
  if (after === 0) return false;
  return compareBytes(account, next) < 0 ? after > 0 && before < 0 : after > 0 || before < 0;
}
