import { z } from "zod";
import { linkBetween, mediaServerOf } from "../addressing.ts";
import { type Link, linkIdOf, type Session } from "../session.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { type Agreement, agreementOf, judgeAgreement } from "./agreement.ts";
import { CAUSES, type Cause } from "./causes.ts";
import { judgeDeparture } from "./departure.ts";
import { judgeEncounter, judgeFull, judgeLoners } from "./encounter.ts";
import type { Judgement } from "./judgement.ts";
import { judgeMedia } from "./media.ts";
import { type Entries, entriesOfType, type Meeting, meetingOf, readEntries } from "./meeting.ts";
import { judgeNegotiation, judgeRenegotiation } from "./negotiation.ts";
import { judgePath } from "./path.ts";

/** What became of a link, in plain words, and why it is thought so. */
export const Verdict = z
  .object({
    link: z.string().optional().describe("absent: it is about the session"),
    peers: z.tuple([z.string(), z.string()]).optional(),
    state: z
      .enum(["waiting", "connecting", "working", "degraded", "failed", "over"])
      .describe(
        "waiting: nothing is negotiated yet; connecting: agreed, no path yet; degraded: it runs, not as it should; failed: it did not come up, or broke; over: a peer left",
      ),
    cause: z
      .enum(Object.keys(CAUSES) as [Cause, ...Cause[]])
      .optional()
      .describe(
        "the most likely cause by its name, as docs/verdicts.md has it; absent where nothing is wrong",
      ),
    says: z.string().describe("one sentence that a developer understands"),
    evidence: z.array(
      z.object({
        says: z.string(),
        at: z.number().optional().describe("milliseconds from the start of the session"),
        entry: z.int().optional().describe("number of an entry of the timeline"),
        finding: z.string().optional().describe("id of an SDP rule"),
        flow: z.string().optional(),
      }),
    ),
    advice: z.string().optional().describe("what to do about it"),
  })
  .meta({ id: "Verdict" });
export type Verdict = z.infer<typeof Verdict>;

/**
 * One verdict per link that is not forgotten, those first that need attention, and one for a session in which nobody met, that
 * turned somebody away, or has peers without a link.
 * `at` is now, milliseconds since 1970.
 */
export function verdictsOf(session: Session, at: number): readonly Verdict[] {
  const entries = readEntries(session);
  const links = [...session.links.values(), ...unmade(session, entries)];
  if (links.length === 0) return [shown(judgeEncounter(session, entries, at))];
  const verdicts = links.map((link) => {
    const { id, peers } = link;
    const judged = judgeLink(session, link, entries, at);
    return { link: id, peers: [...peers] as [string, string], ...judged };
  });
  // Of the session one thing is said: readers tell verdicts apart by their link.
  const besides = judgeFull(session, entries) ?? judgeLoners(session, links, entries, at);
  return [...verdicts, besides ?? []]
    .flat()
    .map(shown)
    .toSorted((one, other) => URGENCY.indexOf(one.state) - URGENCY.indexOf(other.state));
}

/** What needs attention first. */
const URGENCY: readonly Verdict["state"][] = [
  "failed",
  "degraded",
  "connecting",
  "waiting",
  "working",
  "over",
];

/** As a value of the wire: nothing of it is shared with the session. */
const shown = (judgement: Omit<Verdict, "evidence"> & Pick<Judgement, "evidence">): Verdict => ({
  ...judgement,
  evidence: judgement.evidence.map((each) => ({ ...each })),
});

/** Links that would be there had what was to begin them not been refused. Whoever had left could have none. */
function unmade(session: Session, entries: Entries): readonly Link[] {
  const server = mediaServerOf(session.peers)?.id;
  const wanted = entriesOfType(entries, "refused").flatMap((entry) => {
    const { link, by, message } = entry;
    const id = link ?? linkIdOf(by, server ?? by);
    return message === "offer" && !id.split("~").some((peer) => hadLeft(entries, peer, entry))
      ? [id]
      : [];
  });
  const ids = new Set(wanted);
  return [...ids].flatMap((id) => {
    const [one, other, ...more] = id.split("~");
    const isMade = session.links.has(id) || one === other;
    return one && other && !isMade && more.length === 0 ? linkBetween(session, one, other) : [];
  });
}

/** Whether a peer was gone when something was refused. */
const hadLeft = (entries: Entries, peer: string, refused: TimelineEntry): boolean =>
  entriesOfType(entries, "peer-joined", "peer-left").findLast(
    (entry) => entry.peer === peer && entry.n < refused.n,
  )?.type === "peer-left";

function judgeLink(session: Session, link: Link, entries: Entries, now: number): Judgement {
  const meeting = meetingOf(session, link, entries, now);
  const judged = judge(meeting);
  return meeting.departure ? judgeDeparture(meeting, meeting.departure, judged) : judged;
}

/** In the order in which a call comes about: what is missing first is the cause of the rest. */
function judge(meeting: Meeting): Judgement {
  const agreement = agreementOf(meeting);
  if (!agreement) return judgeNegotiation(meeting);
  return (
    judgeAgreement(meeting, agreement) ??
    judgePath(meeting, agreement) ??
    judgeRunning(meeting, agreement)
  );
}

/** What does not run any more matters more than what was to run besides. */
function judgeRunning(meeting: Meeting, agreement: Agreement): Judgement {
  const media = judgeMedia(meeting, agreement);
  return media.cause === undefined ? (judgeRenegotiation(meeting) ?? media) : media;
}
