import type { Flow } from "../flow.ts";
import type { MediaLabels } from "../flow-query.ts";
import type { Description } from "../sdp/description.ts";
import { type AgreedPair, agreedSections } from "./agreed-pair.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

type Label = MediaLabels[string];

/** What is said of this section; names that every object has are none of it. */
const labelOf = (media: MediaLabels | undefined, mid: string): Label | undefined =>
  media && Object.hasOwn(media, mid) ? media[mid] : undefined;

/** What is said of sections that a description has, by mid; all else is ignored. */
export function labelsFor(
  { sections }: Pick<Description, "sections">,
  media: MediaLabels | undefined,
): MediaLabels | undefined {
  const known = sections.flatMap(({ mid }) => {
    const label = mid === undefined ? undefined : labelOf(media, mid);
    return mid !== undefined && label ? [[mid, label] as const] : [];
  });
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}

/**
 * What each end says of its media after an answer: what it has said before of sections that are still in
 * use, and what it says now. Nothing is taken back by saying nothing.
 */
export function labelsAfter(
  { labels: known = {} }: LinkFlows,
  pair: AgreedPair,
): LinkFlows["labels"] {
  const { labels: said = {} } = pair;
  const peers = new Set([...Object.keys(known), ...Object.keys(said)]);
  if (peers.size === 0) return undefined;
  const mids = agreedSections(pair).flatMap(({ mid }) => mid ?? []);
  const merged = [...peers].flatMap((peer) => {
    const own = mids.flatMap((mid) => {
      const label = { ...labelOf(known[peer], mid), ...labelOf(said[peer], mid) };
      return Object.keys(label).length > 0 ? [[mid, label] as const] : [];
    });
    return own.length > 0 ? [[peer, Object.fromEntries(own)] as const] : [];
  });
  return merged.length > 0 ? Object.fromEntries(merged) : undefined;
}

/**
 * A flow with what its sender says of it. Who does not say which camera it is has its track for an answer:
 * one track sent on several links has one id on all of them. Not so a media server, which names its tracks
 * anew on every link.
 */
export function labelled(
  { mediaServer }: FlowContext,
  flow: Flow,
  media: MediaLabels | undefined,
): Flow {
  const { sourceId: _sourceId, simulcastGroup: _group, ...described } = flow;
  const { sourceId, simulcastGroup, content } = labelOf(media, flow.mid) ?? {};
  const source = sourceId ?? (flow.from === mediaServer ? undefined : flow.track);
  return {
    ...described,
    ...(source === undefined ? {} : { sourceId: source }),
    ...(simulcastGroup === undefined ? {} : { simulcastGroup }),
    ...(content === undefined ? {} : { content }),
  };
}
