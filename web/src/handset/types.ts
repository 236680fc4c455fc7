/** What a phone log and its entries are (docs/matching.md, section 1). */

export interface Entry {
  kind: 'call' | 'message' | 'mms' | 'app';
  direction: 'in' | 'out';
  answered: 'yes' | 'no' | 'unknown';
  /** As the log has it; empty when withheld. */
  number: string;
  /** Seconds, on the log's clock. */
  at: number;
  /** Seconds, -1 when unknown. */
  duration: number;
  /** Segments of a message, 0 when unknown. */
  parts: number;
  /** Which SIM, in the log's own words; empty when unknown. */
  sim: string;
}

/** A row that could not be used: its line (or place, from 1, where a format has no lines), and why. */
export interface Reject {
  line: number;
  field: string;
  reason: string;
}

export interface PhoneLog {
  name: string;
  format: string;
  clock: 'utc' | 'local';
  step: number;
  durationStep: number;
  exportedAt: number | null;
  entries: Entry[];
  rejects: Reject[];
}

/** A file that cannot be read as a phone log. */
export class PhoneLogError extends Error {
  readonly code: string;
  readonly detail: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.name = 'PhoneLogError';
    this.code = code;
    this.detail = detail;
  }
}
