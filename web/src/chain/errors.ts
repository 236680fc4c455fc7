/** What keeps a root from being relied upon: a code that the reader's language has words for. */

export type Reason =
  // cannot check
  | "unknownChain"
  | "otherLedger"
  | "noNode"
  | "testnet"
  | "tooFew"
  | "nobody"
  | "disagree"
  | "fork"
  | "behind"
  | "stale"
  | "dead"
  | "timeout"
  | "http"
  | "large"
  | "notRpc"
  | "refused"
  | "wrongChain"
  | "noLedger"
  | "foreignCode"
  | "pruned"
  | "noFinality"
  | "odd"
  // not anchored
  | "missing"
  | "notFinal"
  | "ledgerNotFinal"
  | "noOperator";

const NOT_ANCHORED: Reason[] = ["missing", "notFinal", "ledgerNotFinal", "noOperator"];

export type Words = Record<string, string | number>;

export class ChainError extends Error {
  constructor(
    readonly reason: Reason,
    readonly words: Words = {},
  ) {
    super(`${reason} ${Object.values(words).join(" ")}`.trim());
  }

  get verdict(): "not-anchored" | "cannot-check" {
    return NOT_ANCHORED.includes(this.reason) ? "not-anchored" : "cannot-check";
  }
}

/** A node answered with an error object. */
export class RpcError extends ChainError {
  constructor(
    node: string,
    readonly rpcMessage: string,
  ) {
    super("refused", { node, detail: printable(rpcMessage, 120) });
  }
}

/** Text from strangers on one line, without control characters. */
export function printable(text: string, limit = 300): string {
  const clean = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, " ");
  return clean.length <= limit ? clean : `${clean.slice(0, limit)}…`;
}
