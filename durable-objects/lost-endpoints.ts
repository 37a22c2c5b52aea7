import type { EndpointMemory } from "./endpoint-memory.ts";

/** What an endpoint had when its socket was lost. */
interface Lost extends Pick<EndpointMemory, "newest" | "answered" | "calls"> {
  readonly granted: string | undefined;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** As long as a session waits for a peer by default (S5). */
const RESUME_MS = 60_000;
const PREFIX = "lost ";

/** Calls of endpoints whose sockets are lost: who comes back in time is in them still. A row for each, and none without a call. */
export class LostEndpoints {
  readonly #kv: SyncKvStorage;

  constructor({ kv }: DurableObjectStorage) {
    this.#kv = kv;
  }

  /** Gives when it is forgotten; undefined when there is nothing to keep. */
  put(source: string, had: Omit<Lost, "until">, at: number): number | undefined {
    if (had.calls.length === 0) return undefined;
    const until = at + RESUME_MS;
    this.#kv.put<Lost>(`${PREFIX}${source}`, { ...had, until });
    return until;
  }

  /** What an endpoint that is back had, if it is the same. */
  take(source: string, granted: string | undefined, at: number): Lost | undefined {
    const lost = this.#kv.get<Lost>(`${PREFIX}${source}`);
    if (!lost || lost.granted !== granted) return undefined;
    this.#kv.delete(`${PREFIX}${source}`);
    return lost.until > at ? lost : undefined;
  }

  /** Forgets those whose time is over; gives when the next one is, or infinity. */
  expire(at: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [key, { until }] of this.#kv.list<Lost>({ prefix: PREFIX })) {
      if (until <= at) this.#kv.delete(key);
      else next = Math.min(next, until);
    }
    return next;
  }
}
