/** The call list of a FRITZ!Box: `sep=;`, then `Typ;Datum;Name;Rufnummer;…`, minutes on the box's wall clock. */

import { Collector } from "./collector";
import { RowError } from "./problems";
import { checkWidth, type Sheet } from "./sheets";
import type { Entry, PhoneLog } from "./types";
import { answeredBy, cleanNumber, duration, short, strip } from "./values";
import { wallSeconds } from "./walltime";

const COLUMNS = 7;
const DURATION = /^([0-9]{1,4}):([0-9]{2})$/;
const DATE = /^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}(?:[0-9]{2})? [0-9]{1,2}:[0-9]{2}$/;

export function looksLikeFritzBox(sheet: Sheet): boolean {
  return sheet.separator === ";" && ["typ", "type"].includes(sheet.header[0]!) && sheet.header.length >= COLUMNS - 1;
}

export function readFritzBox(sheet: Sheet): PhoneLog {
  const width = sheet.header.length;
  /** Newer boxes write outgoing calls as 4, and 3 for what they rejected. */
  const newer = sheet.rows.some(({ cells }) => strip(cells[0]!) === "4");
  const types = new Map<string, [Entry["direction"], Entry["answered"] | null]>([
    ["1", ["in", "yes"]],
    ["2", ["in", "no"]],
    ["3", newer ? ["in", "no"] : ["out", null]],
    ["4", ["out", null]],
    ["10", ["in", "no"]],
  ]);
  const collector = new Collector(sheet.name);
  for (const { line, cells } of sheet.rows) {
    collector.add(line, () => {
      checkWidth(cells, width);
      const row = cells.slice(0, width).map(strip);
      const type = types.get(row[0]!);
      if (!type) throw new RowError("type", "is not a type of finished call");
      if (!DATE.test(row[1]!)) throw new RowError("date", "is not a date and time");
      const at = wallSeconds("date", row[1]!, "dm");
      const match = DURATION.exec(row[width - 1]!);
      if (!match) throw new RowError("duration", "is not H:MM");
      const seconds = duration("duration", Number(match[1]) * 3600 + Number(match[2]) * 60);
      return {
        kind: "call",
        direction: type[0],
        answered: type[1] ?? answeredBy(seconds),
        number: cleanNumber(row[3]!),
        at,
        duration: seconds,
        parts: 0,
        sim: short(row[width - 2]!),
      };
    });
  }
  return collector.log("fritzbox", { clock: "local", step: 60, durationStep: 60 });
}
