import { LIMITS } from "../limits.ts";
import { otherPeer } from "../session.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { absenceOf } from "./absence.ts";
import { caused, type Evidence, type Judgement, plain, secondsOf, seen } from "./judgement.ts";
import { entriesOfType, type Meeting, msSince } from "./meeting.ts";
import {
  isRefusedAfter,
  judgeDescription,
  judgeGlare,
  judgeRefusal,
  newestRefusal,
  refusedDescription,
} from "./refusals.ts";
import { type Entry, lossOf } from "./stay.ts";

/** An offer that waits longer is worth a word. */
const SLOW_MS = 10_000;

/** A link whose peers have agreed on nothing: an offer waits, came to nothing, or was refused. */
export function judgeNegotiation(meeting: Meeting): Judgement {
  const offer = openOffer(meeting);
  if (offer)
    return refusedSince(meeting, offer.entry) ?? judgeGlare(meeting) ?? waiting(meeting, offer);
  const end = newestEnd(meeting);
  return (
    refusedSince(meeting, end && refusalsFrom(meeting, end)) ??
    judgeGlare(meeting) ??
    (end ? ended(meeting, end) : byRecords(meeting))
  );
}

/** What the peers of a link that runs have not agreed on since: it goes on as it was. Undefined where nothing is wrong. */
export function judgeRenegotiation(whole: Meeting): Judgement | undefined {
  const { link, entries } = whole;
  const answer = entriesOfType(entries, "answer").at(-1);
  // Where it had to go, what is open is told from what is over by its number.
  const since = entries.filter((entry) =>
    answer ? isSince(entry, answer) : "exchange" in entry && entry.exchange === link.open?.exchange,
  );
  const meeting = { ...whole, entries: since };
  const offer = openOffer(meeting);
  if (!offer && !answer) return undefined;
  const end = offer ? undefined : newestEnd(meeting);
  const from = offer ? offer.entry : end && refusalsFrom(meeting, end);
  const judged =
    refusedSince(meeting, from ?? answer) ??
    judgeGlare(meeting) ??
    (offer ? waiting(meeting, offer) : end && ended(meeting, end));
  // Whoever takes an offer back goes on with what there was.
  return judged?.cause === undefined || judged.cause === "withdrawn"
    ? undefined
    : { ...judged, state: "degraded" };
}

const isSince = (entry: TimelineEntry, answer: TimelineEntry): boolean =>
  entry.n > answer.n ||
  (entry.type === "refused" && entry.code !== "glare" && isRefusedAfter(entry, answer));

interface Offer {
  readonly offerer: string;
  readonly answerer: string;
  /** How long it waits, or waited. */
  readonly waitMs: number;
  readonly entry: Entry<"offer"> | undefined;
}

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
  if (isGivenUp(meeting)) {
    return caused("failed", "no-answer", { offerer, answerer, seconds }, offered);
  }
  return waitMs < SLOW_MS
    ? plain("waiting", `The offer of ${offerer} waits for an answer of ${answerer}.`, offered)
    : caused("waiting", "no-answer", { offerer, answerer, seconds }, offered);
}

/** An HTTP client that waits leaves when its time is over: without having lost a socket. */
const isGivenUp = ({ departure }: Meeting): boolean =>
  departure?.entry !== undefined && departure.reason === "lost" && departure.lost === undefined;

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

/** A description, or a message, that was refused after an entry, whatever else was said. */
function refusedSince(meeting: Meeting, since: TimelineEntry | undefined): Judgement | undefined {
  const refusal = newestRefusal(meeting.entries, since);
  const description = refusedDescription(meeting, since);
  // Of a refused description both are told; the finding says more.
  if (description) return judgeDescription(description, meeting.link.peers);
  return refusal && judgeRefusal(refusal);
}

/**
 * An offer may have expired because its answers were refused, or have been rejected by whoever was told so: those count
 * from the offer on.
 */
function refusalsFrom({ entries }: Meeting, { entry, offer }: End): TimelineEntry | undefined {
  if (entry.type === "expired") return offer;
  if (entry.type !== "reject" || !offer) return entry;
  const own = entries.filter(
    (each) => each.type === "refused" && each.message === "answer" && each.by === entry.by,
  );
  return newestRefusal(own, offer) ? offer : entry;
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
      return expired(
        meeting,
        offer?.by ?? link.peers[0],
        [...offered, seen(entry, "the offer expired")],
        { entry, offer },
      );
  }
}

function expired(
  { link, entries, all }: Meeting,
  offerer: string,
  evidence: readonly Evidence[],
  end?: End,
): Judgement {
  const answerer = otherPeer(link, offerer);
  // What became of its socket later is another matter.
  const lost = lossOf(end ? all.slice(0, all.indexOf(end.entry)) : entries, answerer);
  if (lost) {
    const away = seen(lost, `the socket of ${answerer} was lost`);
    return caused("failed", "answerer-away", { offerer, answerer }, [...evidence, away]);
  }
  const waitMs = end?.offer ? end.entry.at - end.offer.at : LIMITS.offerExpiryMs;
  const seconds = secondsOf(waitMs);
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
