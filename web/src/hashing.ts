/** Recomputes documents: small ones at once, large ones in a worker, so that the page stays alive. */

import type { Invoice } from "./protocol/documents";
import { isBundle, SchemaError } from "./protocol/documents";
import { type Inclusion, include } from "./protocol/inclusion";
import HashWorker from "./worker?worker&inline";

/** About 200 ms of hashing. */
const MANY_LINES = 1000;

export type Answer = { inclusion: Inclusion } | { place: string; why: string };

export async function recompute(document: Invoice): Promise<Inclusion> {
  if (!isBundle(document) || document.records.length < MANY_LINES) return include(document);
  const worker = start();
  if (!worker) return include(document);
  try {
    const answer = await new Promise<Answer | null>((resolve) => {
      worker.onmessage = (event: MessageEvent<Answer>) => resolve(event.data);
      worker.onerror = () => resolve(null);
      worker.postMessage(document);
    });
    if (!answer) return include(document);
    if ("why" in answer) throw new SchemaError(answer.place, answer.why);
    return answer.inclusion;
  } finally {
    worker.terminate();
  }
}

function start(): Worker | null {
  try {
    return new HashWorker();
  } catch {
    return null;
  }
}
