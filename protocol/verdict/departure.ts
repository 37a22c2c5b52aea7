import type { Cause } from "./causes.ts";
import { caused, type Evidence, type Judgement, plain, secondsOf, seen } from "./judgement.ts";
import { hasRun, type Meeting, msSince } from "./meeting.ts";
import { judgeProblems } from "./refusals.ts";
import type { Departure } from "./stay.ts";

/**
 * What is said of a link after one of its peers has left. `before` is what would have been said then: what was wrong
 * stays the cause, and who went is evidence.
 */
export function judgeDeparture(
  meeting: Meeting,
  departure: Departure,
  before: Judgement,
): Judgement {
  const gone = goneEvidence(departure);
  const { peer, reason, lost } = departure;
  const closed = lost && judgeProblems(meeting.all, lost);
  if (closed) return { ...closed, state: "over" };
  const evidence = [...before.evidence, gone];
  const isOfLoss = lost !== undefined && LOSSES.has(before.cause);
  if (before.state === "failed" && !isOfLoss) return { ...before, evidence };
  if (reason === "kicked") return caused("over", "kicked", { peer }, [gone]);
  if (reason === "expired") return caused("over", "token-expired", { peer }, [gone]);
  if (lost) {
    const seconds = secondsOf(departure.at - meeting.session.createdAt - lost.at);
    return caused("over", "peer-lost", { peer, seconds }, [
      seen(lost, `the socket of ${peer} was lost`),
      gone,
    ]);
  }
  // What already took too long, or did not run well, is why it left.
  if (before.cause !== undefined) return { ...before, state: "over", evidence };
  if (hasRun(meeting)) return plain("over", `${peer} left; media had run.`, [gone]);
  // An HTTP client does not leave so by itself.
  return reason === "lost"
    ? plain("over", `${peer} is gone; nothing is known to have been wrong.`, [gone])
    : leftEarly(meeting, departure, gone);
}

/** What breaks along with a socket when a network goes. */
const LOSSES: ReadonlySet<Cause | undefined> = new Set<Cause>(["path-lost", "restart-unanswered"]);

function goneEvidence({ peer, reason, entry }: Departure): Evidence {
  const says = `${peer} left: ${reason}`;
  return entry ? seen(entry, says) : { says };
}

/** Counted from the first thing that is known of the link. */
function leftEarly(meeting: Meeting, { peer }: Departure, gone: Evidence): Judgement {
  const first = meeting.entries.find((entry) => "link" in entry);
  const seconds = secondsOf(first ? msSince(meeting, first) : 0);
  const begun = first ? [seen(first, `the first ${first.type}`)] : [];
  return caused("over", "left-early", { peer, seconds }, [...begun, gone]);
}
