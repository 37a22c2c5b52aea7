import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** A process with the moment it began: numbers are given out again, pairs are not. */
export interface ProcessId {
  readonly pid: number;
  readonly parent: number;
  readonly began: string;
}

const POLL_MS = 50;

/** `4306 (node) S 4299 ... ` where the name may hold spaces and parentheses (proc(5)). */
const readStat = (pid: string): ProcessId | undefined => {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent] = fields;
  // Nobody may be there to collect a dead orphan: a zombie is gone.
  if (state === undefined || "ZX".includes(state)) return undefined;
  return { pid: Number(pid), parent: Number(parent), began: fields[19] ?? "" };
};

const listByPs = (): ProcessId[] =>
  execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,lstart="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , stat]) => stat !== undefined && !stat.startsWith("Z"))
    .map(([pid, parent, , ...began]) => ({
      pid: Number(pid),
      parent: Number(parent),
      began: began.join(" "),
    }));

export const runningProcesses = (): ProcessId[] =>
  process.platform === "linux"
    ? readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(readStat)
        .filter((found) => found !== undefined)
    : listByPs();

/** The process and all below it, children before grandchildren. */
export const processTree = (pid: number): ProcessId[] => {
  const all = runningProcesses();
  const tree = all.filter((one) => one.pid === pid);
  for (const above of tree) tree.push(...all.filter((one) => one.parent === above.pid));
  return tree;
};

export const stillRunning = (processes: readonly ProcessId[]): ProcessId[] => {
  const now = runningProcesses();
  return processes.filter((one) =>
    now.some((other) => other.pid === one.pid && other.began === one.began),
  );
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It left by itself.
  }
};

const allGone = async (processes: readonly ProcessId[], limitMs: number): Promise<boolean> => {
  const end = Date.now() + limitMs;
  while (stillRunning(processes).length > 0) {
    if (Date.now() > end) return false;
    await delay(POLL_MS);
  }
  return true;
};

/**
 * Asks a process to end (SIGTERM) and waits until its whole tree is gone; what is left after
 * `graceMs` is killed by number. `known` are descendants seen earlier, in case it died first.
 */
export const stopTree = async (
  pid: number,
  graceMs = 8_000,
  known: readonly ProcessId[] = [],
): Promise<void> => {
  const below = processTree(pid);
  const tree = [...below, ...known];
  // Nobody is left to tell the others when the first has died.
  for (const one of below.length > 0 ? below.slice(0, 1) : stillRunning(known)) {
    signal(one.pid, "SIGTERM");
  }
  if (await allGone(tree, graceMs)) return;
  for (const left of stillRunning(tree)) signal(left.pid, "SIGKILL");
  await allGone(tree, 2_000);
};

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

export interface Limits {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly limitMs: number;
  /** Gives a Node program a channel that closes when we are gone; see follow-parent.mjs. */
  readonly channel?: boolean;
  /** Sees the process once it runs, so that an interrupted caller can stop it. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs a program to its end without a terminal; its output is kept, both streams in one. */
export const run = (file: string, args: readonly string[], limits: Limits): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: limits.cwd,
      env: limits.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe", ...(limits.channel === true ? ["ipc" as const] : [])],
    });
    limits.onStart?.(child);
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
    const timer = setTimeout(() => {
      chunks.push(Buffer.from(`\n${file} was stopped after ${limits.limitMs / 1000} s\n`));
      if (child.pid !== undefined) void stopTree(child.pid, 5_000);
    }, limits.limitMs);
    const end = (code: number): void => {
      clearTimeout(timer);
      resolve({ code, output: Buffer.concat(chunks).toString() });
    };
    child.on("error", (fault) => {
      chunks.push(Buffer.from(`${file}: ${fault.message}\n`));
      end(1);
    });
    child.on("close", (code) => end(code ?? 1));
  });
