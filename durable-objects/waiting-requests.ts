import type { Problem } from "../protocol/problem.ts";
import type { Described } from "../protocol/session.ts";

type Outcome = Described | Problem;

/**
 * HTTP requests that wait for the other side. They are in memory only: a request that is open keeps the object there, and
 * one whose object was restarted has failed.
 */
export class WaitingRequests {
  readonly #open = new Map<string, (outcome: Outcome) => void>();
  readonly #turns = new Map<string, Promise<unknown>>();

  /** Resolves with what the peer is told next; `late` is asked to tell it after so many milliseconds. */
  async wait(peer: string, timeoutMs: number, late: () => void): Promise<Outcome> {
    const timer = setTimeout(late, timeoutMs);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#open.set(peer, resolve);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      // Another one may have taken its place: a publisher that came again.
      if (this.#open.get(peer) === resolve) this.#open.delete(peer);
    }
  }

  /** Nobody may be waiting any more: then it is no news to anybody. */
  resolve(peer: string, outcome: Outcome): void {
    this.#open.get(peer)?.(outcome);
  }

  /** Requests about one resource are done one after the other (RFC 9725 s4.3.1 lets a client send several). */
  async inTurn<T>(resource: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(resource);
    const turn = (before ?? Promise.resolve()).then(work, work);
    this.#turns.set(resource, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(resource) === turn) this.#turns.delete(resource);
    }
  }
}
