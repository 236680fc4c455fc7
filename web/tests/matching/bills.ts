/** Bills and phone logs for tests: regular ones, and random ones from a seed. */

import type { Entry, Invoice, InvoiceLine, PhoneLog } from "../../src/matching/types";

/** Whole numbers below a limit, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** 2026-10-01 00:00 UTC */
export const OCTOBER = 1_790_812_800;

export function line(index: number, fields: Partial<InvoiceLine> = {}): InvoiceLine {
  return {
    index,
    service: 1,
    startedAt: OCTOBER + 3600 * index,
    utcOffset: 60,
    usage: 60,
    billedUsage: fields.usage ?? 60,
    number: "+353871234567",
    amount: 100_000_000n,
    rate: "standard",
    corrects: "",
    ...fields,
  };
}

export function entry(at: number, fields: Partial<Entry> = {}): Entry {
  return { kind: "call", direction: "out", answered: "yes", number: "0871234567", at, duration: 60, parts: 0, sim: "", ...fields };
}

export function log(entries: Entry[], fields: Partial<PhoneLog> = {}): PhoneLog {
  return { name: "calls.xml", format: "sms-backup-restore", clock: "utc", step: 1, durationStep: 1, exportedAt: null, entries, rejects: [], ...fields };
}

export function invoice(lines: InvoiceLine[]): Invoice {
  return { period: 202610, currency: "EUR", lines };
}

/** A month of calls and messages that a phone has logged with seconds of difference, in national and international form. */
export function month(seed: number, count: number, extra = 0): { invoice: Invoice; logs: PhoneLog[] } {
  const random = randomFrom(seed);
  const lines: InvoiceLine[] = [];
  const entries: Entry[] = [];
  const peers = Array.from({ length: 40 }, (_, i) => String(871_000_000 + 7919 * i));
  const span = 30 * 86_400;
  const moments = Array.from({ length: count + extra }, (_, i) => OCTOBER + Math.floor((i * span) / (count + extra)) + random(600));
  const skipped = new Set(Array.from({ length: extra }, (_, i) => Math.floor((i * (count + extra)) / Math.max(1, extra))));
  moments.forEach((startedAt, i) => {
    const peer = peers[random(peers.length)]!;
    const service = [1, 1, 2, 4][random(4)]!;
    const usage = service === 4 ? 1 : 5 + random(900);
    if (!skipped.has(i)) lines.push(line(lines.length, { service, startedAt, usage, number: `+353${peer}`, billedUsage: usage }));
    entries.push(
      entry(startedAt + random(5) - 2, {
        kind: service === 4 ? "message" : "call",
        direction: service === 2 ? "in" : "out",
        number: random(2) ? `0${peer}` : `+353${peer}`,
        duration: service === 4 ? -1 : Math.max(1, usage - random(3)),
        parts: service === 4 ? 1 : 0,
      }),
    );
  });
  return { invoice: invoice(lines), logs: [log(entries)] };
}
