/** Backups of the Android app "SMS Backup & Restore", and what Android's call log columns mean wherever they stand. */

import { Collector } from "./collector";
import { RowError } from "./problems";
import { PhoneLogError, type Entry, type PhoneLog } from "./types";
import { answeredBy, cleanNumber, duration, milliseconds, segments, short, whole } from "./values";
import { parseXml } from "./xml";

type Side = Pick<Entry, "direction" | "answered">;

const CALLS: Record<string, { direction: Entry["direction"]; answered: Entry["answered"] | null }> = {
  "1": { direction: "in", answered: "yes" },
  "2": { direction: "out", answered: null },
  "3": { direction: "in", answered: "no" },
  "4": { direction: "in", answered: "no" },
  "5": { direction: "in", answered: "no" },
  "6": { direction: "in", answered: "no" },
  "7": { direction: "in", answered: "yes" },
};
/** Answered on another device, whose log has the duration. */
const ELSEWHERE = "7";
/** Boxes of messages; null: drafts. */
const BOXES: Record<string, Side | null> = {
  "1": { direction: "in", answered: "yes" },
  "2": { direction: "out", answered: "yes" },
  "3": null,
  "4": { direction: "out", answered: "unknown" },
  "5": { direction: "out", answered: "no" },
  "6": { direction: "out", answered: "unknown" },
};
const NOBODY = "insert-address-token";
const FROM = "137";
const MAX_RECIPIENTS = 100;

type Row = ReadonlyMap<string, string>;

export function readAndroid(name: string, text: string): PhoneLog {
  const collector = new Collector(name);
  let root = "";
  let exportedAt: number | null = null;
  let mms: { row: Row; line: number; senders: string[] } | null = null;
  parseXml(name, text, {
    start(tag, row, line) {
      if (tag === "call") collector.add(line, () => callOf(row));
      else if (tag === "sms") collector.add(line, () => messageOf(row));
      else if (tag === "mms") mms = { row, line, senders: [] };
      else if (tag === "addr" && mms && mms.senders.length < MAX_RECIPIENTS) {
        const address = row.get("address") ?? NOBODY;
        if (row.get("type") === FROM && address !== NOBODY) mms.senders.push(address);
      } else if (root === "") {
        if (tag !== "calls" && tag !== "smses") {
          throw new PhoneLogError("unknown", `${name}: begins with <${tag.slice(0, 40)}>, not with <calls> or <smses>`);
        }
        root = tag;
        exportedAt = exportTime(row.get("backup_date"));
      }
    },
    end(tag) {
      if (tag !== "mms" || !mms) return;
      const { row, line, senders } = mms;
      collector.add(line, () => multimediaOf(row, senders));
      mms = null;
    },
  });
  return collector.log("sms-backup-restore", { exportedAt });
}

function exportTime(text: string | undefined): number | null {
  try {
    return milliseconds("backup_date", text);
  } catch (problem) {
    if (problem instanceof RowError) return null;
    throw problem;
  }
}

/** One row of Android's call log. */
export function callOf(row: Row): Entry {
  const type = row.get("type") ?? "";
  const side = Object.hasOwn(CALLS, type) ? CALLS[type]! : undefined;
  if (!side) throw new RowError("type", "is not a type of call from 1 to 7");
  const at = milliseconds("date", row.get("date"));
  const text = row.get("duration") ?? "";
  let seconds = text === "" ? -1 : duration("duration", whole("duration", text));
  const answered = side.answered ?? answeredBy(seconds);
  if (type === ELSEWHERE && seconds === 0) seconds = -1;
  let number = cleanNumber(row.get("number") ?? "");
  if (["2", "3", "4"].includes(row.get("presentation") ?? "")) number = "";
  const component = row.get("subscription_component_name") ?? "";
  const app = component.includes("/") && !component.toLowerCase().includes("telephony");
  return {
    kind: app ? "app" : "call",
    direction: side.direction,
    answered,
    number,
    at,
    duration: seconds,
    parts: 0,
    sim: simOf(row.get("subscription_id")),
  };
}

function simOf(text = ""): string {
  return text === "null" || text === "-1" ? "" : short(text);
}

function boxOf(field: string, row: Row): Side | null {
  const code = row.get(field) ?? "";
  if (!Object.hasOwn(BOXES, code)) throw new RowError(field, "is not a type of message from 1 to 6");
  return BOXES[code]!;
}

function messageOf(row: Row): Entry | null {
  const box = boxOf("type", row);
  if (!box) return null;
  const at = milliseconds("date", row.get("date"));
  const number = cleanNumber(row.get("address") ?? "");
  const parts = segments(row.get("body") ?? "");
  return { kind: "message", ...box, number, at, duration: 0, parts, sim: simOf(row.get("sub_id")) };
}

/** One entry, or one for each recipient of what went out to several: operators bill each. */
function multimediaOf(row: Row, senders: string[]): Entry[] {
  const box = boxOf("msg_box", row);
  if (!box) return [];
  const at = milliseconds("date", row.get("date"));
  const kind = (row.get("tr_id") ?? "").startsWith("proto:") ? "app" : "mms";
  let numbers = (row.get("address") ?? "").split("~");
  if (numbers.length > MAX_RECIPIENTS) throw new RowError("address", `more than ${MAX_RECIPIENTS} recipients`);
  if (box.direction === "in") numbers = (senders.length > 0 ? senders : numbers).slice(0, 1);
  const sim = simOf(row.get("sub_id"));
  return numbers.map((number) => ({ kind, ...box, number: cleanNumber(number), at, duration: 0, parts: 0, sim }));
}
