/** Entries that an earlier log has as well: one call bears out one line (docs/matching.md, section 1, "Copies"). */

import type { Numbers } from "./numbers";
import type { PhoneLog } from "./types";

/** Which entries are copies, by log and place. */
export type Copies = readonly (readonly boolean[])[];

export function copiesOf(logs: readonly PhoneLog[], numbers: Numbers): Copies {
  /** Of equal entries, how many the earlier log has that has most. */
  const most = new Map<string, number>();
  return logs.map((log) => {
    const own = new Map<string, number>();
    const found = log.entries.map(({ kind, direction, answered, at, duration, number }) => {
      const key = [log.clock, kind, direction, answered, at, duration, numbers.canonical(number).text].join(" ");
      const count = (own.get(key) ?? 0) + 1;
      own.set(key, count);
      return count <= (most.get(key) ?? 0);
    });
    for (const [key, count] of own) most.set(key, Math.max(count, most.get(key) ?? 0));
    return found;
  });
}
