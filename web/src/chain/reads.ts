/** The few reads that a verifier makes, encoded by hand. Every odd answer is an error of the node's. */

import ledger from "virtual:ledger";
import { fromHex, toHex } from "../protocol/hex";
import { keccak } from "../protocol/structs";
import { OddAnswer, readTariffState, tariffCall, type TariffState } from "../tariff/publication";
import type { Deployment } from "./deployments";
import { ChainError, RpcError } from "./errors";
import type { Endpoint } from "./rpc";

const GET_BATCH = "0xcdc22ff8";
const GET_OPERATOR = "0x5cb050f0";
const OPERATOR_COUNT = "0x7c6f3158";
/** UTC seconds: the year 10000. */
const END_OF_TIME = 253_402_300_800n;
const TEXT_LIMIT = 4096n;
const PRUNED = /missing trie node|state.{0,40}(not available|unavailable|pruned)|historical state|pruned|archive/i;
const UNKNOWN_BLOCK = /(header|block)( with.{0,20})? not found|unknown block|no block|BlockOutOfRange/i;

export interface BatchKey {
  operatorId: bigint;
  period: bigint;
  region: bigint;
  sequence: bigint;
}

export interface BatchState {
  root: string;
  anchoredAt: number;
  blockNumber: bigint;
  amends: bigint;
  repudiated: boolean;
  ringFault: boolean;
  exists: boolean;
}

export interface BlockRef {
  number: bigint;
  hash: string;
  time: number;
}

export interface OperatorState {
  name: string;
  domain: string;
}

export const hex = (number: bigint): string => `0x${number.toString(16)}`;

export async function requireChain(node: Endpoint, deployment: Deployment): Promise<void> {
  const found = quantity(node, await node.request("eth_chainId", []), 64n);
  if (found !== deployment.chainId)
    throw new ChainError("wrongChain", { node: node.name, found: found.toString(), chain: deployment.name });
}

/** Whether our ledger's code is at its address; false when there is no contract. */
export async function ledgerPresent(node: Endpoint, deployment: Deployment, block: string): Promise<boolean> {
  const answer = await stateCall(node, "eth_getCode", [deployment.ledger, block]);
  if (typeof answer !== "string" || !/^0x([0-9a-f]{2})*$/.test(answer)) throw odd(node, "eth_getCode");
  if (answer === "0x") return false;
  const code = fromHex(answer);
  if (code.length === ledger.codeLength) {
    for (const [start, length] of ledger.immutables) code.fill(0, start, start + length);
    if (toHex(keccak(code)) === ledger.codeHash) return true;
  }
  throw new ChainError("foreignCode", { node: node.name, chain: deployment.name, ledger: deployment.ledger });
}

export async function batchState(
  node: Endpoint,
  deployment: Deployment,
  key: BatchKey,
  block = "latest",
): Promise<BatchState> {
  const { operatorId, period, region, sequence } = key;
  const words = await view(node, deployment, GET_BATCH, [operatorId, period, region, sequence], block);
  const [root, time, number, amends, repudiated, ringFault] = words;
  if (words.length !== 6 || time! >= END_OF_TIME || number! >> 64n || amends! >> 32n || repudiated! > 1n || ringFault! > 1n)
    throw odd(node, "getBatch");
  const exists = root !== 0n;
  if (!exists && words.some((word) => word !== 0n)) throw odd(node, "getBatch");
  return {
    root: `0x${root!.toString(16).padStart(64, "0")}`,
    anchoredAt: Number(time),
    blockNumber: number!,
    amends: amends!,
    repudiated: repudiated === 1n,
    ringFault: ringFault === 1n,
    exists,
  };
}

export async function operatorState(
  node: Endpoint,
  deployment: Deployment,
  operatorId: bigint,
  block: string,
): Promise<OperatorState> {
  let words: bigint[];
  try {
    words = await view(node, deployment, GET_OPERATOR, [operatorId], block);
  } catch (error) {
    // Some nodes give no revert data; being out of the numbers says the same.
    if (!(error instanceof RpcError)) throw error;
    const count = await view(node, deployment, OPERATOR_COUNT, [], block);
    if (count.length === 1 && (operatorId < 1n || operatorId > count[0]!)) throw unknownOperator(operatorId, deployment);
    throw error;
  }
  const heap = words.slice(1);
  if (heap.length < 6 || words[0] !== 32n || heap[0]! >> 160n) throw odd(node, "getOperator");
  if (heap[0] === 0n) throw unknownOperator(operatorId, deployment);
  return { name: text(node, heap, heap[3]!), domain: text(node, heap, heap[4]!) };
}

