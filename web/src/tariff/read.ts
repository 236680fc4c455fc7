/** A tariff's exact bytes → the tariff; whatever docs/tariff.md, section 9, refuses is a `TariffFault`. */

import { calendar } from "./calendar";
import { requireOneRate } from "./conflicts";
import { readTree } from "./document";
import { TariffFault } from "./fault";
import { bill } from "./fees";
import { destinations, networks } from "./places";
import { allowance, type Known, rate } from "./rates";
import { rateRounding, roundingOf } from "./roundings";
import { item, Table, unique } from "./table";
import type { Calendar, Tariff } from "./types";
import * as units from "./units";

/** What this page takes, and the package too: each calendar has a table of its own. */
const MOST_CALENDARS = 64;
const MOST_HOLIDAYS = 2000;

export const SCHEMA = "billproof/tariff/1";
const KEYS = [
  "schema", "name", "version", "currency", "valid", "home", "rounding", "total", "exchange", "holidays", "calendars", "destinations", "zones",
  "tadig", "rates", "allowances", "fees", "commitment", "discounts", "taxes",
];

export function readTariff(content: Uint8Array): Tariff {
  const file = new Table(readTree(content), "", KEYS);
  file.oneOf("schema", [SCHEMA]);
  const currency = file.read("currency", units.currency, "three letters A-Z");
  const total = file.has("total") ? roundingOf(file.table("total", ["mode", "decimals"])) : null;
  const home = file.has("home") ? file.texts("home", 0).map((text, at) => homeNetwork(text, item("home", at))) : [];
  const places = { ...destinations(file), ...networks(file, home) };
  const calendars = calendarsOf(file);
  file.get("rounding");
  const known: Known = { ...places, calendars, rounding: rateRounding(file.table("rounding", ["mode", "decimals", "at"]), total !== null), total: total !== null };
  const rates = file.tables("rates", RATE_KEYS).map((table) => rate(table, known));
  unique(rates, "rates");
  const allowances = file.tables("allowances", ALLOWANCE_KEYS).map((table) => allowance(table, known));
  unique(allowances, "allowances");
  const tariff: Tariff = {
    name: file.read("name", units.name, units.NAME),
    version: file.read("version", units.name, units.NAME),
    currency,
    pricesIn: file.has("exchange") ? file.table("exchange", null).text("currency") : currency,
    valid: validity(file),
    home,
    total,
    exchange: exchange(file, currency),
    calendars,
    ...places,
    rates,
    allowances,
    ...bill(file),
  };
  if (!rates.length && !tariff.fees.length) throw new TariffFault("missing", "rates", "rates or fees are needed");
  requireOneRate(tariff);
  return tariff;
}

const SCOPE_KEYS = ["name", "services", "zones", "destinations", "calendar", "bands"];
const RATE_KEYS = [...SCOPE_KEYS, "connection", "price", "unit", "increment", "first", "intervals", "minimum", "maximum", "rounding", "tiers"];
const ALLOWANCE_KEYS = [...SCOPE_KEYS, "amount", "connection", "shared", "rollover"];

function homeNetwork(text: string, place: string): string {
  const found = units.network(text);
  if (found === null) throw new TariffFault("value", place, "a network is expected, MCC-MNC");
  return found;
}

function validity(file: Table): Tariff["valid"] {
  file.get("valid");
  const table = file.table("valid", ["from", "until"]);
  const from = table.read("from", units.date, "a day is expected, YYYY-MM-DD");
  const until = table.has("until") ? table.read("until", units.date, "a day is expected, YYYY-MM-DD") : null;
  if (until !== null && until <= from) throw new TariffFault("value", "valid.until", "it ends before it begins");
  return { from, until };
}

function exchange(file: Table, currency: string): bigint | null {
  if (!file.has("exchange")) return null;
  const table = file.table("exchange", ["currency", "rate"]);
  if (table.read("currency", units.currency, "three letters A-Z") === currency) throw new TariffFault("value", "exchange.currency", "this is the statements' own currency");
  return table.read("rate", (text) => positive(units.money(text)), "a rate above 0");
}

const positive = (value: bigint | null): bigint | null => (value !== null && value > 0n ? value : null);

function calendarsOf(file: Table): Map<string, Calendar> {
  const lists = new Map<string, Set<number>>();
  let holidayCount = 0;
  const holidays = file.table("holidays", null);
  for (const key of holidays.names()) {
    if (units.name(key) === null) throw new TariffFault("value", holidays.at(key), units.NAME);
    const days = holidays.texts(key, 0).map((text, at) => {
      const day = units.date(text);
      if (day === null) throw new TariffFault("value", item(holidays.at(key), at), "a day is expected, YYYY-MM-DD");
      return day;
    });
    lists.set(key, new Set(days));
    if ((holidayCount += days.length) > MOST_HOLIDAYS) throw new TariffFault("value", "holidays", `more than ${MOST_HOLIDAYS} holidays`);
  }
  const tables = file.table("calendars", null);
  if (tables.names().length > MOST_CALENDARS) throw new TariffFault("value", "calendars", `more than ${MOST_CALENDARS} calendars`);
  for (const key of tables.names()) if (units.name(key) === null) throw new TariffFault("value", tables.at(key), units.NAME);
  return new Map(tables.names().map((key) => [key, calendar(new Table(tables.get(key), tables.at(key), null), lists)]));
}
