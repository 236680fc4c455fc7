/** A file → a phone log; which format it is, its content says (docs/handset.md). */

import { readAndroid } from "./android";
import { looksLikeCallLog, readCallLog } from "./calllog";
import { looksLikeFritzBox, readFritzBox } from "./fritzbox";
import { readIphone, SQLITE_MAGIC } from "./iphone";
import { openSheet } from "./sheets";
import { looksLikeSpreadsheet, readSpreadsheet } from "./spreadsheet";
import { latin1, plainText, wide, xmlText } from "./text";
import { PhoneLogError, type PhoneLog } from "./types";
import { isVoicePage, MAX_PAGE, VoiceReader } from "./voice";
import { Archive } from "./zip";

export type { Entry, PhoneLog, Reject } from "./types";
export { PhoneLogError } from "./types";

const HEAD = 65_536;
const MAX_FILE = 256 << 20;
const FILES = [".xml", ".csv", ".storedata"];
const PAGES = [".html", ".htm"];
/** Zero, blanks and the bytes of byte order marks: what a file of nothing may have. */
const NOTHING = new Set([0, 9, 10, 13, 32, 0xef, 0xbb, 0xbf, 0xff, 0xfe]);

/** Reads one phone log. Throws PhoneLogError for what cannot be used at all; single bad rows are in `rejects`. */
export async function readPhoneLog(name: string, bytes: Uint8Array): Promise<PhoneLog> {
  if (bytes.length > MAX_FILE) throw new PhoneLogError("too-large", `${name}: more than ${MAX_FILE >> 20} MiB`);
  const magic = latin1(bytes.subarray(0, 4));
  return magic === "PK\x03\x04" || magic === "PK\x05\x06" ? readArchive(name, bytes) : readFile(name, bytes);
}

async function readArchive(name: string, bytes: Uint8Array): Promise<PhoneLog> {
  const archive = new Archive(name, bytes);
  const logs: PhoneLog[] = [];
  for (const member of archive.named(FILES)) {
    logs.push(readFile(`${name}/${member.name}`, await archive.read(member, MAX_FILE)));
  }
  const pages = archive.named(PAGES);
  if (pages.length > 0) {
    const reader = new VoiceReader(name);
    for (const page of pages) reader.page(page.name, await archive.read(page, MAX_PAGE));
    const log = reader.log();
    if (log.entries.length > 0 || log.rejects.length > 0 || logs.length === 0) logs.push(log);
  }
  if (logs.length === 0) throw new PhoneLogError("archive", `${name}: holds no phone log`);
  if (logs.length > 1) {
    throw new PhoneLogError("archive", `${name}: holds ${logs.length} phone logs; unpack it and give them one by one`);
  }
  return logs[0]!;
}

function readFile(name: string, bytes: Uint8Array): PhoneLog {
  const head = bytes.subarray(0, HEAD);
  if (head.every((byte) => NOTHING.has(byte))) throw new PhoneLogError("empty", `${name}: is empty; export it again`);
  const magic = latin1(head.subarray(0, 16));
  if (magic.startsWith("%PDF")) {
    throw new PhoneLogError("pdf", `${name}: is a PDF; give a call log that the phone itself exported`);
  }
  if (magic === SQLITE_MAGIC) return readIphone(name, bytes);
  const start = startOf(head);
  if (start.startsWith("{")) {
    throw start.includes('"billproof/')
      ? new PhoneLogError("bundle", `${name}: is a proof file of Billproof, not a phone log`)
      : new PhoneLogError("unknown", `${name}: is JSON, not a phone log`);
  }
  if (start.startsWith("<")) return readMarkup(name, bytes, head, start);
  return readSheet(name, bytes);
}

/** The first characters, whatever their encoding, without mark or blanks. */
function startOf(head: Uint8Array): string {
  const text = new TextDecoder(wide(head) ?? "utf-8").decode(head);
  return text.replace(/^[\ufeff \t\r\n]+/, "").slice(0, 8192);
}

function readMarkup(name: string, bytes: Uint8Array, head: Uint8Array, start: string): PhoneLog {
  if (isVoicePage(head)) {
    if (bytes.length > MAX_PAGE) throw new PhoneLogError("too-large", `${name}: is too long for one page`);
    const reader = new VoiceReader(name);
    reader.page(name, bytes);
    return reader.log();
  }
  if (/^<(!doctype html|html)/i.test(start)) {
    throw new PhoneLogError("unknown", `${name}: is a web page, but none of Google Voice's`);
  }
  return readAndroid(name, xmlText(name, bytes));
}

function readSheet(name: string, bytes: Uint8Array): PhoneLog {
  const sheet = openSheet(name, plainText(name, bytes));
  if (!sheet) throw new PhoneLogError("unknown", `${name}: is of no known format`);
  if (looksLikeCallLog(sheet)) return readCallLog(sheet);
  if (looksLikeFritzBox(sheet)) return readFritzBox(sheet);
  if (looksLikeSpreadsheet(sheet)) return readSpreadsheet(sheet);
  const columns = sheet.header.slice(0, 20).join(", ").slice(0, 200);
  throw new PhoneLogError("unknown", `${name}: has columns of no known format: ${columns}`);
}
