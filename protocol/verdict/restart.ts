import type { TimelineEntry } from "../timeline/entry.ts";
import { judgeAbsence } from "./absence.ts";
import { type End, reportEvidence } from "./ends.ts";
import { pathEvidence } from "./ice.ts";
import { caused, type Evidence, type Judgement, plain, secondsOf, seen } from "./judgement.ts";
import { entriesOfType, type Meeting, msSince } from "./meeting.ts";

/** What was done about a path that broke. */

/** An ICE restart may take as long, and the answer to its offer before it. */
const RESTART_MS = 30_000;

export interface Restart {
  readonly offerer: string;
  readonly isAnswered: boolean;
  /** Since it was offered, or answered, milliseconds. */
  readonly sinceMs: number;
  readonly evidence: readonly Evidence[];
}

/** The newest exchange that was begun after the path broke, milliseconds since 1970, or that restarts ICE. */
export function restartOf(
  meeting: Meeting,
  brokenAt: number,
  restartingSince: number | undefined,
): Restart | undefined {
  const { entries, session, link, at } = meeting;
  const offer = entriesOfType(entries, "offer").at(-1);
  const end = offer && endOf(meeting, offer.exchange);
  const evidence = offer
    ? [seen(offer, `${offer.by} offered anew`), ...(end ? [ended(end)] : [])]
    : [];
  if (link.open) {
    const { offerer } = link.open;
    return { offerer, isAnswered: false, sinceMs: at - brokenAt, evidence };
  }
  if (restartingSince !== undefined && end?.type !== "expired" && end?.type !== "reject") {
    const offerer = offer?.by ?? link.peers[0];
    return { offerer, isAnswered: true, sinceMs: at - restartingSince, evidence };
  }
  if (!offer || session.createdAt + offer.at <= brokenAt) return undefined;
  const isAnswered = end?.type === "answer";
  return { offerer: offer.by, isAnswered, sinceMs: msSince(meeting, offer), evidence };
}

type Ended = Extract<TimelineEntry, { type: "answer" | "expired" | "reject" }>;

const endOf = ({ entries }: Meeting, exchange: number): Ended | undefined =>
  entriesOfType(entries, "answer", "expired", "reject").find(
    (entry) => entry.exchange === exchange,
  );

function ended(entry: Ended): Evidence {
  if (entry.type === "expired") return seen(entry, "the offer expired");
  const { by, type } = entry;
  return seen(entry, type === "answer" ? `${by} answered` : `${by} rejected the offer`);
}

export function judgeRestart(
  meeting: Meeting,
  { offerer, isAnswered, sinceMs, evidence }: Restart,
  ends: readonly [End, End],
): Judgement {
  const all = [...evidence, ...ends.flatMap(reportEvidence)];
  const state = sinceMs > RESTART_MS ? "failed" : "degraded";
  if (!isAnswered) {
    return judgeAbsence(meeting) ?? caused(state, "restart-unanswered", { offerer }, all);
  }
  if (state === "failed") {
    return caused(state, "restart-failed", {}, [...evidence, ...pathEvidence(ends)]);
  }
  const seconds = secondsOf(sinceMs);
  return plain(state, `ICE was restarted ${seconds} s ago and looks for another path.`, all);
}
