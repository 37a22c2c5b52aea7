/** Called with the event each time one of its type happens. */
export type Listener<T> = (event: T) => void;

/** A typed list of listeners; `Events` maps each event type to what its listeners are given. */
export class Emitter<Events> {
  readonly #listeners: { [K in keyof Events]?: Set<Listener<Events[K]>> } = {};

  /** Adds a listener. The function returned takes it away again. */
  on<K extends keyof Events>(type: K, listener: Listener<Events[K]>): () => void {
    const listeners: Set<Listener<Events[K]>> = this.#listeners[type] ?? new Set();
    this.#listeners[type] = listeners;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Calls the listeners of a type; what one of them throws does not concern the others. */
  emit<K extends keyof Events>(type: K, event: Events[K]): void {
    for (const listener of [...(this.#listeners[type] ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        // A listener's mistake is the application's; it must not stop a negotiation half way.
        reportError(error);
      }
    }
  }
}
