/** What a reader may give instead of a bundle's own file: the PDF, a code, a link. Each leads to a document's bytes. */

import { type BillLink, readLink } from "./link";
import { PREFIX, readReceiptCode } from "./readers/receiptcode";

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