/** An operator's version of a tariff; null: no book is beside the ledger. */
export async function tariffState(
  node: Endpoint,
  { book }: Deployment,
  operatorId: bigint,
  tariff: string,
  block: string,
): Promise<TariffState | null> {
  const answer = await stateCall(node, "eth_call", [{ to: book, data: tariffCall(operatorId, tariff) }, block]);
  try {
    return readTariffState(answer);
  } catch (error) {
    if (error instanceof OddAnswer) throw odd(node, "tariffOf");
    throw error;
  }
}

export async function blockRef(node: Endpoint, block: string): Promise<BlockRef | null> {
  const answer = await node.request("eth_getBlockByNumber", [block, false]);
  if (answer === null) return null;
  const { number, hash, timestamp } = (typeof answer === "object" ? answer : {}) as Record<string, unknown>;
  if (typeof hash !== "string" || !/^0x[0-9a-f]{64}$/.test(hash)) throw odd(node, "eth_getBlockByNumber");
  const time = quantity(node, timestamp, 64n);
  if (time >= END_OF_TIME) throw odd(node, "eth_getBlockByNumber");
  return { number: quantity(node, number, 64n), hash, time: Number(time) };
}

/** The newest block that counts as final by the deployment's rule. */
export async function finalBlock(node: Endpoint, deployment: Deployment): Promise<BlockRef> {
  const { confirmations } = deployment;
  if (confirmations === null) {
    let found: BlockRef | null = null;
    try {
      found = await blockRef(node, "finalized");
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
    }
    if (!found) throw new ChainError("noFinality", { node: node.name });
    return found;
  }
  let newest = await blockRef(node, "latest");
  if (newest && confirmations > 0) {
    const number = newest.number - BigInt(confirmations);
    newest = await blockRef(node, hex(number > 0n ? number : 0n));
  }
  if (!newest) throw odd(node, "eth_getBlockByNumber");
  return newest;
}

async function view(
  node: Endpoint,
  deployment: Deployment,
  selector: string,
  args: bigint[],
  block: string,
): Promise<bigint[]> {
  const data = selector + args.map((arg) => arg.toString(16).padStart(64, "0")).join("");
  const answer = await stateCall(node, "eth_call", [{ to: deployment.ledger, data }, block]);
  if (typeof answer !== "string" || !/^0x([0-9a-fA-F]{64})+$/.test(answer)) throw odd(node, "eth_call");
  return answer.slice(2).match(/.{64}/g)!.map((word) => BigInt(`0x${word}`));
}

async function stateCall(node: Endpoint, method: string, params: unknown[]): Promise<unknown> {
  try {
    return await node.request(method, params);
  } catch (error) {
    if (error instanceof RpcError && (PRUNED.test(error.rpcMessage) || UNKNOWN_BLOCK.test(error.rpcMessage)))
      throw new ChainError("pruned", { node: node.name });
    throw error;
  }
}

/** A string that begins `offset` bytes into the heap, cut: anybody may store a longer one. */
function text(node: Endpoint, heap: bigint[], offset: bigint): string {
  const start = offset / 32n;
  if (offset % 32n !== 0n || start >= BigInt(heap.length)) throw odd(node, "getOperator");
  const room = heap.slice(Number(start) + 1);
  const size = heap[Number(start)]!;
  if (size > 32n * BigInt(room.length)) throw odd(node, "getOperator");
  const cut = Number(size < TEXT_LIMIT ? size : TEXT_LIMIT);
  const words = room.slice(0, Math.ceil(cut / 32)).map((word) => word.toString(16).padStart(64, "0"));
  return new TextDecoder().decode(fromHex(`0x${words.join("")}`).slice(0, cut));
}

function quantity(node: Endpoint, value: unknown, bits: bigint): bigint {
  if (typeof value !== "string" || !/^0x[0-9a-f]{1,64}$/.test(value) || BigInt(value) >> bits) throw odd(node, "a number");
  return BigInt(value);
}

function odd(node: Endpoint, asked: string): ChainError {
  return new ChainError("odd", { node: node.name, asked });
}

function unknownOperator(operatorId: bigint, deployment: Deployment): ChainError {
  return new ChainError("noOperator", { operator: operatorId.toString(), chain: deployment.name });
}
