import { readFileSync } from "node:fs";

export function vectors(name: string): any {
  return JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), "utf8"));
}

export const bytesOf = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document));
