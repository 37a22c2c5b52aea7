/** What PeerJS calls an error: `type` is for programs. */
export interface PeerError extends Error {
  /** Such as `peer-unavailable`; PeerJS's words. */
  readonly type: string;
}

/** An error of the kind that `error` events carry. */
export function peerError(type: string, message: string): PeerError {
  return Object.assign(new Error(message), { type });
}

/** The part of an event emitter that pages written for PeerJS use. `E` gives the arguments of each event. */
export class PeerEvents<E extends Record<keyof E, unknown[]>> {
  /** Listeners by event, and whether they want to hear of one only. */
  readonly #listeners = new Map<keyof E, Map<unknown, boolean>>();

  /** Adds a listener. */
  on<K extends keyof E>(type: K, listener: (...values: E[K]) => void, isOnce = false): this {
    const listeners = this.#listeners.get(type) ?? new Map<unknown, boolean>();
    this.#listeners.set(type, listeners.set(listener, isOnce));
    return this;
  }

  /** Adds a listener that hears of one event only. */
  once<K extends keyof E>(type: K, listener: (...values: E[K]) => void): this {
    return this.on(type, listener, true);
  }

  /** Takes a listener away, or all of this event. */
  off<K extends keyof E>(type: K, listener?: (...values: E[K]) => void): this {
    if (listener) this.#listeners.get(type)?.delete(listener);
    else this.#listeners.delete(type);
    return this;
  }

  /** Calls the listeners; what one of them throws does not concern the others. */
  emit<K extends keyof E>(type: K, ...values: E[K]): void {
    for (const [listener, isOnce] of [...(this.#listeners.get(type) ?? [])]) {
      if (isOnce) this.#listeners.get(type)?.delete(listener);
      try {
        (listener as (...values: E[K]) => void)(...values);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
