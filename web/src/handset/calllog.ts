/** A dump of Android's call log as CSV: `_id,number,date,duration,type,…` in any order. */

import { callOf } from "./android";
import { Collector } from "./collector";
import { checkWidth, type Sheet } from "./sheets";
import type { PhoneLog } from "./types";
import { strip } from "./values";

const NEEDED = ["number", "date", "duration", "type"];
const WANTED = [...NEEDED, "presentation", "subscription_id", "subscription_component_name"];

export function looksLikeCallLog(sheet: Sheet): boolean {
  if (!NEEDED.every((name) => sheet.header.includes(name))) return false;
  const first = sheet.rows[0];
  if (!first) return sheet.header.includes("_id");
  return /^[0-9]+$/.test(strip(first.cells[sheet.header.indexOf("date")] ?? ""));
}

export function readCallLog(sheet: Sheet): PhoneLog {
  const collector = new Collector(sheet.name);
  const places = WANTED.filter((name) => sheet.header.includes(name)).map((name) => [name, sheet.header.indexOf(name)] as const);
  const width = Math.max(...places.map(([, place]) => place)) + 1;
  for (const { line, cells } of sheet.rows) {
    collector.add(line, () => {
      checkWidth(cells, width);
      return callOf(new Map(places.map(([name, place]) => [name, strip(cells[place]!)])));
    });
  }
  return collector.log("android-call-log");
}
