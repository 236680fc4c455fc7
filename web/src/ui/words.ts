/** Steps, problems and notes of a report in the reader's words. */

import { hasKey, type Key, t } from "../i18n";
import { isBundle } from "../protocol/documents";
import type { Problem } from "../protocol/inclusion";
import type { Report, Step } from "../verify";
import { printable, type Words } from "../chain/errors";
import { END_OF_TIME } from "../tariff/publication";
import { date, money, wallTime } from "./format";

/** The company as it is called here: a pin's name, the domain that is proved, or its number; anybody can register a name. */
export function companyOf(report: Report): string {
  const { identity } = report;
  const proved = identity?.status === "pinned" ? identity.name : identity?.status === "bound" ? identity.domain : "";
  return proved || `#${report.document?.batch.operatorId ?? "?"}`;
}

/** The words for a receipt, which proves one line and no bill, where there are some. */
export function ofReceipt(key: Key, { document }: Pick<Report, "document">): Key {
  const own = `${key}.receipt`;
  return document && !isBundle(document) && hasKey(own) ? own : key;
}

export function stepWords(step: Step, report: Pick<Report, "document">): string {
  const { words } = step;
  const said: Words = {};
  for (const [name, value] of Object.entries(words)) said[name] = typeof value === "string" ? printable(value) : value;
  if (words.lines !== undefined) said.n = words.lines;
  if (words.total !== undefined) said.money = money(String(words.total), String(words.currency));
  if (words.at !== undefined) said.date = date(Number(words.at));
  const key = `step.${step.code}`;
  return hasKey(key) ? t(ofReceipt(key, report), said) : step.code;
}

export function problemWords(problem: Problem, currency: string): string {
  const isMoney = problem.check === "total";
  const shown = (value = ""): string => (isMoney ? money(value, currency) : value);
  const { missing } = problem;
  const key = missing === undefined ? (`problem.${problem.check}` as const) : problem.line === null ? "problem.noFirst" : "problem.noLine";
  return t(key, {
    n: missing ?? 0,
    line: problem.line === null ? "" : problem.line + 1,
    said: shown(problem.said),
    found: shown(problem.found),
  });
}

/** What is known of the publication of the bill's tariff; "" where it names none. */
export function publicationWords({ publication }: Report): string {
  const { status, faults, state } = publication;
  if (status === "none") return "";
  if (!state || status === "unpublished" || status === "no-book" || status === "unknown") return t(`published.${status as "unpublished" | "no-book" | "unknown"}`);
  const { publishedAt, validFrom, validUntil, withdrawnFrom } = state;
  const from = wallClock(validFrom);
  const validity = validUntil ? t("published.fromTo", { from, to: wallClock(validUntil, true) }) : t("published.from", { from });
  const said = [t("published.published", { date: date(Number(publishedAt)), validity })];
  for (const fault of faults) said.push(t(`published.${fault}`, { date: wallClock(withdrawnFrom) }));
  return said.join(" ");
}

/** A time that is written as if it were UTC: its day, and the time where it is not midnight. An end is not included: of one at midnight, the day before. */
function wallClock(seconds: bigint, end = false): string {
  if (seconds >= END_OF_TIME) return t("published.beyond");
  const whole = seconds % 86_400n === 0n;
  return wallTime(Number(end && whole && seconds ? seconds - 86_400n : seconds), whole);
}

/** The sentence below the headline. */
export function summary(report: Report, verdict: string): string {
  const bad = report.steps.find((step) => step.verdict !== "valid");
  if (bad?.code.startsWith("refused.")) return t("say.refused");
  if (bad?.code === "operatorOnly") return t("say.operatorOnly");
  const name = companyOf(report);
  const at = report.answer ? date(report.answer.state.anchoredAt) : "";
  const key = `say.${verdict}`;
  return hasKey(key) ? t(ofReceipt(key, report), { name, date: at }) : "";
}
