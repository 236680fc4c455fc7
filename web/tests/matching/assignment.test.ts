/** The assignment against all assignments there are, on small cases. */

import { describe, expect, test } from "vitest";
import { assign } from "../../src/matching/assignment";
import { type Candidate, UNMATCHED } from "../../src/matching/candidates";
import { randomFrom } from "./bills";

type Choice = (Candidate | null)[];

/** Lexicographic order: by log, then place; no entry last. */
function compare(a: Choice, b: Choice): number {
  for (let row = 0; row < a.length; row += 1) {
    const [x, y] = [a[row] ?? null, b[row] ?? null];
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
    } else if (x.log !== y.log || x.entry !== y.entry) return x.log - y.log || x.entry - y.entry;
  }
  return 0;
}

const sumOf = (choice: Choice): number => choice.reduce((sum, each) => sum + (each?.cost ?? UNMATCHED), 0);

function bruteForce(candidates: Candidate[][]): Choice {
  let best: Choice | null = null;
  const used = new Set<string>();
  const choice: Choice = [];
  const go = (row: number): void => {
    if (row === candidates.length) {
      if (best === null || sumOf(choice) - sumOf(best) < 0 || (sumOf(choice) === sumOf(best) && compare(choice, best) < 0)) best = [...choice];
      return;
    }
    for (const each of [...candidates[row]!, null]) {
      const key = each && `${each.log} ${each.entry}`;
      if (key !== null && used.has(key)) continue;
      if (key !== null) used.add(key);
      choice.push(each);
      go(row + 1);
      choice.pop();
      if (key !== null) used.delete(key);
    }
  };
  go(0);
  return best!;
}

describe("assignment", () => {
  test.each([1, 2, 3, 4, 1500])("is the best there is, first in order, with costs that are multiples of %i", (unit) => {
    const random = randomFrom(unit);
    for (let round = 0; round < 1500; round += 1) {
      const [rows, columns] = [1 + random(6), 1 + random(6)];
      const density = 1 + random(4);
      const candidates = Array.from({ length: rows }, () =>
        Array.from({ length: columns }, (_, entry) => ({ log: entry % 2, entry: entry >> 1, cost: Math.min(1499, unit * random(unit < 4 ? 4 : 900)) }))
          .filter(() => random(4) < density)
          .sort((a, b) => a.log - b.log || a.entry - b.entry),
      );
      const found = assign(candidates);
      const best = bruteForce(candidates);
      expect(sumOf(found)).toBe(sumOf(best));
      expect(found).toEqual(best);
    }
  });

  test("thousand messages of one second to one number take their entries in order", () => {
    const candidates = Array.from({ length: 1000 }, () => Array.from({ length: 1000 }, (_, entry) => ({ log: 0, entry, cost: 0 })));
    const start = performance.now();
    expect(assign(candidates).map((each) => each?.entry)).toEqual(Array.from({ length: 1000 }, (_, entry) => entry));
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
