/** A tariff as it was read: docs/tariff.md, sections 1 and 2. Prices are in units of 10^-12, other money in 10^-9. */

import type { Mode } from "./numbers";

export const SERVICES: Record<string, number> = {
  "voice-originated": 1, "voice-terminated": 2, "voice-forwarded": 3, "message-sent": 4, "message-received": 5, data: 6, mms: 7, content: 8,
  recurring: 32, "one-off": 33, discount: 34, tax: 35, credit: 36, rounding: 37,
};
/** Services from here on are no usage. */
export const FIRST_LINE = 32;
export const RECURRING = 32;
export const ONE_OFF = 33;
export const DISCOUNT = 34;
export const TAX = 35;
export const TOTAL = 37;

export type Kind = "seconds" | "messages" | "bytes";
export const kindOf = (service: number): Kind => (service <= 3 ? "seconds" : service === 6 ? "bytes" : "messages");

/** A place in the tables of zones or destinations, by name. */
export const HOME = "home";
export const ELSEWHERE = "elsewhere";

export interface Rounding {
  mode: Mode;
  decimals: number;
}

export interface RateRounding extends Rounding {
  at: "increment" | "call" | "invoice";
}

export interface Interval {
  from: bigint;
  price: bigint;
  unit: bigint;
  increment: bigint;
}

/** When and where something applies. */
export interface Scope {
  services: number[];
  zones: string[];
  /** null: all that no other rate names; for allowances, all. */
  destinations: string[] | null;
  calendar: string | null;
  /** null: at all times. */
  bands: string[] | null;
}

export interface Rate extends Scope {
  name: string;
  connection: bigint;
  intervals: Interval[];
  minimum: bigint | null;
  maximum: bigint | null;
  rounding: RateRounding;
  tiers: { above: bigint; price: bigint }[];
}

export interface Allowance extends Scope {
  name: string;
  amount: bigint;
  connection: boolean;
  rollover: { cycles: bigint; atMost: bigint } | null;
}

export type Times = "once" | "any";

export interface Fee {
  name: string;
  amount: bigint;
  service: number;
  times: Times;
}

export interface Discount {
  name: string;
  percent: bigint;
  of: number[];
  rates: string[] | null;
  above: bigint;
  times: Times;
}

export interface Tax {
  name: string;
  percent: bigint;
  /** null: all but tax and rounding. */
  of: number[] | null;
  rounding: Rounding;
}

export interface Commitment {
  amount: bigint;
  services: number[];
  name: string;
}

export interface Calendar {
  /** The band of each minute of the week, from Monday 00:00. */
  week: string[];
  bands: Set<string>;
  /** Local dates, in days since 1970, and the day of the week that they count as. */
  holidays: { dates: Set<number>; as: number } | null;
}

export interface Tariff {
  name: string;
  version: string;
  currency: string;
  /** Of its prices: another where there is an exchange. */
  pricesIn: string;
  /** Days since 1970; `until` is not included. */
  valid: { from: number; until: number | null };
  home: string[];
  total: Rounding | null;
  /** In units of 10^-9. */
  exchange: bigint | null;
  calendars: Map<string, Calendar>;
  /** Prefix → destination. */
  prefixes: Map<string, string>;
  destinations: string[];
  /** MCC-MNC or MCC → zone. */
  networks: Map<string, string>;
  zones: string[];
  rates: Rate[];
  allowances: Allowance[];
  fees: Fee[];
  commitment: Commitment | null;
  discounts: Discount[];
  taxes: Tax[];
}
