/** The readers of other files: a bill's PDF, a phone's lists. */

import type { PhoneLog } from "./handset/types";

interface Pdf {
  readAttachment(content: Uint8Array): unknown;
}

interface Handset {
  readPhoneLog(name: string, content: Uint8Array): PhoneLog | Promise<PhoneLog>;
}

const PDF = Object.values(import.meta.glob<Pdf>("./readers/pdf.ts", { eager: true }))[0];
const HANDSET = Object.values(import.meta.glob<Handset>("./handset/index.ts", { eager: true }))[0];

/** The bundle inside a PDF; null when there is none. */
export async function bundleInPdf(content: Uint8Array): Promise<Uint8Array | null> {
  try {
    const found = await PDF?.readAttachment(content);
    if (found instanceof Uint8Array) return found;
    const inner = (found as { content?: unknown } | null | undefined)?.content;
    return inner instanceof Uint8Array ? inner : null;
  } catch {
    return null;
  }
}

export const readsPhoneLogs = HANDSET !== undefined;

export async function readPhoneLog(name: string, content: Uint8Array): Promise<PhoneLog> {
  if (!HANDSET) throw new Error("no reader");
  return HANDSET.readPhoneLog(name, content);
}
