import type { Flow as FlowRecord } from "../flow.ts";
import { withEndedFlows } from "../presence.ts";
import { isConnected, type Peer, type Session } from "../session.ts";
import type { SessionEvent } from "../step.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { newsSince } from "../timeline/timeline.ts";
import type { WebhookNews } from "./event.ts";

const NOTHING: readonly WebhookNews[] = [];

type Left = Extract<WebhookNews, { type: "peer.left" }>["data"];
type Told = Left["peer"];

/** A session has begun. */
export const newsOfStart = ({ config, createdAt }: Session): WebhookNews => ({
  type: "session.created",
  at: createdAt,
  data: { topology: config.topology, ...metadataOf(config) },
});

/**
 * What an event that leaves the session in being is to be told for, in order: flows end before their peers leave, and peers come
 * before their flows.
 */
export function newsOf(
  before: Session,
  after: Session,
  event: SessionEvent,
): readonly WebhookNews[] {
  // Nothing else follows from it, and its timeline says it once.
  if (event.type === "assistance") return assistanceNews(before, after, event.at);
  if (before.peers === after.peers && before.links === after.links) return NOTHING;
  const flows = flowNews(before, after, event.at);
  const isEnd = ({ type }: WebhookNews): boolean => type === "flow.ended";
  return [
    ...flows.filter(isEnd),
    ...departures(before, after, event),
    ...arrivals(before, after, event),
    ...flows.filter((each) => !isEnd(each)),
    ...losses(before, after, event.at),
  ];
}

/** What is to be told when an event ends the session, to the last. */
export function newsOfEnd(before: Session, event: SessionEvent): readonly WebhookNews[] {
  const { at } = event;
  const peers = [...before.peers.values()].filter(isGuest);
  return [
    ...flowNews(before, withEndedFlows(before, at), at),
    ...peers.map((peer) => leftNews(peer, "session-ended", at)),
    {
      type: "session.ended",
      at,
      data: {
        reason: event.type === "end" ? "deleted" : "empty",
        lastedMs: Math.max(0, at - before.createdAt),
        ...metadataOf(before.config),
      },
    },
  ];
}

const metadataOf = ({ metadata }: { readonly metadata?: Told["metadata"] | undefined }) =>
  metadata === undefined ? {} : { metadata };

/** A managed media server is part of the deployment: nobody invited it. */
const isGuest = ({ managed }: Peer): boolean => !managed;

function told({ id, role, name, metadata, http, endpoint }: Peer): Told {
  const via = http?.door ?? (endpoint && "swap");
  return {
    id,
    role,
    ...(name !== undefined && { name }),
    ...(metadata !== undefined && { metadata: { ...metadata } }),
    ...(via !== undefined && { via }),
  };
}

const leftNews = (peer: Peer, reason: Left["reason"], at: number): WebhookNews => ({
  type: "peer.left",
  at,
  data: { peer: told(peer), reason, stayedMs: Math.max(0, at - peer.joinedAt) },
});

/** A peer with this id was there before and is there now, and left and came in between. */
function isAnew(known: Peer, now: Peer, event: SessionEvent): boolean {
  // Whoever was an HTTP client is as new by a socket, or by its next POST.
  if (known.http?.resource !== now.http?.resource) return true;
  return event.type === "join" && event.grant.peer === known.id && Boolean(event.asked?.fresh);
}

function departures(before: Session, after: Session, event: SessionEvent): WebhookNews[] {
  return [...before.peers.values()].filter(isGuest).flatMap((peer) => {
    const now = after.peers.get(peer.id);
    if (now && !isAnew(peer, now, event)) return [];
    return [leftNews(peer, reasonOf(peer, event), event.at)];
  });
}

/** Why a peer has left by an event, as the others are told. */
function reasonOf({ id, http, tokenExpiresAt }: Peer, event: SessionEvent): Left["reason"] {
  switch (event.type) {
    case "kick":
      return event.peer === id || event.peer === http?.bearer ? "kicked" : "lost";
    case "message":
      return event.message.type === "leave" && event.peer === id ? "left" : "lost";
    case "alarm":
      return tokenExpiresAt <= event.at ? "expired" : "lost";
    default:
      return "lost";
  }
}

function arrivals(before: Session, after: Session, event: SessionEvent): WebhookNews[] {
  const { at } = event;
  return [...after.peers.values()].filter(isGuest).flatMap((peer): WebhookNews[] => {
    const known = before.peers.get(peer.id);
    const data = { peer: told(peer) };
    if (!known || isAnew(known, peer, event)) return [{ type: "peer.joined", at, data }];
    const isBack = !isConnected(known) && isConnected(peer);
    return isBack ? [{ type: "peer.resumed", at, data }] : [];
  });
}

function losses(before: Session, after: Session, at: number): WebhookNews[] {
  return [...after.peers.values()].filter(isGuest).flatMap((peer): WebhookNews[] => {
    const { awayUntil } = peer;
    if (awayUntil === null || !isConnected(before.peers.get(peer.id))) return [];
    return [{ type: "peer.lost", at, data: { peer: told(peer), until: awayUntil } }];
  });
}

type AssistanceEntry = Extract<TimelineEntry, { type: "assistance" }>;

const isOfAssistance = (entry: TimelineEntry): entry is AssistanceEntry =>
  entry.type === "assistance";

const assistanceNews = (before: Session, after: Session, at: number): readonly WebhookNews[] =>
  newsSince(before.timeline, after.timeline)
    .map(([, entry]) => entry)
    .filter(isOfAssistance)
    .map(({ n: _, at: __, type: ___, peer: id, ...data }) => {
      const known = after.peers.get(id);
      const peer: Told = known ? told(known) : { id, role: "peer" };
      return { type: "assistance.changed", at, data: { ...data, peer } };
    });

function flowNews(before: Session, after: Session, at: number): WebhookNews[] {
  return [...after.links.values()].flatMap((link) => {
    const known = before.links.get(link.id);
    if (link.flows.flows === known?.flows.flows) return [];
    const former = new Map(known?.flows.flows.map((flow) => [flow.id, flow]));
    return link.flows.flows.flatMap((flow) => stateNews(former.get(flow.id), flow, at));
  });
}

/** A flow is told of from the moment both ends have agreed on it. */
function stateNews(known: FlowRecord | undefined, now: FlowRecord, at: number): WebhookNews[] {
  const { state, reason, timing } = now;
  if (state === known?.state || state === "proposed") return [];
  const about = { flow: flowTold(now), ...previousOf(known) };
  const why = reason === undefined ? {} : { reason };
  switch (state) {
    case "negotiated":
      return [{ type: "flow.negotiated", at, data: { ...about, ...why } }];
    case "active":
      return [{ type: "flow.active", at, data: about }];
    case "held":
      return [{ type: "flow.held", at, data: { ...about, ...why } }];
    case "ended": {
      if (known === undefined || known.state === "proposed") return [];
      const { activeMs, heldMs } = timing;
      return [{ type: "flow.ended", at, data: { ...about, ...why, activeMs, heldMs } }];
    }
  }
}

const previousOf = (known: FlowRecord | undefined) =>
  known === undefined || known.state === "ended" ? {} : { previous: known.state };

const flowTold = ({ id, link, mid, kind, content, from, to }: FlowRecord) => ({
  ...{ id, link, mid, kind, from, to },
  ...(content !== undefined && { content }),
});
