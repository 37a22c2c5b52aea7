import { CHECK_IDS, CHECKS } from "./catalogue.ts";
import type { Verdicts } from "./verdicts.ts";

const DOCUMENT = "docs/media-server.md";
const MARKS = { pass: "pass", fail: "FAIL", skip: "skip" } as const;

/** For people: a line for each check, and under it why it failed. */
export function tableOf(verdicts: Verdicts, tookMs: number): string {
  const width = Math.max(...CHECK_IDS.map((id) => id.length));
  const rows = CHECK_IDS.flatMap((id) => {
    const { level, demand, clause } = CHECKS[id];
    const { outcome, reason } = verdicts.of(id);
    const line = `${MARKS[outcome]}  ${level.padEnd(6)}  ${id.padEnd(width)}  ${demand}`;
    if (outcome === "pass") return [line];
    if (outcome === "skip") return [`${line} (${reason})`];
    return [line, `        ${reason}`, `        ${DOCUMENT}${clause}`];
  });
  const count = (outcome: string, level?: string) =>
    CHECK_IDS.filter(
      (id) =>
        verdicts.of(id).outcome === outcome && (level === undefined || CHECKS[id].level === level),
    ).length;
  const counts = `${count("pass")} passed, ${count("fail", "must")} failed, ${count("fail", "advice")} against advice, ${count("skip")} skipped`;
  return [...rows, "", `${counts}, ${(tookMs / 1000).toFixed(0)} s`].join("\n");
}

/** For programs. */
export function documentOf(verdicts: Verdicts, tookMs: number): string {
  const checks = CHECK_IDS.map((id) => ({
    id,
    ...CHECKS[id],
    clause: `${DOCUMENT}${CHECKS[id].clause}`,
    ...verdicts.of(id),
  }));
  return JSON.stringify({ passed: verdicts.passed, tookMs: Math.round(tookMs), checks }, null, 2);
}

/** All checks, for `--list`. */
export function listOf(): string {
  const width = Math.max(...CHECK_IDS.map((id) => id.length));
  return CHECK_IDS.map((id) => {
    const { level, demand } = CHECKS[id];
    return `${level.padEnd(6)}  ${id.padEnd(width)}  ${demand}`;
  }).join("\n");
}
