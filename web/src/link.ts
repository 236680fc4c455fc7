/**
 * What a bill's QR code or link holds: `URL#d=<keccak256 of the file>`, and for small bills
 * `&z=<base64url of the zlib-packed file>`. A fragment is never sent to a server.
 */

import { MAX_BYTES } from "./protocol/documents";

export interface BillLink {
  digest: string;
  content: Uint8Array | null;
}

export class BrokenLink extends Error {}

/** null when the text has no such fragment. */
export async function readLink(text: string): Promise<BillLink | null> {
  const at = text.indexOf("#");
  if (at < 0) return null;
  const fields = new Map(text.slice(at + 1).split("&").map((field) => [field.slice(0, 2), field.slice(2)] as const));
  const digest = fields.get("d=");
  if (digest === undefined) return null;
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new BrokenLink();
  const packed = fields.get("z=");
  return { digest: `0x${digest}`, content: packed === undefined ? null : await unpack(packed) };
}

async function unpack(text: string): Promise<Uint8Array> {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const reader = stream.getReader();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let size = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > MAX_BYTES) throw new BrokenLink();
      parts.push(value);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  } catch {
    throw new BrokenLink();
  }
}
