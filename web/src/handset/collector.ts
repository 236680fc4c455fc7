/** Entries and rejects of one file as they are read. */

import { RowError } from "./problems";
import { PhoneLogError, type Entry, type PhoneLog, type Reject } from "./types";

const MAX_ENTRIES = 5_000_000;
const MAX_REJECTS = 10_000;

export class Collector {
  readonly entries: Entry[] = [];
  readonly rejects: Reject[] = [];
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Adds what `convert` gives; a row that it refuses becomes a reject. */
  add(line: number, convert: () => Entry | Entry[] | null): void {
    try {
      const made = convert();
      if (made === null) return;
      if (Array.isArray(made)) this.entries.push(...made);
      else this.entries.push(made);
    } catch (problem) {
      if (!(problem instanceof RowError)) throw problem;
      if (this.rejects.length < MAX_REJECTS) {
        this.rejects.push({ line, field: problem.field, reason: problem.reason });
      }
    }
    if (this.entries.length > MAX_ENTRIES) {
      throw new PhoneLogError("too-large", `${this.name}: more than ${MAX_ENTRIES} entries; export a shorter time`);
    }
  }

  log(format: string, options: Partial<Pick<PhoneLog, "clock" | "step" | "durationStep" | "exportedAt">> = {}): PhoneLog {
    return {
      name: this.name,
      format,
      clock: "utc",
      step: 1,
      durationStep: 1,
      exportedAt: null,
      ...options,
      entries: this.entries,
      rejects: this.rejects,
    };
  }
}
