import { expect, test } from "vitest";
import { judgePublication, namesTariff, OddAnswer, type Publication, type PublishedLine, readTariffState, tariffCall, UNKNOWN, UNNAMED } from "../../src/tariff/publication";
import { vectors } from "../protocol/vectors";

interface Case {
  name: string;
  period: string;
  operatorId: string;
  tariff: string;
  lines: PublishedLine[];
  call: string | null;
  answer: string | null;
  status: string;
  faults: string[];
}

const { cases } = vectors("publication") as { cases: Case[] };

function judged({ period, tariff, lines, answer }: Case): Publication {
  if (!namesTariff(tariff)) return UNNAMED;
  try {
    return judgePublication(period, lines, readTariffState(answer));
  } catch (error) {
    if (error instanceof OddAnswer) return UNKNOWN;
    throw error;
  }
}

test.each(cases.map((one) => [one.name, one] as const))("%s", (_, one) => {
  const { status, faults } = judged(one);
  expect({ status, faults }).toEqual({ status: one.status, faults: one.faults });
  expect(namesTariff(one.tariff) ? tariffCall(BigInt(one.operatorId), one.tariff) : null).toBe(one.call);
});
