import { readFileSync } from "node:fs";
import { processTree } from "../scripts/processes.ts";

/** Memory and time of processes, from /proc (Linux). */

const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;

/** Bytes of a process that are in memory. */
export const residentBytes = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;

/** Seconds of processor time that a process and all below it have used so far. */
export const processorSeconds = (pid: number): number =>
  processTree(pid).reduce((sum, one) => sum + ownSeconds(one.pid), 0);

function ownSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // utime and stime (proc(5)), counted from the state.
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Seconds of processor time that the machine has used so far, all processors and everybody together. */
export function machineSeconds(): number {
  // `cpu  user nice system idle iowait irq softirq steal ...` (proc(5))
  const [first = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const ticks = first.split(/\s+/).slice(1, 9).map(Number);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return (ticks.reduce((sum, each) => sum + each, 0) - idle) / TICKS_PER_SECOND;
}

export interface Sample {
  /** Since the load was complete. */
  readonly ms: number;
  readonly bytes: number;
}

/** By how much memory grows a minute: the slope of the line that is nearest to all samples. */
export function growthPerMinute(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const at = mean(samples.map(({ ms }) => ms));
  const level = mean(samples.map(({ bytes }) => bytes));
  const together = samples.map(({ ms, bytes }) => (ms - at) * (bytes - level));
  const alone = samples.map(({ ms }) => (ms - at) ** 2);
  return (mean(together) / mean(alone)) * 60_000;
}
