import type { TimelineEntry } from "../timeline/entry.ts";
import { caused, type Evidence, type Judgement, plain, secondsOf, seen } from "./judgement.ts";
import { type Departure, entriesOfType, hasRun, type Meeting, msSince } from "./meeting.ts";
import { judgeProblems } from "./refusals.ts";

/**
 * What is said of a link after one of its peers has left. `before` is what would have been said then: what had failed
 * stays the cause, and who went is evidence.
 */
export function judgeDeparture(
  meeting: Meeting,
  departure: Departure,
  before: Judgement,
): Judgement {
  const gone = goneEvidence(departure);
  const { peer, reason, entry } = departure;
  const last = reason === "lost" ? lostEntry(meeting, peer) : entry;
  const closed = last && judgeProblems(meeting.all, last);
  if (closed) return { ...closed, state: "over" };
  const isPathOfLost = reason === "lost" && hasRun(meeting);
  if (before.state === "failed" && !isPathOfLost) {
    return { ...before, evidence: [...before.evidence, gone] };
  }
  switch (reason) {
    case "kicked":
      return caused("over", "kicked", { peer }, [gone]);
    case "expired":
      return caused("over", "token-expired", { peer }, [gone]);
    case "lost": {
      const lost = lostEntry(meeting, peer);
      const seconds = secondsOf(
        lost ? msSince(meeting, lost) : meeting.session.config.resumeSeconds * 1000,
      );
      const evidence = lost ? [seen(lost, `the socket of ${peer} was lost`), gone] : [gone];
      return caused("over", "peer-lost", { peer, seconds }, evidence);
    }
    default:
      if (hasRun(meeting)) return plain("over", `${peer} left; media had run.`, [gone]);
      // What already took too long is why it left.
      return before.cause === undefined
        ? leftEarly(meeting, departure, gone)
        : { ...before, state: "over", evidence: [...before.evidence, gone] };
  }
}

function goneEvidence({ peer, reason, entry }: Departure): Evidence {
  const says = `${peer} left: ${reason}`;
  return entry ? seen(entry, says) : { says };
}

type Lost = Extract<TimelineEntry, { type: "peer-lost" }>;

const lostEntry = ({ entries }: Meeting, peer: string): Lost | undefined =>
  entriesOfType(entries, "peer-lost").findLast((entry) => entry.peer === peer);

/** Counted from the first thing that is known of the link. */
function leftEarly(meeting: Meeting, { peer }: Departure, gone: Evidence): Judgement {
  const first = meeting.entries.find((entry) => "link" in entry);
  const seconds = secondsOf(first ? msSince(meeting, first) : 0);
  const begun = first ? [seen(first, `the first ${first.type}`)] : [];
  return caused("over", "left-early", { peer, seconds }, [...begun, gone]);
}
