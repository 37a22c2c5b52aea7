import { restartsIce } from "../timeline/ice-restart.ts";
import { judgeAbsence } from "./absence.ts";
import { type End, reportEvidence } from "./ends.ts";
import { judgeIce, pathEvidence } from "./ice.ts";
import { caused, type Evidence, type Judgement, plain, secondsOf, seen } from "./judgement.ts";
import { entriesOfType, type Meeting, msSince, timeOf } from "./meeting.ts";
import type { Entry } from "./stay.ts";

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

/** The newest exchange after the path broke, milliseconds since 1970, that restarts ICE. */
export function restartOf(
  meeting: Meeting,
  brokenAt: number,
  restartingSince: number | undefined,
): Restart | undefined {
  const { entries, link, at } = meeting;
  const offer = entriesOfType(entries, "offer").findLast(({ restart }) => restart);
  const end = offer && endOf(meeting, offer.exchange);
  const evidence = offer
    ? [seen(offer, `${offer.by} offered to restart ICE`), ...(end ? [ended(end)] : [])]
    : [];
  if (link.open && restartsIce(link.open, link.inForce)) {
    const { offerer } = link.open;
    return { offerer, isAnswered: false, sinceMs: at - brokenAt, evidence };
  }
  if (restartingSince !== undefined && end?.type !== "expired" && end?.type !== "reject") {
    const offerer = offer?.by ?? link.peers[0];
    return { offerer, isAnswered: true, sinceMs: at - restartingSince, evidence };
  }
  if (!offer || timeOf(meeting, offer) <= brokenAt) return undefined;
  const isAnswered = end?.type === "answer";
  return { offerer: offer.by, isAnswered, sinceMs: msSince(meeting, offer), evidence };
}

/** Offers after the path broke that try the same one again. */
export const plainOffers = (meeting: Meeting, brokenAt: number): readonly Evidence[] =>
  entriesOfType(meeting.entries, "offer")
    .filter((offer) => !offer.restart && timeOf(meeting, offer) > brokenAt)
    .slice(-1)
    .map((offer) => seen(offer, `${offer.by} offered, and did not restart ICE`));

type Ended = Entry<"answer" | "expired" | "reject">;

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
  if (state === "failed") return judgeAbsence(meeting) ?? notFound(meeting, ends, evidence);
  const seconds = secondsOf(sinceMs);
  return plain(state, `ICE was restarted ${seconds} s ago and looks for another path.`, all);
}

/** What kept the restart from a path, where that is known. */
function notFound(
  meeting: Meeting,
  ends: readonly [End, End],
  evidence: readonly Evidence[],
): Judgement {
  const why = judgeIce(meeting, ends, "failed");
  return why
    ? { ...why, evidence: [...evidence, ...why.evidence] }
    : caused("failed", "restart-failed", {}, [...evidence, ...pathEvidence(ends)]);
}
