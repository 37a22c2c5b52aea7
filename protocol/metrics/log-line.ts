import type { LogLevel } from "../config.ts";
import type { Change } from "./lifecycle.ts";

/** Failures are worth a look by themselves; all else is told to whoever asked for it. */
export function levelOf({ kind }: Change): Exclude<LogLevel, "error"> {
  return kind === "link-failed" || kind === "webhook-dead" ? "warn" : "info";
}

/**
 * One change as a line of the log: `{"level":"info","event":"peer-joined","session":"…","peer":"…",…}`. Ids and codes only
 * (A4): what a `Change` has.
 */
export function logLineOf(session: string, change: Change): string {
  const { kind: event, ...about } = change;
  return JSON.stringify({ level: levelOf(change), event, session, ...about });
}
