/** Runs asynchronous operations one after the other, in the order they were added. */
export class OperationChain {
  readonly #failed: (thrown: unknown) => void;
  #last: Promise<void> = Promise.resolve();
  #stopped = false;

  /** `failed` is told what an operation throws; the next one runs all the same. */
  constructor(failed: (thrown: unknown) => void) {
    this.#failed = failed;
  }

  add(operation: () => Promise<void>): void {
    this.#last = this.#last.then(async () => {
      if (this.#stopped) return;
      try {
        await operation();
      } catch (thrown) {
        if (!this.#stopped) this.#failed(thrown);
      }
    });
  }

  /** Operations not begun will not run. */
  stop(): void {
    this.#stopped = true;
  }
}
