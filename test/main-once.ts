/**
 * Runs before every test file. The pool looks the Worker's main module up again, by a round trip to vitest, whenever
 * an object gets a call or a frame; nothing here changes it. Without it the chaos runs take twice as long.
 */

interface ModuleRunner {
  import(specifier: string): Promise<unknown>;
}

interface VitestGlobal {
  /** Internal to vitest: if a later version has no such thing, tests are slower and nothing else. */
  readonly __vitest_mocker__?: { readonly moduleRunner?: ModuleRunner };
}

const { __vitest_mocker__: mocker } = globalThis as typeof globalThis & VitestGlobal;
const runner = mocker?.moduleRunner;

/** Files share an isolate, and what runs before them: done once. */
const DONE = Symbol.for("duplex.test.main-once");

if (runner !== undefined && !(DONE in runner)) {
  Object.assign(runner, { [DONE]: true });
  const load = runner.import.bind(runner);
  const loaded = new Map<string, Promise<unknown>>();
  runner.import = (specifier) => {
    const known = loaded.get(specifier) ?? load(specifier);
    loaded.set(specifier, known);
    return known;
  };
}
