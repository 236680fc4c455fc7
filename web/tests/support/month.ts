/** A month of calls as a bill and as the phone has logged them, with things on the bill that the phone does not know. */

import type { BundleLine } from "../../src/protocol/documents";
import { makeLine } from "./bundle";

const START = 1790812800; // 1 October 2026, 00:00 UTC
const NUMBERS = ["+4930123456", "+491511234567", "+498912345678", "+447700900123", "+4940555123"];

export const PREMIUM = "+4990012345";

export interface Month {
  lines: BundleLine[];
  /** As Android's “SMS Backup & Restore” writes it. */
  log: string;
}

export function month(): Month {
  const lines: BundleLine[] = [];
  const entries: string[] = [];
  const charge = (startedAt: number, number: string, usage: number): void => {
    const billed = Math.ceil(usage / 60) * 60;
    const amount = String(BigInt(billed / 60) * 90_000_000n);
    lines.push(makeLine({ startedAt: String(startedAt), number, usage: String(usage), billedUsage: String(billed), amount }));
  };
  const logged = (startedAt: number, number: string, duration: number): void => {
    entries.push(`<call number="${number}" duration="${duration}" date="${startedAt}123" type="2" presentation="1" />`);
  };
  for (let at = 0; at < 90; at++) {
    const startedAt = START + 8 * 3600 + at * 28_000 + (at % 7) * 613;
    const number = NUMBERS[at % NUMBERS.length]!;
    const usage = 20 + ((at * 137) % 900);
    charge(startedAt, number, usage);
    logged(startedAt + 2, number, at === 12 ? Math.floor(usage / 3) : usage - 1);
    if (at === 20) charge(startedAt, number, usage); // twice
    if (at === 40 || at === 45) charge(startedAt + 9000, PREMIUM, 1260); // to a number that the phone does not know
    if (at === 60) charge(startedAt + 9000, number, 1260); // never made
  }
  lines.sort((a, b) => Number(a.startedAt) - Number(b.startedAt));
  lines.push(makeLine({ startedAt: String(START + 31 * 86_400 - 60), service: "32", usage: "0", billedUsage: "0", number: "", network: "", amount: "9990000000", rate: "Example 10" }));
  const log = `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<calls count="${entries.length}">\n${entries.join("\n")}\n</calls>\n`;
  return { lines, log };
}
