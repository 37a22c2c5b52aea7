import type { FlowAssistance } from "../assistance/record.ts";
import { isSame } from "../flows/same.ts";
import type { Session } from "../session.ts";
import type { SessionEvent } from "../step.ts";
import type { News, TimelineEntry } from "./entry.ts";
import { type Noted, ofLink } from "./timeline.ts";

type Entry = Extract<TimelineEntry, { type: "assistance" }>;
type Told = Extract<News, { type: "assistance" }>;

/**
 * What a mobile network does for an end of a link, where that is another state, reason or recommendation than what the
 * timeline said last of it. How often calls failed, and until when something holds, is left to the records.
 */
export function assistanceNews(session: Session, event: SessionEvent): readonly Noted[] {
  if (event.type !== "assistance") return [];
  const { link, peer, assistance } = event;
  if (!session.links.get(link)?.peers.includes(peer)) return [];
  const ring = session.timeline.rings.get(ofLink(link)) ?? [];
  const last = ring.findLast(
    (entry): entry is Entry => entry.type === "assistance" && entry.peer === peer,
  );
  const news = assistance ? newsOf(link, peer, assistance) : overAfter(last);
  if (!news || isSame({ ...last, n: 0, at: 0 }, { ...news, n: 0, at: 0 })) return [];
  return [[ofLink(link), news]];
}

const newsOf = (
  link: string,
  peer: string,
  { network, state, reason, advised }: FlowAssistance,
): Told => ({
  type: "assistance",
  link,
  peer,
  network,
  state,
  ...(reason !== undefined && { reason }),
  ...(advised && { advised }),
});

/** What there was is over, and nothing is recommended any more. */
function overAfter(last: Entry | undefined): Told | undefined {
  if (!last) return undefined;
  const { type, link, peer, network, state, reason } = last;
  const why = state === "ended" && reason !== undefined ? { reason } : {};
  return { type, link, peer, network, state: "ended", ...why };
}
