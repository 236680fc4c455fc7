/** The worker's side of `hashing.ts`. */

import type { Answer } from "./hashing";
import { type Invoice, SchemaError } from "./protocol/documents";
import { include } from "./protocol/inclusion";

self.onmessage = (event: MessageEvent<Invoice>): void => {
  let answer: Answer;
  try {
    answer = { inclusion: include(event.data) };
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    answer = { place: error.place, why: error.why };
  }
  self.postMessage(answer);
};
