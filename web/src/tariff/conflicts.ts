/** No two rates for one record, and no destination or band without a rate (docs/tariff.md, section 9). */

import { dayOf, minuteText } from "./calendar";
import { TariffFault } from "./fault";
import { RateFinder } from "./finder";
import { ELSEWHERE, type Rate, SERVICES, type Tariff } from "./types";

/** A kind of day: where it stands in the week of each calendar, in the calendars' order. */
type Day = number[];

export function requireOneRate(tariff: Tariff): void {
  const finder = new RateFinder(tariff);
  const days = kindsOfDays(tariff);
  const judged = new Map<string, string | null>();
  for (const { service, zone } of finder.spheres()) {
    const sphere = `${Object.entries(SERVICES).find(([, number]) => number === service)![0]} in ${zone}`;
    for (const destination of [...tariff.destinations, ELSEWHERE]) {
      const rates = finder.at(service, zone, destination);
      if (!rates.length) {
        if (destination === ELSEWHERE) continue;
        throw new TariffFault("gap", "rates", `no rate for ${sphere} to ${JSON.stringify(destination)}`);
      }
      const when = JSON.stringify(rates.map(({ calendar, bands }) => [calendar, bands]));
      if (!judged.has(when)) judged.set(when, judge(tariff, rates, days));
      const fault = judged.get(when)!;
      if (fault === null) continue;
      const names = rates.map(({ name }) => JSON.stringify(name)).join(", ");
      const [kind, moment] = fault.split("|");
      throw new TariffFault(kind as "overlap" | "gap", "rates", `${sphere} to ${JSON.stringify(destination)}, ${moment}: ${names}`);
    }
  }
}

function kindsOfDays(tariff: Tariff): Day[] {
  const calendars = [...tariff.calendars.values()];
  const found = new Map<string, Day>();
  for (let day = 0; day < 7; day++) found.set(String(calendars.map(() => day)), calendars.map(() => day));
  for (const date of new Set(calendars.flatMap(({ holidays }) => [...(holidays?.dates ?? [])]))) {
    const day = calendars.map((calendar) => dayOf(calendar, date));
    found.set(String(day), day);
  }
  return [...found.values()];
}

/** `overlap|when` or `gap|when` for rates that are for the same records but for the time; null when all is well. */
function judge(tariff: Tariff, rates: readonly Rate[], days: readonly Day[]): string | null {
  const names = [...tariff.calendars.keys()];
  const timed = rates.filter(({ calendar, bands }) => calendar !== null && bands !== null);
  const always = rates.length - timed.length;
  if (!timed.length) return always > 1 ? "overlap|at all times" : null;
  const bands = timed.map((rate) => new Set(rate.bands));
  const weeks = timed.map(({ calendar }) => tariff.calendars.get(calendar!)!.week);
  const places = timed.map(({ calendar }) => names.indexOf(calendar!));
  for (const day of days) {
    for (let minute = 0; minute < 1440; minute++) {
      let count = always;
      for (let at = 0; at < timed.length; at++) if (bands[at]!.has(weeks[at]![day[places[at]!]! * 1440 + minute]!)) count++;
      if (count !== 1) return `${count ? "overlap" : "gap"}|${minuteText(day[places[0]!]! * 1440 + minute)}`;
    }
  }
  return null;
}
