// `npm test` after the installation. Options: `--only a,b` (steps by name), `--plan` (names, nothing run).
import type { ChildProcess } from "node:child_process";
import { parseArgs } from "node:util";
import { stopTree } from "./processes.ts";
import { GUARD, type Result, STEPS, type Step } from "./steps.ts";

const started = new Set<ChildProcess>();

const track = (child: ChildProcess): void => {
  started.add(child);
  child.once("close", () => started.delete(child));
};

const chosenSteps = (only: string | undefined): readonly Step[] => {
  if (only === undefined) return STEPS;
  const names = only.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `No step ${unknown.join(", ")}; there are ${STEPS.map(({ name }) => name).join(", ")}`,
    );
  }
  // What a chosen step needs comes along.
  const wanted = new Set(names);
  for (const name of wanted) {
    for (const need of STEPS.find((step) => step.name === name)?.needs ?? []) wanted.add(need);
  }
  return STEPS.filter(({ name }) => wanted.has(name));
};

const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;

const tell = (step: Step, result: Result, sinceMs: number): void => {
  const mark = result.failed === 0 ? "ok    " : "FAILED";
  const note = result.note === undefined ? "" : `  ${result.note}`;
  console.log(
    `${mark}  ${step.name.padEnd(13)}${seconds(sinceMs).padStart(8)}  ${step.what}${note}`,
  );
  if (result.failed > 0 && result.output) console.log(`${result.output.trimEnd()}\n`);
};

const runStep = async (step: Step, results: Map<string, Result>): Promise<void> => {
  const since = Date.now();
  const broken = step.needs.filter((name) => (results.get(name)?.failed ?? 0) > 0);
  const result =
    broken.length > 0
      ? { passed: 0, failed: 1, output: `cannot run: ${broken.join(", ")} failed` }
      : await step.run(track);
  results.set(step.name, result);
  tell(step, result, since);
};

const runLane = async (steps: readonly Step[], results: Map<string, Result>): Promise<void> => {
  for (const step of steps) {
    if (stopping === undefined) await runStep(step, results);
  }
};

const check = async (steps: readonly Step[]): Promise<number> => {
  const since = Date.now();
  const results = new Map<string, Result>();
  const lane = (name: Step["lane"]) => steps.filter((step) => step.lane === name);
  await Promise.all([runLane(lane("checks"), results), runLane(lane("code"), results)]);
  await runLane(lane("last"), results);
  const all = [...results.values()];
  const passed = all.reduce((sum, result) => sum + result.passed, 0);
  const failed = all.reduce((sum, result) => sum + result.failed, 0);
  const bad = [...results].filter(([, result]) => result.failed > 0).map(([name]) => name);
  const verdict = bad.length === 0 ? "all steps passed" : `failed: ${bad.join(", ")}`;
  console.log(`\n${results.size} steps in ${seconds(since)}, ${verdict}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
};

let stopping: Promise<void> | undefined;

const stopAll = async (): Promise<void> => {
  const pids = [...started].map(({ pid }) => pid).filter((pid) => pid !== undefined);
  await Promise.all(pids.map((pid) => stopTree(pid)));
};

const stopOnRequest = (): void => {
  const stop = (): void => {
    stopping ??= stopAll().then(() => process.exit(1));
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"]) process.on(name, stop);
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: { only: { type: "string" }, plan: { type: "boolean" } },
  });
  const steps = chosenSteps(values.only);
  if (values.plan === true) {
    for (const { name, what } of steps) console.log(`${name.padEnd(13)}  ${what}`);
    return 0;
  }
  if (process.env[GUARD] !== undefined && steps.some(({ lane }) => lane === "last")) {
    throw new Error("npm test was started by one of its own tests");
  }
  return check(steps);
};

stopOnRequest();
try {
  process.exitCode = await main();
} catch (fault) {
  console.error(fault instanceof Error ? fault.message : fault);
  process.exitCode = 1;
}
// A run that is being stopped ends early, but not before all it started is gone.
await stopping;
// The channel to the process that started us would keep us.
process.exit();
