/**
 * What the reader chose, kept in this browser only. Private windows have no storage. Pages opened from the disk share
 * theirs with every other page from there, so that such a page keeps the language and nothing that a verdict rests on.
 */

import type { Pin } from "../chain/identity";

export interface Kept {
  language: string;
  node: string;
  testnets: boolean;
  pins: Pin[];
}

const NAME = "billproof/1";

export function load(): Kept {
  const kept: Kept = { language: "", node: "", testnets: false, pins: [] };
  try {
    const found: unknown = JSON.parse(localStorage.getItem(NAME) ?? "{}");
    if (typeof found !== "object" || found === null) return kept;
    const { language, node, testnets, pins } = found as Record<string, unknown>;
    if (typeof language === "string") kept.language = language;
    if (fromDisk()) return kept;
    if (typeof node === "string") kept.node = node;
    kept.testnets = testnets === true;
    if (Array.isArray(pins)) kept.pins = pins.filter(isPin);
  } catch {
    // nothing kept, or nothing that can be read
  }
  return kept;
}

export function save(kept: Kept): void {
  try {
    localStorage.setItem(NAME, JSON.stringify(fromDisk() ? { language: kept.language } : kept));
  } catch {
    // it holds for this visit then
  }
}

function fromDisk(): boolean {
  return location.protocol === "file:";
}

function isPin(value: unknown): value is Pin {
  if (typeof value !== "object" || value === null) return false;
  const { chainId, ledger, operatorId, name } = value as Record<string, unknown>;
  return [chainId, ledger, operatorId, name].every((text) => typeof text === "string");
}
