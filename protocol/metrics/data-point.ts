import { VERSION } from "../version.ts";
import type { Change } from "./lifecycle.ts";

/**
 * Changes as data points of Workers Analytics Engine. The layout is fixed: docs/metrics.md has it and the queries that rely
 * on it. A column that is not needed any more stays empty.
 */
export interface DataPoint {
  /** The kind of the change. */
  readonly indexes: [string];
  readonly blobs: string[];
  readonly doubles: number[];
}

/** Columns of texts, in their order: `blob1` is the first. */
export const BLOBS = [
  "session",
  "topology",
  "reason",
  "role",
  "via",
  "attempt",
  "localCandidate",
  "remoteCandidate",
  "protocol",
  "version",
] as const;

/** Columns of numbers, in their order: `double1` is the first. */
export const DOUBLES = ["count", "ms", "peers"] as const;

type Texts = Partial<Record<(typeof BLOBS)[number], string>>;

/** What a change happened in: the session as it is after it. */
export interface Place {
  readonly session: string;
  /** Empty where the session is over. */
  readonly topology: string;
  /** How many peers it has. */
  readonly peers: number;
}

function textsOf(change: Change): Texts {
  switch (change.kind) {
    case "session-created":
      return {};
    case "session-ended":
      return { reason: change.reason };
    case "peer-joined":
      return { role: change.role, via: change.via };
    case "peer-left":
      return { role: change.role, via: change.via, reason: change.reason };
    case "link-connected": {
      const { attempt, path } = change;
      const { local, remote, protocol = "" } = path ?? {};
      return {
        attempt,
        protocol,
        ...(local && { localCandidate: local }),
        ...(remote && { remoteCandidate: remote }),
      };
    }
    case "link-failed":
      return { attempt: change.attempt };
    case "refused":
      return { reason: change.code };
    case "webhook-dead":
      return { reason: change.type };
  }
}

const timesOf = (change: Change): number => (change.kind === "refused" ? change.times : 1);

/**
 * The data points of changes that came about together. Those that differ in their times only are one point that counts for
 * several, with the mean: a point has a price, and an invocation may write few.
 */
export function dataPointsOf(changes: readonly Change[], place: Place): readonly DataPoint[] {
  const groups = Map.groupBy(changes, (change) =>
    JSON.stringify([change.kind, Object.entries(textsOf(change))]),
  );
  return [...groups.values()].map((group) => pointOf(group, place));
}

function pointOf(group: readonly Change[], { session, topology, peers }: Place): DataPoint {
  const [change] = group as [Change];
  const texts: Texts = { ...textsOf(change), session, topology, version: VERSION };
  const lasted = group.flatMap((each) => ("ms" in each ? [each.ms] : []));
  const ms = lasted.reduce((sum, each) => sum + each, 0) / Math.max(1, lasted.length);
  const numbers = { count: group.reduce((sum, each) => sum + timesOf(each), 0), ms, peers };
  return {
    indexes: [change.kind],
    blobs: BLOBS.map((name) => texts[name] ?? ""),
    doubles: DOUBLES.map((name) => numbers[name]),
  };
}
