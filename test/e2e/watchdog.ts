import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ProcessId, processTree, stillRunning, stopTree } from "../../scripts/processes.ts";

/**
 * A process of its own that tidies up when we are gone, however we went: browsers and TURN servers do
 * not notice the death of who started them, and nobody else knows our folders.
 */
let watchdog: ChildProcess | undefined;

const tell = (line: string): void => {
  watchdog ??= spawn(process.execPath, [fileURLToPath(import.meta.url), "watch"], {
    stdio: ["pipe", "ignore", "ignore"],
    // Not in our group: a Ctrl-C must not end it before us.
    detached: true,
  });
  watchdog.unref();
  watchdog.stdin?.write(`${line}\n`);
};

/** The process is stopped when we are gone and it still runs. */
export const guard = (pid: number): void => tell(`process ${pid}`);

/** A folder for temporary files that is removed when we are gone, at the latest. */
export const temporaryFolder = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), `duplex-${name}-`));
  tell(`folder ${folder}`);
  return folder;
};

const watch = async (): Promise<void> => {
  const guarded: ProcessId[] = [];
  const folders: string[] = [];
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, value = ""] = line.split(/ (.*)/);
    if (what === "folder") folders.push(value);
    else guarded.push(...processTree(Number(value)).slice(0, 1));
  }
  await Promise.all(stillRunning(guarded).map(({ pid }) => stopTree(pid, 3_000)));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
};

// As a program only; vitest imports this file with arguments of its own.
if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === "watch") {
  await watch();
}
