import { DuplexError } from "./duplex-error.ts";

/** What PeerJS calls an error: `type` is for programs. */
export interface PeerError extends Error {
  /** Such as `peer-unavailable`; PeerJS's words. */
  readonly type: string;
}

/** An error of the kind that `error` events carry. */
export function peerError(type: string, message: string): PeerError {
  return Object.assign(new Error(message), { type });
}

/** Codes of a `DuplexError` that PeerJS has words for. */
const ERROR_TYPES: Readonly<Record<string, string>> = {
  unauthorized: "invalid-key",
  "unknown-peer": "peer-unavailable",
  "peer-away": "peer-unavailable",
  "signalling-unreachable": "network",
};

/** Whatever was thrown, as an error of that kind. */
export function peerErrorOf(thrown: unknown): PeerError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if ("type" in error) return error as PeerError;
  const known = error instanceof DuplexError ? ERROR_TYPES[error.code] : undefined;
  return peerError(known ?? "server-error", error.message);
}

/** The part of an event emitter that pages written for PeerJS use. `E` gives the arguments of each event. */
export class PeerEvents<E extends Record<keyof E, unknown[]>> {
  /** Listeners by event, and whether they want to hear of one only. */
  readonly #listeners = new Map<keyof E, Map<unknown, boolean>>();

  /** Adds a listener. */
  on<K extends keyof E>(type: K, listener: (...values: E[K]) => void): this {
    return this.#add(type, listener, false);
  }

  /** Adds a listener that hears of one event only. */
  once<K extends keyof E>(type: K, listener: (...values: E[K]) => void): this {
    return this.#add(type, listener, true);
  }

  /** Takes a listener away, or all of this event. */
  off<K extends keyof E>(type: K, listener?: (...values: E[K]) => void): this {
    if (listener) this.#listeners.get(type)?.delete(listener);
    else this.#listeners.delete(type);
    return this;
  }

  /** The same as `on`. */
  addListener<K extends keyof E>(type: K, listener: (...values: E[K]) => void): this {
    return this.on(type, listener);
  }

  /** The same as `off`. */
  removeListener<K extends keyof E>(type: K, listener?: (...values: E[K]) => void): this {
    return this.off(type, listener);
  }

  /** Takes all listeners away, or all of one event. */
  removeAllListeners(type?: keyof E): this {
    if (type === undefined) this.#listeners.clear();
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

  #add(type: keyof E, listener: unknown, isOnce: boolean): this {
    const listeners = this.#listeners.get(type) ?? new Map<unknown, boolean>();
    this.#listeners.set(type, listeners.set(listener, isOnce));
    return this;
  }
}
