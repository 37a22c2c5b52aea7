import { addressKindOf } from "../sdp/address.ts";
import { candidateLineOf } from "../sdp/candidate.ts";
import type { Session, Trickle } from "../session.ts";
import type { News } from "./entry.ts";
import { type Noted, ofLink } from "./timeline.ts";

/** Candidates that came, by type. Those that an answer merely carries on are no news. */
export function trickleNews(before: Session, after: Session): readonly Noted[] {
  if (after.trickle === before.trickle) return [];
  const news: Noted[] = [];
  for (const [link, trickle] of after.trickle) {
    const known = before.trickle.get(link);
    if (trickle === known) continue;
    for (const entry of trickle) {
      const each = freshOf(known, entry, link);
      if (each) news.push([ofLink(link), each]);
    }
  }
  return news;
}

function freshOf(known: readonly Trickle[] = [], entry: Trickle, link: string): News | undefined {
  const { from, exchange } = entry;
  const was = known.find((each) => each.from === from && each.exchange === exchange);
  if (entry === was) return undefined;
  const told = new Set(
    known.filter((each) => each.from === from).flatMap(({ candidates }) => candidates),
  );
  const fresh = entry.candidates.filter((candidate) => !told.has(candidate));
  if (!was && fresh.length === 0 && entry.candidates.length > 0) return undefined;
  const dropped = entry.dropped - (was?.dropped ?? 0);
  const complete = entry.complete && !was?.complete;
  if (fresh.length === 0 && dropped <= 0 && !complete) return undefined;
  return {
    type: "candidates",
    by: from,
    link,
    exchange,
    ...countsOf(fresh.map(({ candidate }) => candidate)),
    ...(dropped > 0 && { dropped }),
    ...(complete && { complete }),
  };
}

type Counts = Pick<Extract<News, { type: "candidates" }>, "types" | "mdns" | "global">;

/** How many candidates of each type; how many of them hide their address (mDNS), and how many need no help to be reached. */
export function countsOf(texts: readonly string[]): Counts {
  const lines = texts.map((text) => candidateLineOf(text));
  const types: Counts["types"] = {};
  for (const { type } of lines) {
    if (type === "host" || type === "srflx" || type === "prflx" || type === "relay") {
      types[type] = (types[type] ?? 0) + 1;
    }
  }
  const mdns = lines.filter(({ parts }) => parts?.address.endsWith(".local")).length;
  const global = lines.filter(
    ({ type, parts }) => type === "host" && addressKindOf(parts?.address ?? "") === "global",
  ).length;
  return { types, ...(mdns > 0 && { mdns }), ...(global > 0 && { global }) };
}
