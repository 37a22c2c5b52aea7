import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type Limits, run } from "./processes.ts";
import type { Result } from "./steps.ts";

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
};

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    /** What broke outside of the tests of the file. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

const FAILURE_LINES = 4;

/** What failed, in short and before everything that did not: a log is read from its start. */
const failures = (report: Report | undefined): string => {
  const short = (text: string): string => {
    const lines = text.trim().split("\n").slice(0, FAILURE_LINES);
    return lines.map((line) => `\n      ${line}`).join("");
  };
  return (report?.testResults ?? [])
    .flatMap(({ name, message, assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === "failed");
      const told = failed.map(
        ({ fullName, failureMessages }) =>
          `  failed: ${basename(name)}: ${fullName}${short(failureMessages?.join("\n") ?? "")}`,
      );
      return message === "" ? told : [...told, `  failed: ${basename(name)}${short(message)}`];
    })
    .join("\n");
};

/** Tests that passed only when they were run again, as the default reporter marks them. */
const againNote = (output: string): string => {
  const again = [...output.matchAll(/^\s*✓ (.+?)(?: \d+ms)? \(retry x\d+\)/gm)];
  return again.length === 0
    ? ""
    : `, at the second try: ${again.map(([, name]) => name).join("; ")}`;
};

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
    const told = readJson(report) as Report | undefined;
    const passed = told?.numPassedTests ?? 0;
    const failedTests = told?.numFailedTests ?? 0;
    const failed = code !== 0 && failedTests === 0 ? 1 : failedTests;
    const note = `${passed + failedTests} tests${coverageNote(root)}${againNote(output)}`;
    return { passed, failed, note, output: `${failures(told)}\n${output}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
