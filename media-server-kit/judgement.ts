import { setTimeout as delay } from "node:timers/promises";

/** A demand that is not met, in words for the author of the media server. */
export class Failure extends Error {}

/** What cannot be judged, and why. */
export class Unjudged extends Error {}

export function demand(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new Failure(reason);
}

const LOOK_MS = 25;

/**
 * Looks again until there is something; in vain for that long is a failure, with what was seen instead. The time runs
 * from `sinceMs`, now when left out.
 */
export async function within<T>(
  limitMs: number,
  expected: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  seen?: () => string,
  sinceMs = performance.now(),
): Promise<T> {
  const endMs = sinceMs + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs) {
      const instead = seen === undefined ? "nothing of it" : seen();
      throw new Failure(`expected ${expected} within ${limitMs / 1000} s; saw ${instead}`);
    }
    await delay(LOOK_MS);
  }
}
