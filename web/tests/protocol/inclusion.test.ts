import { expect, test } from "vitest";
import { include, lineOfProblem } from "../../src/protocol/inclusion";
import { problemWords } from "../../src/ui/words";
import { makeBundle, makeLine } from "../support/bundle";

const { bundle } = makeBundle("0x5fbdb2315678afecb367f032d93f642f64180aa3", Array.from({ length: 8 }, () => makeLine()));

function without(...places: number[]) {
  return { ...structuredClone(bundle), records: bundle.records.filter((_, at) => !places.includes(at)) };
}

test.each([
  [[5], "A line is missing after line 5."],
  [[2, 3], "2 lines are missing after line 2."],
  [[0], "The first line is missing."],
  [[0, 1, 2], "The first 3 lines are missing."],
])("lines %j taken out are told once, where they are missing", (places, words) => {
  const { problems } = include(without(...places));
  expect(problems[0]!.check).toBe("line order");
  expect(problems.filter(({ check }) => check === "line order").map((problem) => problemWords(problem, "EUR"))).toEqual([words]);
  expect(problems.map(({ check }) => check)).toContain("lines root");
});

test("lines taken out at two places are told twice, and a changed one by its own number", () => {
  const cut = without(2, 5);
  cut.records[5]!.rate = "another";
  const problems = include(cut).problems.filter(({ check }) => check.startsWith("line") && check !== "lines root" && check !== "line count");
  expect(problems).toEqual([
    { check: "line order", line: 1, missing: 1 },
    { check: "line order", line: 4, missing: 1 },
    { check: "line", line: 7 },
  ]);
  expect(lineOfProblem(cut, 7)).toBe(cut.records[5]);
});

test("swapped lines are both named, by their places", () => {
  const swapped = without();
  [swapped.records[1], swapped.records[2]] = [swapped.records[2]!, swapped.records[1]!];
  const named = include(swapped).problems.filter(({ check }) => check === "line order");
  expect(named.map(({ line }) => line)).toEqual([1, 2]);
  expect(lineOfProblem(swapped, 1).index).toBe("2");
});
