/**
 * The root of a batch, as far as it can be relied upon (docs/protocol.md, section 12, step 3): two independently
 * run endpoints agree at a block that both hold final, or the user chose the endpoint. Otherwise a `ChainError`.
 */

import type { Deployment } from "./deployments";
import { ChainError, type Words } from "./errors";
import {
  type BatchKey,
  type BatchState,
  batchState,
  type BlockRef,
  blockRef,
  finalBlock,
  hex,
  ledgerPresent,
  requireChain,
} from "./reads";
import type { Endpoint } from "./rpc";

/** Seconds: a public chain's final block older than this cannot show that a batch is missing. */
export const STALE_AFTER = 6 * 3600;

/** Who runs the operator's own relay. */
export const OPERATOR = "operator";

/** Who vouches: endpoints of the list, one the user chose, or nobody but the operator's own relay. */
export type Word = "independent" | "own" | "operator";

export interface RootAnswer {
  state: BatchState;
  block: BlockRef;
  answeredBy: string[];
  failed: ChainError[];
  word: Word;
}

export class RootLookup {
  private readonly failures = new Map<Endpoint, ChainError>();
  private readonly final = new Map<Endpoint, BlockRef>();
  private answering: Endpoint[] = [];
  private block: Promise<BlockRef> | null = null;

  constructor(
    private readonly endpoints: Endpoint[],
    readonly deployment: Deployment,
    readonly word: Word,
  ) {}

  /** Who vouches in the end: an operator's relay is its word, whoever named it, and never one of two. */
  private get vouched(): Word {
    return this.answering.every(({ operatedBy, relayed }) => relayed || operatedBy === OPERATOR) ? "operator" : this.word;
  }

  /** The batch, which exists; raises `missing` or `notFinal` when it does not. */
  async root(key: BatchKey): Promise<RootAnswer> {
    const state = await this.agreed((node, block) => batchState(node, this.deployment, key, block));
    const block = await this.commonBlock();
    if (!state.exists) await this.notThere(key, block);
    const answeredBy = this.answering.map(({ name }) => name);
    return { state, block, answeredBy, failed: [...this.failures.values()], word: this.vouched };
  }

  /** What `read` gives at the common final block, when all who answer agree. */
  async agreed<T>(read: (node: Endpoint, block: string) => Promise<T>): Promise<T> {
    const block = await this.commonBlock();
    const answers = await this.ask(this.answering, (node) => read(node, hex(block.number)));
    this.requireEnough();
    const [first, ...others] = answers;
    for (const other of others)
      if (words(other.value) !== words(first!.value))
        throw new ChainError("disagree", {
          first: first!.node.name,
          second: other.node.name,
          block: block.number.toString(),
        });
    return first!.value;
  }

  /** As `agreed`, of something that is said beside the verdict: who cannot answer it is not left out of what follows. */
  async aside<T>(read: (node: Endpoint, block: string) => Promise<T>): Promise<T> {
    const { answering } = this;
    const failed = new Map(this.failures);
    try {
      return await this.agreed(read);
    } finally {
      this.answering = answering;
      this.failures.clear();
      for (const [node, error] of failed) this.failures.set(node, error);
    }
  }

  private commonBlock(): Promise<BlockRef> {
    this.block ??= this.findBlock();
    return this.block;
  }

  private async findBlock(): Promise<BlockRef> {
    if (this.endpoints.length === 0) throw new ChainError("noNode", { chain: this.deployment.name });
    const found = await this.ask(this.endpoints, async (node) => {
      await requireChain(node, this.deployment);
      const final = await finalBlock(node, this.deployment);
      await this.requireLedger(node, final);
      return final;
    });
    for (const { node, value } of found) this.final.set(node, value);
    this.answering = found.map(({ node }) => node);
    this.requireEnough();
    const block = found.map(({ value }) => value).reduce((a, b) => (b.number < a.number ? b : a));
    for (const { node, value } of found) {
      const same = value.number === block.number ? value : ((await blockRef(node, hex(block.number))) ?? value);
      if (same.hash !== block.hash)
        throw new ChainError("fork", {
          first: this.answering[0]!.name,
          second: node.name,
          block: block.number.toString(),
        });
    }
    return block;
  }

  private async requireLedger(node: Endpoint, final: BlockRef): Promise<void> {
    const { name, ledger } = this.deployment;
    if (await ledgerPresent(node, this.deployment, hex(final.number))) return;
    if (await ledgerPresent(node, this.deployment, "latest")) throw new ChainError("ledgerNotFinal", { chain: name });
    throw new ChainError("noLedger", { chain: name, ledger, node: node.name });
  }

  /** Asks all at once. Who cannot be relied upon is left out from then on. */
  private async ask<T>(
    nodes: Endpoint[],
    read: (node: Endpoint) => Promise<T>,
  ): Promise<{ node: Endpoint; value: T }[]> {
    const settled = await Promise.allSettled(nodes.map(read));
    const answers: { node: Endpoint; value: T }[] = [];
    settled.forEach((outcome, at) => {
      const node = nodes[at]!;
      if (outcome.status === "fulfilled") {
        answers.push({ node, value: outcome.value });
        return;
      }
      const error: unknown = outcome.reason;
      if (!(error instanceof ChainError) || error.verdict !== "cannot-check") throw error;
      this.failures.set(node, error);
      this.answering = this.answering.filter((other) => other !== node);
    });
    return answers;
  }

  private requireEnough(): void {
    const { answering } = this;
    const failures = [...this.failures.values()];
    if (answering.length === 0 && this.endpoints.length === 1 && failures[0]) throw failures[0];
    const able = this.word === "independent" ? answering.filter(({ relayed }) => !relayed) : answering;
    const hosts = new Set(able.map(({ host }) => host)).size;
    const runners = new Set(able.map(({ operatedBy, host }) => operatedBy || host)).size;
    if (Math.min(hosts, runners) >= (this.word === "independent" ? 2 : 1)) return;
    const details: Words = { who: answering.map(({ name }) => name).join(", "), chain: this.deployment.name };
    throw new ChainError(answering.length ? "tooFew" : "nobody", details);
  }

  /** Tells apart: behind, not final, not there. Always raises. */
  private async notThere(key: BatchKey, block: BlockRef): Promise<never> {
    const { deployment } = this;
    const details: Words = { chain: deployment.name, block: block.number.toString(), node: this.answering[0]!.name };
    for (const node of this.answering) {
      const own = this.final.get(node)!;
      if (own.number > block.number && (await batchState(node, deployment, key, hex(own.number))).exists)
        throw new ChainError("behind", { ...details, node: node.name });
    }
    for (const node of this.answering) {
      const newest = await batchState(node, deployment, key);
      if (newest.exists) throw new ChainError("notFinal", { ...details, anchored: newest.blockNumber.toString() });
    }
    const real = deployment.kind === "public" || deployment.kind === "testnet";
    if (real && Date.now() / 1000 - block.time > STALE_AFTER) throw new ChainError("stale", details);
    throw new ChainError("missing", details);
  }
}

function words(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner));
}
