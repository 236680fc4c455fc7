/** What a reader may give instead of a bundle's own file: the PDF, a code, a link. Each leads to a document's bytes. */

import { type BillLink, readLink } from "./link";
import { PREFIX, readReceiptCode } from "./readers/receiptcode";

/** Why something cannot be a bill, before anything of it is checked. */
export type Refusal =
  | "read" | "phoneLog" | "tariff" | "noCode" | "foreignCode" | "brokenLink" | "pdfNone" | "pdfBroken"
  | "archive" | "brokenLog" | "web" | "markup" | "text";

/** What a file is that cannot be a bill's proof; null when it may be one, or nobody can tell. */
export function otherKind(content: Uint8Array): Refusal | null {
  const head = content.subarray(0, 8192);
  if (head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4) return "archive";
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true }).trimStart();
  } catch {
    return null;
  }
  if (text.startsWith("<")) {
    if (/<(calls|smses)[\s>]/.test(text)) return "brokenLog";
    return /^<(!doctype html|html)/i.test(text) ? "web" : "markup";
  }
  const words = /^[\p{L}\p{N}#"'+;(-]/u.test(text) && !/[\0-\x08\x0e-\x1f]/.test(text);
  return words ? "text" : null;
}

/** The document in a code's text; `content` is null when the code only names it. */
export interface Coded {
  content: Uint8Array | null;
  /** keccak256 of the file that is meant, when the code says so. */
  digest: string | null;
}

/** null when the text is no code of ours. Raises what the readers raise for damaged ones. */
export async function readCode(text: string): Promise<Coded | null> {
  if (text.trimStart().startsWith(PREFIX)) {
    const receipt = await readReceiptCode(text);
    return { content: new TextEncoder().encode(JSON.stringify(receipt)), digest: null };
  }
  const link: BillLink | null = await readLink(text);
  return link;
}
