/** The call history of an iPhone, `CallHistory.storedata`: the table ZCALLRECORD, times in seconds since 2001. */

import { Collector } from "./collector";
import { RowError } from "./problems";
import { Database, DatabaseError, type Value } from "./sqlite";
import { PhoneLogError, type Entry, type PhoneLog } from "./types";
import { answeredBy, cleanNumber, duration, second } from "./values";

export const SQLITE_MAGIC = "SQLite format 3\0";
const EPOCH = 978_307_200;
const NEEDED = ["ZDATE", "ZDURATION", "ZADDRESS", "ZORIGINATED", "ZANSWERED", "ZCALLTYPE"] as const;

type Row = Record<(typeof NEEDED)[number] | "ZSERVICE_PROVIDER", Value>;

export function readIphone(name: string, bytes: Uint8Array): PhoneLog {
  const collector = new Collector(name);
  try {
    const database = new Database(bytes);
    const table = database.table("ZCALLRECORD");
    if (!table) throw new PhoneLogError("database", `${name}: is a database, but not a call history`);
    for (const column of NEEDED) {
      if (!table.columns.includes(column)) {
        throw new PhoneLogError("database", `${name}: its table of calls lacks the column ${column}`);
      }
    }
    const places = [...NEEDED, "ZSERVICE_PROVIDER"].map((column) => [column, table.columns.indexOf(column)] as const);
    let place = 0;
    for (const values of database.rows(table.root)) {
      place++;
      const row = Object.fromEntries(places.map(([column, at]) => [column, values[at] ?? null])) as Row;
      collector.add(place, () => rowOf(row));
    }
  } catch (problem) {
    if (!(problem instanceof DatabaseError)) throw problem;
    throw new PhoneLogError("malformed", `${name}: ${problem.message}; give the file of an iPhone backup again`);
  }
  return collector.log("iphone-call-history");
}

function rowOf(row: Row): Entry {
  const at = second("ZDATE", Math.floor(real("ZDATE", row.ZDATE)) + EPOCH);
  let seconds = -1;
  if (row.ZDURATION !== null) {
    seconds = duration("ZDURATION", Math.floor(real("ZDURATION", row.ZDURATION)));
    if (seconds < 0) throw new RowError("ZDURATION", "is negative");
  }
  const out = row.ZORIGINATED === 1;
  const type = row.ZCALLTYPE;
  if (type !== null && !(typeof type === "number" && [0, 1, 8, 16].includes(type))) {
    throw new RowError("ZCALLTYPE", "is not a type of call that is known");
  }
  const provider = row.ZSERVICE_PROVIDER;
  const phone = provider === null || provider === "" || provider === "com.apple.Telephony";
  return {
    kind: (type === null || type === 1) && phone ? "call" : "app",
    direction: out ? "out" : "in",
    answered: out ? answeredBy(seconds) : row.ZANSWERED === 1 ? "yes" : "no",
    number: numberOf(row.ZADDRESS),
    at,
    duration: seconds,
    parts: 0,
    sim: "",
  };
}

function real(field: string, value: Value): number {
  if (value === null) throw new RowError(field, "is missing");
  if (typeof value !== "number" || !(Math.abs(value) < 1e12)) throw new RowError(field, "is not a number");
  return value;
}

function numberOf(value: Value): string {
  if (typeof value === "string") return cleanNumber(value);
  if (typeof value === "number") return Number.isInteger(value) ? cleanNumber(String(value)) : "";
  if (value === null) return "";
  try {
    return cleanNumber(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value));
  } catch (problem) {
    if (problem instanceof RowError) throw problem;
    throw new RowError("ZADDRESS", "is not text");
  }
}
