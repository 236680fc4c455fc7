/** Merkle trees in the array layout of OpenZeppelin's merkle-tree library (docs/protocol.md, section 5). */

import { compareBytes } from "./hex";
import { type Bytes, keccak } from "./structs";

export function hashPair(a: Bytes, b: Bytes): Bytes {
  const pair = new Uint8Array(64);
  const swap = compareBytes(a, b) > 0;
  pair.set(swap ? b : a);
  pair.set(swap ? a : b, 32);
  return keccak(pair);
}

/** All 2n-1 nodes over n ≥ 1 leaves; node 0 is the root, leaf k is node 2n-2-k. */
export function buildTree(leaves: readonly Bytes[]): Bytes[] {
  const nodes = new Array<Bytes>(2 * leaves.length - 1);
  leaves.forEach((leaf, k) => (nodes[nodes.length - 1 - k] = leaf));
  for (let i = leaves.length - 2; i >= 0; i--) nodes[i] = hashPair(nodes[2 * i + 1]!, nodes[2 * i + 2]!);
  return nodes;
}

/** The siblings of leaf k on the way up. */
export function proofOf(nodes: readonly Bytes[], leaf: number): Bytes[] {
  const proof: Bytes[] = [];
  for (let node = nodes.length - 1 - leaf; node > 0; node = (node - 1) >> 1)
    proof.push(nodes[node % 2 ? node + 1 : node - 1]!);
  return proof;
}

export function rootFromProof(leaf: Bytes, proof: readonly Bytes[]): Bytes {
  return proof.reduce(hashPair, leaf);
}

/** log2(2n-1-k), rounded down. */
export function proofLength(count: bigint, index: bigint): number {
  return (2n * count - 1n - index).toString(2).length - 1;
}
