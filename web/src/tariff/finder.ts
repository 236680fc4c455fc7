/** Which rate applies (docs/tariff.md, section 3). */

import { bandAt } from "./calendar";
import { destinationOf, zoneOf } from "./places";
import { ELSEWHERE, type Rate, type Scope, type Tariff } from "./types";

/** A record of the statement, as far as its price depends on it. */
export interface UsageRecord {
  service: number;
  startedAt: number;
  /** Minutes. */
  utcOffset: number;
  number: string;
  network: string;
}

/** Where and when a record is, in the tariff's terms. */
export interface Spot {
  service: number;
  zone: string;
  destination: string;
  /** Local date, in days since 1970. */
  days: number;
  /** Local minute of the day. */
  minute: number;
}

export function spotOf(tariff: Tariff, record: UsageRecord): Spot {
  const local = record.startedAt + 60 * record.utcOffset;
  const days = Math.floor(local / 86_400);
  return {
    service: record.service,
    zone: zoneOf(tariff, record.network),
    destination: destinationOf(tariff, record.number),
    days,
    minute: Math.floor((local - days * 86_400) / 60),
  };
}

export function isValidOn({ valid }: Tariff, days: number): boolean {
  return days >= valid.from && (valid.until === null || days < valid.until);
}

export function appliesAtTime(tariff: Tariff, { calendar, bands }: Scope, days: number, minute: number): boolean {
  return calendar === null || bands === null || bands.includes(bandAt(tariff.calendars.get(calendar)!, days, minute));
}

interface Group {
  named: Map<string, Rate[]>;
  rest: Rate[];
}

export class RateFinder {
  private readonly groups = new Map<string, Group>();

  constructor(private readonly tariff: Tariff) {
    for (const rate of tariff.rates)
      for (const service of rate.services) for (const zone of rate.zones) this.add(rate, this.group(service, zone));
  }

  private group(service: number, zone: string): Group {
    const key = `${service} ${zone}`;
    const found = this.groups.get(key) ?? { named: new Map(), rest: [] };
    this.groups.set(key, found);
    return found;
  }

  private add(rate: Rate, { named, rest }: Group): void {
    if (!rate.destinations) rest.push(rate);
    for (const destination of rate.destinations ?? []) named.set(destination, [...(named.get(destination) ?? []), rate]);
  }

  /** Services and zones that some rate names. */
  *spheres(): Iterable<{ service: number; zone: string }> {
    for (const key of this.groups.keys()) {
      const at = key.indexOf(" ");
      yield { service: Number(key.slice(0, at)), zone: key.slice(at + 1) };
    }
  }

  /** The rates of a service, zone and destination, at whatever time. */
  at(service: number, zone: string, destination: string): Rate[] {
    const group = this.groups.get(`${service} ${zone}`);
    return group?.named.get(destination) ?? group?.rest ?? [];
  }

  find({ service, zone, destination, days, minute }: Spot): Rate | null {
    return this.at(service, zone, destination).find((rate) => appliesAtTime(this.tariff, rate, days, minute)) ?? null;
  }

  /** Rates that would apply if the zone were another, in the order of the file. */
  inOtherZones({ service, zone, destination, days, minute }: Spot): Rate[] {
    return this.tariff.rates.filter(
      (rate) =>
        appliesAtTime(this.tariff, rate, days, minute) &&
        rate.zones.some((other) => other !== zone && this.at(service, other, destination).includes(rate)),
    );
  }

  atOtherTimes({ service, zone, destination }: Spot): Rate[] {
    return this.at(service, zone, destination);
  }

  toOtherDestinations({ service, zone, destination, days, minute }: Spot): Rate[] {
    const others = [...this.tariff.destinations, ELSEWHERE].filter((other) => other !== destination);
    const found = new Set(others.flatMap((other) => this.at(service, zone, other)));
    return this.tariff.rates.filter((rate) => found.has(rate) && appliesAtTime(this.tariff, rate, days, minute));
  }
}
