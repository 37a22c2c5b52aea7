// Timers by name: set anew they replace what was set, and all of them can be stopped.

/** The longest that setTimeout takes. */
const LONGEST_MS = 2 ** 31 - 1;

export class Timers {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  set(name: string, ms: number, act: () => void): void {
    this.clear(name);
    const due = (): void => {
      this.#timers.delete(name);
      act();
    };
    this.#timers.set(name, setTimeout(due, Math.min(Math.max(0, ms), LONGEST_MS)));
  }

  clear(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  clearAll(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
