/** The bands of a calendar: which minute of the week is whose. */

import { TariffFault } from "./fault";
import { asList, item, Table } from "./table";
import type { Calendar } from "./types";
import * as units from "./units";

const MINUTES = 7 * 1440;
const HOLIDAYS = "holidays";

export function calendar(table: Table, lists: ReadonlyMap<string, Set<number>>): Calendar {
  const week = new Array<string | undefined>(MINUTES).fill(undefined);
  const bands = new Set<string>();
  let rest: string | null = null;
  for (const key of table.names()) {
    if (key === HOLIDAYS) continue;
    if (units.name(key) === null) throw new TariffFault("value", table.at(key), units.NAME);
    bands.add(key);
    const value = table.get(key);
    if (typeof value !== "string") cover(week, key, table, value);
    else if (value !== "rest") throw new TariffFault("value", table.at(key), 'spans of days and times, or "rest"');
    else if (rest !== null) throw new TariffFault("overlap", table.at(key), `${JSON.stringify(rest)} is the rest already`);
    else rest = key;
  }
  if (rest === null && week.includes(undefined)) throw new TariffFault("gap", table.place, `no band has ${minuteText(week.indexOf(undefined))}`);
  return { week: week.map((band) => band ?? rest!), bands, holidays: table.has(HOLIDAYS) ? holidays(table, lists) : null };
}

function cover(week: (string | undefined)[], band: string, table: Table, value: Parameters<typeof asList>[0]): void {
  const place = table.at(band);
  const spans = asList(value, place);
  spans.forEach((one, at) => {
    const span = new Table(one, item(place, at), ["days", "from", "until"]);
    const days = span.has("days") ? span.read("days", units.days, "days are expected, like mon-fri or sat,sun") : [0, 1, 2, 3, 4, 5, 6];
    const from = span.has("from") ? span.read("from", units.time, "a time is expected, HH:MM") : 0;
    const until = span.has("until") ? span.read("until", units.time, "a time is expected, HH:MM") : 1440;
    if (from >= until) throw new TariffFault("value", span.place, "from is before until; a night is two spans");
    for (const day of days) {
      for (let minute = day * 1440 + from; minute < day * 1440 + until; minute++) {
        if (week[minute] !== undefined) throw new TariffFault("overlap", span.place, `${minuteText(minute)} is ${JSON.stringify(week[minute])} already`);
        week[minute] = band;
      }
    }
  });
}

function holidays(table: Table, lists: ReadonlyMap<string, Set<number>>): Calendar["holidays"] {
  const own = table.table(HOLIDAYS, ["list", "as"]);
  const name = own.text("list");
  const dates = lists.get(name);
  if (!dates) throw new TariffFault("name", own.at("list"), `there is no list of holidays ${JSON.stringify(name)}`);
  return { dates, as: own.read("as", units.oneDay, "a day of the week is expected") };
}

/** Like `mon 08:00`. */
export function minuteText(minute: number): string {
  const time = minute % 1440;
  return `${units.WEEKDAYS[Math.floor(minute / 1440)]} ${String(Math.floor(time / 60)).padStart(2, "0")}:${String(time % 60).padStart(2, "0")}`;
}

/** Where a local date stands in the calendar's week: 0 is Monday. */
export function dayOf(calendar: Calendar, days: number): number {
  return calendar.holidays?.dates.has(days) ? calendar.holidays.as : units.weekday(days);
}

/** The band of a local minute of a local date. */
export function bandAt(calendar: Calendar, days: number, minute: number): string {
  return calendar.week[dayOf(calendar, days) * 1440 + minute]!;
}
