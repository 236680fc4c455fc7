/** Bytes → text, in the encodings that exports come in. */

import { PhoneLogError } from "./types";

const XML_ENCODINGS: Record<string, "utf-8" | "latin-1"> = {
  "utf-8": "utf-8",
  utf8: "utf-8",
  "us-ascii": "utf-8",
  ascii: "utf-8",
  "iso-8859-1": "latin-1",
};
const DECLARED = /^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/;

/** Each byte one character. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

/** Which UTF-16 a byte order mark announces. */
export function wide(bytes: Uint8Array): "utf-16le" | "utf-16be" | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : null;
}

function strict(name: string, bytes: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new PhoneLogError("encoding", `${name}: its text is not ${encoding}`);
  }
}

function oneKindOfLineEnd(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

/** Text of a CSV: UTF-16 with a byte order mark, UTF-8, or else Latin-1. */
export function plainText(name: string, bytes: Uint8Array): string {
  const encoding = wide(bytes);
  let text: string;
  if (encoding) text = strict(name, bytes, encoding);
  else {
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      text = latin1(bytes);
    }
  }
  if (text.includes("\0")) throw new PhoneLogError("unknown", `${name}: is no text`);
  return oneKindOfLineEnd(text);
}

/** Text of an XML file, in the encoding that it declares. */
export function xmlText(name: string, bytes: Uint8Array): string {
  const encoding = wide(bytes);
  if (encoding) return oneKindOfLineEnd(strict(name, bytes, encoding));
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const declared = DECLARED.exec(latin1(bytes.subarray(marked ? 3 : 0, 512)))?.[1]?.toLowerCase() ?? "utf-8";
  const known = XML_ENCODINGS[declared];
  if (known === undefined) throw new PhoneLogError("encoding", `${name}: is written in ${declared}; save it as UTF-8`);
  return oneKindOfLineEnd(known === "utf-8" ? strict(name, bytes, "utf-8") : latin1(bytes));
}
