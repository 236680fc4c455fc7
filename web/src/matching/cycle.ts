/** The billing cycle that a bill's lines tell (docs/matching.md, section 3). */

import { type InvoiceLine, type Span, wantOf } from './types';

export function localTime(line: InvoiceLine): number {
  return line.startedAt + 60 * line.utcOffset;
}

function dayOf(year: number, month: number, day: number): number {
  return Date.UTC(year, month, day) / 1000;
}

/** First second and first second after it, as local seconds. */
export function cycleOf(period: number, lines: readonly InvoiceLine[]): Span {
  const year = Math.floor(period / 100);
  const month = (period % 100) - 1;
  const times = lines.filter((line) => wantOf(line) !== null).map(localTime);
  const within = ([from, to]: Span): number => times.filter((time) => time >= from && time < to).length;

  let best: Span = [dayOf(year, month, 1), dayOf(year, month + 1, 1)];
  let most = within(best);
  if (100 * most >= 80 * times.length) return best;
  for (const first of [month - 1, month]) {
    for (let day = 2; day <= 28; day += 1) {
      const window: Span = [dayOf(year, first, day), dayOf(year, first + 1, day)];
      const count = within(window);
      if (count > most) [best, most] = [window, count];
    }
  }
  return best;
}
