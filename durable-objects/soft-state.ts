import type { Flow } from "../protocol/flow.ts";
import type { LinkFlows } from "../protocol/flows/link-flows.ts";
import { isProblem } from "../protocol/problem.ts";
import {
  type Link,
  linkIdOf,
  type Peer,
  revisionOf,
  type Session,
  withFlows,
  withPeer,
} from "../protocol/session.ts";
import { type SessionEvent, step } from "../protocol/step.ts";
import { withEntries } from "../protocol/timeline/timeline.ts";
import { type Attachment, withRemembered } from "./attachment.ts";
import { entriesIn } from "./timeline-memory.ts";

/**
 * What sockets remember instead of a row (decision 0021). Storage and sockets together are the session: a socket that
 * ends is a reason to write, and when all end at once, by a deploy or a crash, their peers say again what they said.
 */

/** An event of a small session that is in no row yet: its number within the session, and its text. */
export type SoftEvent = readonly [number: number, json: string];

/** Figures of the flows of a link that are in no row yet: the newest of one reporter, as text. */
export type SoftFigures = readonly [link: string, json: string];

type Remembered =
  | {
      readonly event: SessionEvent;
      /** Of the session before it; figures that came before may be remembered elsewhere. */
      readonly revision: number;
    }
  /** The only peer there is. */
  | { readonly alone: Peer };

/** In characters; one that is longer is worth a row. */
const EVENTS_CHARACTERS = 2_500;
/** Of three links with sound and picture both ways, and what was experienced of each. */
const FIGURES_CHARACTERS = 4_500;

/**
 * The text of an event that need not be written, because nobody would miss it should all sockets go at once: the first
 * peer comes, or one tells of a transport. Undefined for all others.
 */
export function softTextOf(
  event: SessionEvent,
  before: Session,
  after: Session,
): string | undefined {
  if (event.type === "join") {
    const [peer] = after.peers.values();
    // An endpoint of SWAP has no socket here that could remember it; an HTTP client does not come by `join`.
    return peer && !peer.endpoint && before.peers.size === 0 ? aloneTextOf(peer) : undefined;
  }
  if (event.type !== "message" || event.message.type !== "transport") return undefined;
  // A managed media server has no socket that could remember it.
  if (before.peers.get(event.peer)?.managed) return undefined;
  return JSON.stringify({ event, revision: revisionOf(before) } satisfies Remembered);
}

/** What its socket remembers of a peer that is alone. */
export const aloneTextOf = (peer: Peer): string =>
  JSON.stringify({ alone: peer } satisfies Remembered);

/** Events of a socket with one more, without those up to number `written`; null when there is no room for them. */
export function withSoftEvent(
  events: readonly SoftEvent[],
  added: SoftEvent,
  written: number,
): readonly SoftEvent[] | null {
  const next = [...events.filter(([number]) => number > written), added];
  const size = next.reduce((sum, [, json]) => sum + json.length + 8, 0);
  return size <= EVENTS_CHARACTERS ? next : null;
}

/** Figures of one flow and the revision that they gave it. */
type FlowFigures = readonly [flow: string, revision: number, quality: NonNullable<Flow["quality"]>];

/** What differs when nothing but figures of flows differs on one link; undefined when anything else does. */
function figuresOf(before: LinkFlows, after: LinkFlows): readonly FlowFigures[] | undefined {
  const { flows: old, revision: _, ...rest } = before;
  const { flows, revision: __, ...others } = after;
  if (flows.length !== old.length || !areSame(rest, others)) return undefined;
  const figures: FlowFigures[] = [];
  for (const [index, flow] of flows.entries()) {
    const known = old[index];
    if (flow === known) continue;
    const { quality: now = {}, revision, ...own } = flow;
    const { quality: then = {}, revision: ___, ...same } = known ?? flow;
    if (known === undefined || !areSame(own, same)) return undefined;
    const fresh = Object.entries(now).filter(([reporter, each]) => each !== then[reporter]);
    figures.push([flow.id, revision, Object.fromEntries(fresh)]);
  }
  return figures;
}

/** The same members, each the very same value. */
const areSame = (one: object, other: object): boolean => {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Reflect.get(one, name) === Reflect.get(other, name))
  );
};

/**
 * What a socket remembers of figures after a turn that changed nothing else; undefined when it changed more, or there
 * is no room: then it is worth a row.
 */
