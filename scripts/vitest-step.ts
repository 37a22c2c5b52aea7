import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Limits, run } from "./processes.ts";
import type { Result } from "./steps.ts";

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
};

interface Counts {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

interface Coverage {
  readonly total: Record<"lines" | "branches", { readonly pct: number }>;
}

const coverageNote = (root: string): string => {
  const summary = readJson(join(root, "coverage", "coverage-summary.json")) as Coverage | undefined;
  if (summary === undefined) return "";
  const { lines, branches } = summary.total;
  return `, covered: lines ${lines.pct} %, branches ${branches.pct} %`;
};

/** vitest and its workers end when we are gone: the option reaches all Node programs below. */
const followed = (env: NodeJS.ProcessEnv | undefined): NodeJS.ProcessEnv => {
  const follow = `--import=${new URL("follow-parent.mjs", import.meta.url).href}`;
  return { ...env, NODE_OPTIONS: [env?.NODE_OPTIONS, follow].filter(Boolean).join(" ") };
};

/** Runs a project of vitest.config.ts; a run that breaks outside its tests counts as one failure more. */
export const runVitest = async (
  root: string,
  project: string,
  more: readonly string[],
  limits: Limits,
): Promise<Result> => {
  const folder = mkdtempSync(join(tmpdir(), "duplex-vitest-"));
  const report = join(folder, "report.json");
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const args = [vitest, "run", "--project", project, ...reporters, ...more];
  rmSync(join(root, "coverage", "coverage-summary.json"), { force: true });
  try {
    const { code, output } = await run(process.execPath, args, {
      cwd: root,
      ...limits,
      env: followed(limits.env),
      channel: true,
    });
    const counts = readJson(report) as Counts | undefined;
    const passed = counts?.numPassedTests ?? 0;
    const failedTests = counts?.numFailedTests ?? 0;
    const failed = code !== 0 && failedTests === 0 ? 1 : failedTests;
    const note = `${passed + failedTests} tests${coverageNote(root)}`;
    return { passed, failed, note, output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
