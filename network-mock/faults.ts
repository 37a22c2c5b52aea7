// What goes wrong on purpose: which calls, how, and how often.
import type { NetworkApi } from "./call.ts";

export type FaultKind =
  /** Answers after `ms`; the effect happens at once. */
  | "slow"
  /** The connection is cut; nothing happened. */
  | "down"
  /** Answers `status` in the API's own words; nothing happened. */
  | "status"
  /** The effect happens, and the answer is not JSON. */
  | "wrong-json"
  /** The effect happens, and the answer is JSON of another shape. */
  | "wrong-shape"
  /** The effect happens, and the connection is cut. */
  | "answer-lost";

export interface Fault {
  readonly kind: FaultKind;
  /** Undefined: all of them, the token endpoint as well. */
  readonly api?: NetworkApi;
  /** `POST`; undefined: all. */
  readonly method?: string;
  /** operationId of the published description; undefined: all. */
  readonly operation?: string;
  /** Of a `status`: 500 unless said. */
  readonly status?: number;
  /** Seconds, with 429 and 503. */
  readonly retryAfter?: number;
  /** Of `slow`. */
  readonly ms?: number;
  /** So many calls; undefined: until cleared. */
  readonly times?: number;
}

export const FAULT_KINDS: readonly FaultKind[] = [
  "slow",
  "down",
  "status",
  "wrong-json",
  "wrong-shape",
  "answer-lost",
];

interface Armed {
  readonly fault: Fault;
  left: number;
}

export interface Met {
  readonly api: NetworkApi;
  readonly method: string;
  readonly operation: string;
}

const meets = (fault: Fault, { api, method, operation }: Met): boolean =>
  (fault.api ?? api) === api &&
  (fault.method ?? method).toUpperCase() === method &&
  (fault.operation ?? operation) === operation;

export class Faults {
  #armed: Armed[] = [];

  add(fault: Fault): void {
    this.#armed.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  /** Clears all, or those of one API. */
  clear(api?: NetworkApi): void {
    this.#armed = this.#armed.filter(({ fault }) => api !== undefined && fault.api !== api);
  }

  list(): Fault[] {
    return this.#armed.map(({ fault, left }) =>
      Number.isFinite(left) ? { ...fault, times: left } : fault,
    );
  }

  /** What befalls this call: slowness, and the first other fault that was added. Each counts as used. */
  take(met: Met): { readonly slowMs: number; readonly fault: Fault | undefined } {
    const meeting = this.#armed.filter(({ fault }) => meets(fault, met));
    const slow = meeting.find(({ fault }) => fault.kind === "slow");
    const other = meeting.find(({ fault }) => fault.kind !== "slow");
    for (const armed of [slow, other]) if (armed !== undefined) armed.left -= 1;
    this.#armed = this.#armed.filter(({ left }) => left > 0);
    return { slowMs: slow?.fault.ms ?? 0, fault: other?.fault };
  }
}
