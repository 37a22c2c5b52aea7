import { readable } from "./assess.ts";
import type { Description } from "./sdp/description.ts";
import type { AgreedExchange, Link, StoredDescription, Trickle } from "./session.ts";
import { addCandidates, ufragOf } from "./trickle.ts";

/**
 * The candidates of a pair that comes into force: those that came under its number, after those of the pair before
 * it whose ICE generation goes on. An offer without an ICE restart gathers no others (RFC 8839 4.4.1.1.1), so they are
 * all that a peer which missed some can be told (N6).
 */
export function withCarried(
  link: Link,
  inForce: AgreedExchange,
  settled: readonly Trickle[],
  before: readonly Trickle[],
): readonly Trickle[] {
  const last = link.inForce;
  if (!last) return settled;
  return link.peers.flatMap((from) => {
    const own = settled.find((entry) => entry.from === from);
    const known = before.find((entry) => entry.from === from && entry.exchange === last.exchange);
    const carried = known && ofNow(known, descriptionOf(last, from), descriptionOf(inForce, from));
    if (!carried) return own ?? [];
    const next = { ...carried, exchange: inForce.exchange };
    if (!own) return next;
    const added = addCandidates([next], own);
    // Over the limits what is new counts more.
    return "code" in added ? own : added.trickle;
  });
}

const descriptionOf = (pair: AgreedExchange, peer: string): Description | undefined => {
  const stored: StoredDescription = pair.offerer === peer ? pair.offer : pair.answer;
  return readable(stored);
};

const ufragsOf = (description: Description): Set<string | undefined> =>
  new Set(description.sections.map(({ iceUfrag }) => iceUfrag));

/** What of an entry belongs to the description that is in force now; undefined when nothing does. */
function ofNow(
  entry: Trickle,
  was: Description | undefined,
  is: Description | undefined,
): Trickle | undefined {
  if (!was || !is) return undefined;
  const now = ufragsOf(is);
  // A candidate that does not name its generation is of all that there were.
  const goesOn = [...ufragsOf(was)].some((ufrag) => ufrag !== undefined && now.has(ufrag));
  if (!goesOn) return undefined;
  const candidates = entry.candidates.filter((candidate) => {
    const ufrag = ufragOf(candidate);
    return ufrag === undefined || ufrag === "" || now.has(ufrag);
  });
  return { ...entry, candidates, dropped: 0 };
}
