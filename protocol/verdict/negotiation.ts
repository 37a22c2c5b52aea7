import { LIMITS } from "../limits.ts";
import { otherPeer } from "../session.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { absenceOf } from "./absence.ts";
import { caused, type Evidence, type Judgement, plain, secondsOf, seen } from "./judgement.ts";
import { entriesOfType, type Meeting, msSince } from "./meeting.ts";
import {
  judgeDescription,
  judgeGlare,
  judgeRefusal,
  newestRefusal,
  refusedDescription,
} from "./refusals.ts";

/** An offer that waits longer is worth a word. */
const SLOW_MS = 10_000;

/** A link whose peers have agreed on nothing: an offer waits, came to nothing, or was refused. */
export function judgeNegotiation(meeting: Meeting): Judgement {
  const offer = openOffer(meeting);
  if (offer)
    return (
      refusedSince(meeting, offer.entry?.n ?? 0) ?? judgeGlare(meeting) ?? waiting(meeting, offer)
    );
  const end = newestEnd(meeting);
  return (
    refusedSince(meeting, end?.entry.n ?? 0) ??
    judgeGlare(meeting) ??
    (end ? ended(meeting, end) : byRecords(meeting))
  );
}

interface Offer {
  readonly offerer: string;
  readonly answerer: string;
  /** How long it waits, or waited. */
  readonly waitMs: number;
  readonly entry: Entry<"offer"> | undefined;
}

type Entry<T extends TimelineEntry["type"]> = Extract<TimelineEntry, { type: T }>;

/** The offer that waits; of a meeting that is over, the one that waited then. */
function openOffer(meeting: Meeting): Offer | undefined {
  const { link, at, entries, departure } = meeting;
  const entry = entriesOfType(entries, "offer").at(-1);
  if (link.open) {
    const { offerer, expiresAt } = link.open;
    const waitMs = at - (expiresAt - LIMITS.offerExpiryMs);
    return { offerer, answerer: otherPeer(link, offerer), waitMs, entry };
  }
  if (!departure || !entry || newestEnd(meeting)) return undefined;
  const { by } = entry;
  return { offerer: by, answerer: otherPeer(link, by), waitMs: msSince(meeting, entry), entry };
}

function waiting(meeting: Meeting, { offerer, answerer, waitMs, entry }: Offer): Judgement {
  const offered = entry ? [seen(entry, `${offerer} offered`)] : [];
  const seconds = secondsOf(waitMs);
  const away = absenceOf(meeting, answerer);
  if (away) return caused("waiting", "answerer-away", { offerer, answerer }, [...offered, away]);
  return waitMs < SLOW_MS
    ? plain("waiting", `The offer of ${offerer} waits for an answer of ${answerer}.`, offered)
    : caused("waiting", "no-answer", { offerer, answerer, seconds }, offered);
}

interface End {
  readonly entry: Entry<"expired" | "reject" | "rollback">;
  readonly offer: Entry<"offer"> | undefined;
}

/** How the newest offer came to nothing. */
function newestEnd({ entries }: Meeting): End | undefined {
  const entry = entriesOfType(entries, "expired", "reject", "rollback").at(-1);
  const offers = entriesOfType(entries, "offer");
  if (!entry || offers.some(({ n }) => n > entry.n)) return undefined;
  return { entry, offer: offers.at(-1) };
}

/** A description, or a message, that was refused after entry number `since`, whatever else was said. */
function refusedSince(meeting: Meeting, since: number): Judgement | undefined {
  const from = refusalsCountFrom(meeting, since);
  const refusal = newestRefusal(meeting.entries, from);
  const description = refusedDescription(meeting, from);
  // Of a refused description both are told; the finding says more.
  if (description) return judgeDescription(description, meeting.link.peers);
  return refusal && judgeRefusal(refusal);
}

/** An offer that expired may have done so because its answers were refused: those count from the offer on. */
function refusalsCountFrom({ entries }: Meeting, since: number): number {
  const end = entries.find(({ n }) => n === since);
  if (end?.type !== "expired") return since;
  return entriesOfType(entries, "offer").findLast(({ n }) => n < since)?.n ?? 0;
}

function ended(meeting: Meeting, { entry, offer }: End): Judgement {
  const { link } = meeting;
  const offered = offer ? [seen(offer, `${offer.by} offered`)] : [];
  switch (entry.type) {
    case "rollback": {
      const evidence = [...offered, seen(entry, `${entry.by} rolled back`)];
      return caused("failed", "withdrawn", { offerer: entry.by }, evidence);
    }
    case "reject": {
      const { by: answerer, reason = "it gave no reason" } = entry;
      const offerer = otherPeer(link, answerer);
      const evidence = [...offered, seen(entry, `${answerer} rejected it`)];
      return caused("failed", "rejected", { offerer, answerer, reason }, evidence);
    }
    case "expired":
      return expired(meeting, offer?.by ?? link.peers[0], [
        ...offered,
        seen(entry, "the offer expired"),
      ]);
  }
}

function expired(meeting: Meeting, offerer: string, evidence: readonly Evidence[]): Judgement {
  const { link, entries } = meeting;
  const answerer = otherPeer(link, offerer);
  const [lost] = entriesOfType(entries, "peer-lost", "peer-resumed")
    .filter(({ peer }) => peer === answerer)
    .slice(-1);
  if (lost?.type === "peer-lost") {
    const away = seen(lost, `the socket of ${answerer} was lost`);
    return caused("failed", "answerer-away", { offerer, answerer }, [...evidence, away]);
  }
  const seconds = secondsOf(LIMITS.offerExpiryMs);
  return caused("failed", "no-answer", { offerer, answerer, seconds }, [
    ...evidence,
    { says: `${answerer} was connected` },
  ]);
}

/** Entries had to go, or nothing was ever offered: what flows say of the offer that proposed them. */
function byRecords(meeting: Meeting): Judgement {
  const { link, begunAt } = meeting;
  const last = link.flows.flows.findLast(({ timing }) => timing.createdAt >= begunAt);
  const offerer = last?.from ?? link.peers[0];
  const answerer = otherPeer(link, offerer);
  const flow = last ? [{ says: `${last.kind} ended: ${last.reason}`, flow: last.id }] : [];
  switch (last?.reason) {
    case "expired":
      return expired(meeting, offerer, flow);
    case "rejected":
      return caused(
        "failed",
        "rejected",
        { offerer, answerer, reason: "it is not known why" },
        flow,
      );
    case "rolled-back":
      return caused("failed", "withdrawn", { offerer }, flow);
    default:
      return plain("waiting", `Nothing is offered between ${link.peers.join(" and ")}.`);
  }
}
