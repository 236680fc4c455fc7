/** Rates and allowances of the file. */

import { TariffFault } from "./fault";
import { rateRounding } from "./roundings";
import { item, type Table } from "./table";
import {
  type Allowance, type Calendar, ELSEWHERE, FIRST_LINE, HOME, type Interval, type Kind, kindOf, type Rate, type RateRounding, type Scope, SERVICES,
} from "./types";
import * as units from "./units";

/** What else the file has, that rates name. */
export interface Known {
  destinations: string[];
  zones: string[];
  calendars: Map<string, Calendar>;
  rounding: RateRounding;
  /** Whether there is a `[total]`. */
  total: boolean;
}

export function rate(table: Table, known: Known): Rate {
  const scope = scopeOf(table, known);
  const kind = oneKind(table, scope);
  const intervals = intervalsOf(table, kind);
  const limit = (key: string): bigint | null => (table.has(key) ? table.read(key, units.notNegative, "an amount of 0 or more, with at most 9 decimals") : null);
  const minimum = limit("minimum");
  const maximum = limit("maximum");
  if (minimum !== null && maximum !== null && minimum > maximum) throw new TariffFault("value", table.at("minimum"), "the minimum is above the maximum");
  const own = table.has("rounding") ? rateRounding(table.table("rounding", ["mode", "decimals", "at"]), known.total) : known.rounding;
  return {
    name: table.read("name", units.name, units.NAME),
    ...scope,
    connection: table.has("connection") ? table.read("connection", units.price, PRICE_TEXT) : 0n,
    intervals,
    minimum,
    maximum,
    rounding: own,
    tiers: tiersOf(table, kind),
  };
}

export function allowance(table: Table, known: Known): Allowance {
  const scope = scopeOf(table, known);
  const kind = oneKind(table, scope);
  if (table.has("shared") && !table.truth("shared")) throw new TariffFault("value", table.at("shared"), "an allowance is shared by all lines of the account");
  const rollover = table.has("rollover") ? table.table("rollover", ["cycles", "at-most"]) : null;
  return {
    name: table.read("name", units.name, units.NAME),
    ...scope,
    amount: table.read("amount", units.usage(kind), amountText(kind)),
    connection: table.has("connection") ? table.truth("connection") : true,
    rollover: rollover && { cycles: rollover.whole("cycles", 1n, 120n), atMost: rollover.read("at-most", units.usage(kind), amountText(kind)) },
  };
}

const PRICE_TEXT = "a price of 0 or more, with at most 12 decimals";
const amountText = (kind: Kind): string => `an amount of ${kind} is expected`;

function scopeOf(table: Table, known: Known): Scope {
  const services = servicesOf(table, "services");
  if (services.some((service) => service >= FIRST_LINE)) throw new TariffFault("value", table.at("services"), "these are no usage");
  const named = (key: string, names: readonly string[]): string[] => {
    const found = table.texts(key);
    found.forEach((name, at) => {
      if (!names.includes(name)) throw new TariffFault("name", item(table.at(key), at), `there is no ${JSON.stringify(name)}`);
    });
    return found;
  };
  const calendarName = table.has("calendar") ? table.text("calendar") : null;
  const calendar = calendarName === null ? undefined : known.calendars.get(calendarName);
  if (calendarName !== null && !calendar) throw new TariffFault("name", table.at("calendar"), `there is no calendar ${JSON.stringify(calendarName)}`);
  if (table.has("bands") && !calendar) throw new TariffFault("missing", table.at("calendar"), "bands need a calendar");
  return {
    services,
    zones: table.has("zones") ? named("zones", [HOME, ELSEWHERE, ...known.zones]) : [HOME],
    destinations: table.has("destinations") ? named("destinations", [ELSEWHERE, ...known.destinations]) : null,
    calendar: calendarName,
    bands: table.has("bands") ? named("bands", [...calendar!.bands]) : null,
  };
}

export function servicesOf(table: Table, key: string): number[] {
  return table.texts(key).map((name, at) => {
    const service = Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined;
    if (service === undefined) throw new TariffFault("name", item(table.at(key), at), `there is no service ${JSON.stringify(name)}`);
    return service;
  });
}

function oneKind(table: Table, scope: Scope): Kind {
  const kinds = new Set(scope.services.map(kindOf));
  if (kinds.size > 1) throw new TariffFault("value", table.at("services"), "these do not count in one kind: seconds, messages or bytes");
  return [...kinds][0]!;
}

function intervalsOf(table: Table, kind: Kind): Interval[] {
  const short = ["price", "unit", "increment", "first"].filter((key) => table.has(key));
  const whole = units.usage(kind);
  if (!table.has("intervals")) {
    const price = table.read("price", units.price, PRICE_TEXT);
    const unit = table.read("unit", whole, amountText(kind));
    const increment = table.has("increment") ? table.read("increment", whole, amountText(kind)) : unit;
    const first = table.has("first") ? table.read("first", whole, amountText(kind)) : increment;
    if (first === increment) return [{ from: 0n, price, unit, increment }];
    return [{ from: 0n, price, unit, increment: first }, { from: first, price, unit, increment }];
  }
  if (short.length) throw new TariffFault("unknown", table.at(short[0]!), "this is said by the intervals");
  const found = table.tables("intervals", ["from", "price", "unit", "increment"]).map((one): Interval => {
    const unit = one.read("unit", whole, amountText(kind));
    return {
      from: one.read("from", units.usage(kind, 0n), amountText(kind)),
      price: one.read("price", units.price, PRICE_TEXT),
      unit,
      increment: one.has("increment") ? one.read("increment", whole, amountText(kind)) : unit,
    };
  });
  const place = table.at("intervals");
  if (!found.length) throw new TariffFault("value", place, "at least one is needed");
  if (found[0]!.from !== 0n) throw new TariffFault("value", `${item(place, 0)}.from`, "the first begins at 0");
  found.forEach(({ from, increment }, at) => {
    const next = found[at + 1]?.from;
    if (next === undefined) return;
    if (next <= from) throw new TariffFault("value", `${item(place, at + 1)}.from`, "intervals rise");
    if ((next - from) % increment) throw new TariffFault("value", `${item(place, at)}.increment`, "the interval is no multiple of its increment");
  });
  return found;
}

function tiersOf(table: Table, kind: Kind): Rate["tiers"] {
  if (!table.has("tiers")) return [];
  if (table.has("intervals")) throw new TariffFault("unknown", table.at("tiers"), "a rate with intervals has no tiers");
  const found = table.tables("tiers", ["above", "price"]).map((one) => ({
    above: one.read("above", units.usage(kind), amountText(kind)),
    price: one.read("price", units.price, PRICE_TEXT),
  }));
  found.forEach(({ above }, at) => {
    if (at && above <= found[at - 1]!.above) throw new TariffFault("value", `${item(table.at("tiers"), at)}.above`, "tiers rise");
  });
  return found;
}