export function softFiguresOf(
  { figures: known = [] }: Attachment,
  before: Session,
  after: Session,
): readonly SoftFigures[] | undefined {
  const { links: old, trickle: _, ...rest } = before;
  const { links, trickle: __, ...others } = after;
  if (links.size !== old.size || !areSame(rest, others)) return undefined;
  const changed = [...links.values()].filter((link) => link !== old.get(link.id));
  const [link] = changed;
  const was = link && old.get(link.id);
  if (changed.length !== 1 || !was) return undefined;
  const { flows: then, ...same } = was;
  const { flows: now, ...own } = link;
  const fresh = areSame(own, same) ? figuresOf(then, now) : undefined;
  return fresh && merged(known, link.id, fresh);
}

function merged(
  known: readonly SoftFigures[],
  link: string,
  fresh: readonly FlowFigures[],
): readonly SoftFigures[] | undefined {
  const former = known.find(([id]) => id === link);
  const flows = new Map(
    (former ? (JSON.parse(former[1]) as FlowFigures[]) : []).map((each) => [each[0], each]),
  );
  for (const each of fresh) flows.set(each[0], each);
  const json = JSON.stringify([...flows.values()]);
  const next = [...known.filter(([id]) => id !== link), [link, json] as const];
  const size = next.reduce((sum, [, text]) => sum + text.length + 40, 0);
  return size <= FIGURES_CHARACTERS ? next : undefined;
}

/** The session with the figures that its row is older than. `rows` has the revision of each link as it was written. */
function withFigures(
  session: Session,
  attachments: readonly Attachment[],
  rows: ReadonlyMap<string, number>,
): Session {
  let next = session;
  for (const [id, json] of attachments.flatMap(({ figures = [] }) => figures)) {
    const link = next.links.get(id);
    const row = rows.get(id) ?? Number.POSITIVE_INFINITY;
    const fresh = (JSON.parse(json) as FlowFigures[]).filter(([, revision]) => revision > row);
    if (link && fresh.length > 0) next = withFlows(next, link, patched(link, fresh));
  }
  return next;
}

function patched({ flows }: Link, figures: readonly FlowFigures[]): LinkFlows {
  const byFlow = new Map(figures.map((each) => [each[0], each]));
  const newest = Math.max(flows.revision, ...figures.map(([, revision]) => revision));
  return {
    ...flows,
    revision: newest,
    flows: flows.flows.map((flow) => {
      const [, revision = 0, quality = {}] = byFlow.get(flow.id) ?? [];
      if (revision === 0) return flow;
      const known = flow.quality ?? {};
      return {
        ...flow,
        revision: Math.max(flow.revision, revision),
        quality: { ...known, ...quality },
      };
    }),
  };
}

export interface Recalled {
  readonly session: Session;
  /** Number of the newest event in it. */
  readonly events: number;
  /** The events that it has besides its rows. */
  readonly known: ReadonlySet<string>;
}

/** Tells events apart that got the same number, because one of them was not known when the other came. */
export const keyOf = ([number, json]: SoftEvent): string => `${number} ${json}`;

/** The session of its rows, which have all events up to number `events`, with what the sockets remember besides. */
export function recalled(
  stored: Session,
  events: number,
  attachments: readonly Attachment[],
  known: ReadonlySet<string> = new Set(),
): Recalled {
  const rows = new Map([...stored.links.values()].map(({ id, flows }) => [id, flows.revision]));
  const fresh = new Map<string, SoftEvent>();
  for (const event of attachments.flatMap((each) => each.events ?? [])) {
    const key = keyOf(event);
    if (event[0] > events && !known.has(key)) fresh.set(key, event);
  }
  const inOrder = [...fresh.values()].toSorted(([one], [other]) => one - other);
  let session = withRemembered(stored, attachments);
  for (const [, json] of inOrder) session = replayed(session, JSON.parse(json) as Remembered);
  const timeline = withEntries(stored.timeline, attachments.flatMap(entriesIn));
  return {
    session: { ...withFigures(session, attachments, rows), timeline },
    events: Math.max(events, ...inOrder.map(([number]) => number)),
    known: new Set([...known, ...fresh.keys()]),
  };
}

/** What the event did when it happened, to the revision; its effects were performed then. */
function replayed(session: Session, remembered: Remembered): Session {
  if ("alone" in remembered) return { ...withPeer(session, remembered.alone), emptySince: null };
  const { event, revision } = remembered;
  const result = step(atRevision(session, event, revision), event);
  // What happened by it was remembered apart.
  return isProblem(result) ? session : { ...result.session, timeline: session.timeline };
}

function atRevision(session: Session, event: SessionEvent, revision: number): Session {
  if (event.type !== "message" || event.message.type !== "transport") return session;
  const { peer, message } = event;
  const link = [...session.links.values()].find(({ id, peers }) =>
    message.to === undefined ? peers.includes(peer) : id === linkIdOf(peer, message.to),
  );
  if (!link || link.flows.revision >= revision) return session;
  return withFlows(session, link, { ...link.flows, revision });
}
