import type { ProblemCode } from "../protocol/problem.ts";

/** The same refusal is told once in so long, with how often it came. */
const QUIET_MS = 10_000;

interface Told {
  readonly at: number;
  /** How often since. */
  readonly times: number;
}

/** Refusals that are told: a peer that goes on makes no flood of them. In memory only, so the last ones may stay untold. */
export class RefusalTally {
  readonly #told = new Map<ProblemCode, Told>();

  /** Counts one more; gives how many are told of now, 0 for none. `at` is milliseconds since 1970. */
  count(code: ProblemCode, at: number): number {
    const told = this.#told.get(code);
    const times = (told?.times ?? 0) + 1;
    const isQuiet = told !== undefined && at - told.at < QUIET_MS;
    this.#told.set(code, isQuiet ? { ...told, times } : { at, times: 0 });
    return isQuiet ? 0 : times;
  }
}
