import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ProcessId, processTree, stillRunning, stopTree } from "../../scripts/processes.ts";

/**
 * A process of its own that stops what it was told of when we are gone, however we went: browsers and
 * TURN servers do not notice the death of who started them.
 */
let watchdog: ChildProcess | undefined;

export const guard = (pid: number): void => {
  watchdog ??= spawn(process.execPath, [fileURLToPath(import.meta.url), "watch"], {
    stdio: ["pipe", "ignore", "ignore"],
    // Not in our group: a Ctrl-C must not end it before us.
    detached: true,
  });
  watchdog.unref();
  watchdog.stdin?.write(`${pid}\n`);
};

const watch = async (): Promise<void> => {
  const guarded: ProcessId[] = [];
  for await (const line of createInterface({ input: process.stdin })) {
    guarded.push(...processTree(Number(line)).slice(0, 1));
  }
  await Promise.all(stillRunning(guarded).map(({ pid }) => stopTree(pid, 3_000)));
};

// As a program only; vitest imports this file with arguments of its own.
if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === "watch") {
  await watch();
}
