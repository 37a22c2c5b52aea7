// The mock's own record of what it was asked and what it told: tests compare this, not what the caller believes.

export interface LogEntry {
  /** Milliseconds since 1970, when it came in or went out. */
  readonly at: number;
  /** `in`: a call at the mock; `out`: a notification of the mock's. */
  readonly way: "in" | "out";
  readonly api: string;
  readonly method: string;
  /** Path and query of a call, URL of a notification. */
  readonly path: string;
  /** operationId of the published description. */
  readonly operation?: string;
  readonly body?: unknown;
  /** Undefined while it runs, and where the connection was cut. */
  status?: number;
  /** As sent. */
  answer?: unknown;
  /** A fault that befell it, or why a notification did not arrive. */
  note?: string;
}

export class Log {
  readonly entries: LogEntry[] = [];
  readonly #limit: number;

  /** Keeps the last `limit` entries. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  begin(entry: Omit<LogEntry, "at">): LogEntry {
    const begun: LogEntry = { at: Date.now(), ...entry };
    this.entries.push(begun);
    if (this.entries.length > this.#limit) this.entries.shift();
    return begun;
  }

  clear(): void {
    this.entries.length = 0;
  }
}
