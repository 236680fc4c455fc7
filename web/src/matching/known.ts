/** Which numbers a phone's lists know, of calls and of messages apart (docs/matching.md, section 9, "Known numbers"). */

import type { Canonical, Numbers } from "./numbers";
import { relate, tail } from "./numbers";
import type { Entry, Kind, PhoneLog } from "./types";

type List = "calls" | "messages";
const LISTS: readonly List[] = ["calls", "messages"];

const listOf = (kind: Kind): List => (kind === "call" ? "calls" : "messages");

/** The lists that an entry speaks for: an app's, for each list that its log keeps. */
function listsOf(entry: Entry, kept: ReadonlySet<List>): readonly List[] {
  return entry.kind === "app" ? [...kept] : [listOf(entry.kind)];
}

/** The numbers of one list, so that most look-ups need no search. */
class Known {
  private readonly forms = new Map<string, Canonical>();
  private readonly tails = new Set<string>();
  private readonly answers = new Map<string, boolean>();

  add(form: Canonical): void {
    if (form.text === "") return;
    this.forms.set(form.text, form);
    const end = tail(form);
    if (end !== null) this.tails.add(end);
  }

  has(form: Canonical): boolean {
    let answer = this.answers.get(form.text);
    if (answer === undefined) this.answers.set(form.text, (answer = this.find(form)));
    return answer;
  }

  private find(form: Canonical): boolean {
    if (form.text === "") return false;
    const end = tail(form);
    if (end !== null && this.tails.has(end)) return true;
    return [...this.forms.values()].some((other) => ["same", "alike"].includes(relate(form, other)));
  }
}

export class KnownNumbers {
  private readonly lists: Record<List, Known> = { calls: new Known(), messages: new Known() };

  constructor(
    logs: readonly PhoneLog[],
    private readonly numbers: Numbers,
  ) {
    for (const { entries } of logs) {
      const kept = new Set(LISTS.filter((list) => entries.some(({ kind }) => kind !== "app" && listOf(kind) === list)));
      for (const entry of entries) for (const list of listsOf(entry, kept)) this.lists[list].add(numbers.canonical(entry.number));
    }
  }

  /** Whether some log's list of this kind has an entry with this number. */
  has(number: string, kind: Kind): boolean {
    return this.lists[listOf(kind)].has(this.numbers.canonical(number));
  }
}
