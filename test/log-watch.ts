import { afterAll, expect, vi } from "vitest";
import { secretLines } from "./secret-patterns.ts";

/**
 * Runs before every test file, in the isolate of the Worker and its objects: all that they or the tests write to
 * the console is looked through when the file is done (A4). A test that takes the console for itself looks itself.
 */

/** As vitest.config.ts binds them. */
const SECRETS = ["test-key", "second-key", "test-secret-of-at-least-32-characters", "turn-secret"];

const LEVELS = ["debug", "error", "info", "log", "trace", "warn"] as const;

const textOf = (word: unknown): string => {
  if (typeof word === "string") return word;
  if (word instanceof Error) return word.stack ?? word.message;
  try {
    return JSON.stringify(word) ?? String(word);
  } catch {
    return String(word);
  }
};

const written: string[] = [];

/** As the console was before this file: files share an isolate. */
const putBack: (() => void)[] = [];

// biome-ignore-start lint/suspicious/noConsole: what is written there is what this is about
for (const level of LEVELS) {
  const write = console[level];
  console[level] = (...words: unknown[]) => {
    written.push(words.map(textOf).join(" "));
    write.apply(console, words);
  };
  putBack.push(() => {
    console[level] = write;
  });
}
// biome-ignore-end lint/suspicious/noConsole: see above

afterAll(() => {
  // The next file gets the isolate as this one got it.
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  for (const act of putBack) act();
  expect(secretLines(written.join("\n"), [], SECRETS), "[A4] in the log of this file").toEqual([]);
});
