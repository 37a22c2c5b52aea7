import { readdirSync, readFileSync } from "node:fs";
import { processTree } from "../scripts/processes.ts";

/** Memory and time of processes, from /proc (Linux). */

const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;

/** Bytes of a process that are in memory. */
export const residentBytes = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;

/** Seconds of processor time that a process and all below it have used so far. */
export const processorSeconds = (pid: number): number =>
  processTree(pid).reduce((sum, one) => sum + secondsOf(one.pid, 13), 0);

/** utime and stime (proc(5)), counted from the state; up to field 15 also those of children that have ended. */
function secondsOf(pid: number, end: 13 | 15): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields.slice(11, end).reduce((sum, each) => sum + Number(each), 0) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/**
 * Microseconds of processor time that a process and all below it have used so far. Finer than the ticks of
 * `processorSeconds`, for short measurements, but threads that have ended are left out.
 */
export const processorMicroseconds = (pid: number): number =>
  processTree(pid).reduce((sum, one) => sum + threadsMicroseconds(one.pid), 0);

function threadsMicroseconds(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
      // Nanoseconds on a processor come first.
      const [ran] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      return sum + Number(ran) / 1000;
    }, 0);
  } catch {
    return 0;
  }
}

/** Seconds that this process and all it has started have used so far, those that have ended included. */
export const treeSeconds = (): number =>
  processTree(process.pid).reduce((sum, one) => sum + secondsOf(one.pid, 15), 0);

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
