/** What can be wrong with one row; becomes a reject, and the rows around it stay. */
export class RowError extends Error {
  readonly field: string;
  readonly reason: string;

  constructor(field: string, reason: string) {
    super(`${field}: ${reason}`);
    this.field = field;
    this.reason = reason;
  }
}
