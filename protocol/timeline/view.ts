import { z } from "zod";
import { type Link, otherPeer, type Session, type StoredDescription } from "../session.ts";
import { Verdict, verdictsOf } from "../verdict/verdict.ts";
import { withoutSecrets } from "./description-news.ts";
import { TimelineEntry } from "./entry.ts";
import { droppedOf, entriesOf, ofLink } from "./timeline.ts";

/** The record of a session, for whoever asks what happened (M15). */
export const TimelineView = z
  .object({
    session: z.string(),
    createdAt: z.number().describe("milliseconds since 1970: where `at` counts from"),
    at: z.number().describe("now, milliseconds from the start of the session"),
    newest: z.int().describe("number of the newest entry"),
    dropped: z
      .int()
      .describe("how many entries are not kept any more: each peer and link has room for some"),
    entries: z.array(TimelineEntry),
    verdicts: z.array(Verdict),
  })
  .meta({ id: "Timeline" });
export type TimelineView = z.infer<typeof TimelineView>;

/**
 * Entries after number `since`, and what is to be thought of each link. `at` is milliseconds since 1970; `verdicts` are those
 * of `verdictsOf`, or of a moment ago where that takes long.
 */
export function viewTimeline(
  session: Session,
  since: number,
  at: number,
  verdicts: readonly Verdict[] = verdictsOf(session, at),
): TimelineView {
  const { id, createdAt, timeline } = session;
  return {
    session: id,
    createdAt,
    at: at - createdAt,
    newest: timeline.newest,
    dropped: droppedOf(timeline),
    entries: [...entriesOf(timeline, since)],
    verdicts: [...verdicts],
  };
}

/** A timeline as lines of JSON: entries in their order, then the verdicts. */
export const timelineLines = ({ entries, verdicts }: TimelineView): string =>
  [...entries, ...verdicts.map((verdict) => ({ type: "verdict", ...verdict }))]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");

/** A description as it was forwarded, but for ICE passwords. */
export const DescriptionView = z
  .object({
    link: z.string(),
    from: z.string(),
    to: z.string(),
    exchange: z.int(),
    type: z.enum(["offer", "answer"]),
    state: z.enum(["open", "in-force", "past"]),
    at: z.number().optional().describe("of past ones: milliseconds from the start of the session"),
    sdp: z.string().describe("ICE passwords are masked"),
    withheld: z.int().optional().describe("lines that differ from what its author sent"),
  })
  .meta({ id: "Description" });
export type DescriptionView = z.infer<typeof DescriptionView>;

/** Descriptions of all links, oldest first; past ones only where the session keeps their texts (`debug`). */
export const viewDescriptions = (session: Session): DescriptionView[] =>
  [...session.links.values()].flatMap((link) => [...past(session, link), ...current(link)]);

function current(link: Link): DescriptionView[] {
  const { open, inForce } = link;
  const agreed = inForce
    ? [
        view(link, "in-force", { ...inForce, type: "offer", from: inForce.offerer }, inForce.offer),
        view(
          link,
          "in-force",
          { ...inForce, type: "answer", from: otherPeer(link, inForce.offerer) },
          inForce.answer,
        ),
      ]
    : [];
  return open
    ? [...agreed, view(link, "open", { ...open, type: "offer", from: open.offerer }, open.offer)]
    : agreed;
}

const view = (
  link: Link,
  state: "open" | "in-force",
  { exchange, type, from }: Pick<DescriptionView, "exchange" | "type" | "from">,
  { sdp, withheld }: StoredDescription,
): DescriptionView => ({
  link: link.id,
  from,
  to: otherPeer(link, from),
  exchange,
  type,
  state,
  sdp: withoutSecrets(sdp),
  ...(withheld !== undefined && { withheld }),
});

function past({ timeline }: Session, link: Link): DescriptionView[] {
  const { open, inForce } = link;
  const now = new Set([open?.exchange, inForce?.exchange]);
  return (timeline.rings.get(ofLink(link.id)) ?? []).flatMap((entry): DescriptionView[] => {
    if ((entry.type !== "offer" && entry.type !== "answer") || entry.sdp === undefined) return [];
    if (now.has(entry.exchange)) return [];
    const { type, by: from, exchange, at, sdp } = entry;
    return [
      { link: link.id, from, to: otherPeer(link, from), exchange, type, state: "past", at, sdp },
    ];
  });
}
