import { mediaServerOf } from "../addressing.ts";
import type { FromPeer } from "../messages.ts";
import type { Problem } from "../problem.ts";
import {
  type Effect,
  isConnected,
  linkIdOf,
  type Peer,
  type Session,
  type Step,
} from "../session.ts";
import type { SessionEvent } from "../step.ts";
import { toldReason } from "../told-reason.ts";
import type { IceError, SelectedPair } from "../transport.ts";
import { assistanceNews } from "./assistance-news.ts";
import type { News, TimelineEntry } from "./entry.ts";
import { linkNews } from "./link-news.ts";
import { presenceNews } from "./presence-news.ts";
import {
  append,
  forgetting,
  type Noted,
  newsSince,
  OF_SESSION,
  ofFlows,
  ofLink,
  ofPeer,
} from "./timeline.ts";
import { trickleNews } from "./trickle-news.ts";

/** The step with what happened in the timeline of its session; observers that follow it are told. */
export function recorded(before: Session, event: SessionEvent, step: Step): Step {
  const presence = presenceNews(before, event, step);
  const noted = [
    ...presence.first,
    ...assistanceNews(before, event),
    ...linkNews(before, event, step.session),
    ...trickleNews(before, step.session),
    ...reported(before, event, step),
    ...(step.problem && event.type === "message" ? [refusal(event, step.problem)] : []),
    ...presence.last,
  ];
  const done = withNoted(step, noted, event.at);
  return event.type === "join" ? { ...done, session: withoutForgotten(done.session) } : done;
}

/** Old links are forgotten before somebody joins; what happened on them goes with them. */
function withoutForgotten(session: Session): Session {
  const timeline = forgetting(session.timeline, session.peers, session.links);
  return timeline === session.timeline ? session : { ...session, timeline };
}

/**
 * What a refused event leaves in the timeline, and nowhere else: the caller keeps the session that it had but for that.
 * `message` is what was refused, where it could be read.
 */
export function recordedRefusal(
  session: Session,
  peer: string,
  { message, problem, at }: { message?: FromPeer | undefined; problem: Problem; at: number },
): Step {
  // Whoever is not here any more has no history.
  if (!session.peers.has(peer)) return { session, effects: [] };
  const noted = message
    ? refusal({ peer, message }, problem)
    : ([ofPeer(peer), { type: "refused", by: peer, code: problem.code }] as const);
  return withNoted({ session, effects: [] }, [noted], at);
}

/** Something of ours that failed, the delivery of an event for one: noted for the session. */
export function recordedNews(session: Session, news: News, at: number): Step {
  return withNoted({ session, effects: [] }, [[OF_SESSION, news]], at);
}

function withNoted(step: Step, noted: readonly Noted[], at: number): Step {
  if (noted.length === 0) return step;
  const { session } = step;
  const timeline = append(session.timeline, noted, at - session.createdAt);
  const told = newsSince(session.timeline, timeline).map(([, entry]) => entry);
  return {
    ...step,
    session: { ...session, timeline },
    effects: [...step.effects, ...tellFollowers(session.peers, told, timeline.newest)],
  };
}

// Most sessions have none, and people seldom come or go.
const followers = new WeakMap<Session["peers"], readonly Peer[]>();

function followersOf(peers: Session["peers"]): readonly Peer[] {
  const known = followers.get(peers);
  if (known) return known;
  const found = [...peers.values()].filter(
    (peer) => peer.role === "observer" && peer.asked?.timeline !== undefined && isConnected(peer),
  );
  followers.set(peers, found);
  return found;
}

const tellFollowers = (
  peers: Session["peers"],
  entries: readonly TimelineEntry[],
  newest: number,
): readonly Effect[] =>
  followersOf(peers).map(({ id }) => ({
    type: "send",
    to: id,
    message: { type: "timeline", entries: [...entries], newest },
  }));

function refusal(
  { peer, message }: { readonly peer: string; readonly message: FromPeer },
  { code }: Problem,
): Noted {
  const to = "to" in message ? message.to : undefined;
  const about = to === undefined || to === peer ? {} : { link: linkIdOf(peer, to) };
  return [ofPeer(peer), { type: "refused", by: peer, ...about, message: message.type, code }];
}

/** What peers told of links and flows, and what was asked of flows. */
function reported(before: Session, event: SessionEvent, step: Step): readonly Noted[] {
  const { session, problem } = step;
  if (problem) return [];
  if (session.links === before.links && session.peers === before.peers) {
    return event.type === "message" ? toldAnew(session, event) : [];
  }
  if (event.type === "change-flow") {
    return [steered(event.flow, event.change, event.peer)];
  }
  if (event.type !== "message") return [];
  const { peer, message } = event;
  switch (message.type) {
    case "flow":
      return [steered(message.flow, message, peer)];
    case "transport":
      return transportNews(session, peer, message);
    case "drain": {
      const { successor } = message;
      const news = {
        type: "drain",
        by: peer,
        ...(successor !== undefined && { successor }),
      } as const;
      return [[ofPeer(peer), news]];
    }
    case "context-result": {
      const { context, outcome, cause: reason } = message;
      const news = { type: "context", by: peer, context, ...(reason && { reason }) } as const;
      return outcome === "refused" ? [[ofPeer(peer), news]] : [];
    }
    default:
      return [];
  }
}

type Asked = Pick<Extract<FromPeer, { type: "flow" }>, "held" | "maxBitrateBps" | "priority">;

function steered(flow: string, { held, maxBitrateBps, priority }: Asked, by?: string): Noted {
  const news: News = {
    type: "steered",
    ...(by !== undefined && { by }),
    flow,
    ...(held !== undefined && { held }),
    ...(maxBitrateBps !== undefined && { maxBitrateBps }),
    ...(priority !== undefined && { priority }),
  };
  return [ofFlows(linkOfFlow(flow)), news];
}

/** A flow's id begins with that of its link. */
const linkOfFlow = (flow: string): string => flow.slice(0, flow.indexOf(":"));

function transportNews(
  session: Session,
  by: string,
  message: Extract<FromPeer, { type: "transport" }>,
): readonly Noted[] {
  // It was accepted: who names nobody means the media server.
  const to = message.to ?? (mediaServerOf(session.peers) as Peer).id;
  const { transport, state, pair, ice, iceErrors } = message;
  const reason = toldReason(message.reason);
  const link = linkIdOf(by, to);
  const news: News = {
    type: "transport",
    by,
    link,
    ...(transport !== undefined && { transport }),
    state,
    ...(reason !== undefined && { reason }),
    ...(pair && { pair: typesOf(pair) }),
    ...(ice && { ice }),
    ...(iceErrors && { iceErrors: iceErrors.map(named) }),
  };
  return [[ofLink(link), news]];
}

/** `turn:turn.example.org:3478?transport=udp` (RFC 7065): a host and no more, whatever a peer says it is. */
const ICE_URL = /^(?:stun|turn)s?:[\w.:[\]-]+(?:\?transport=\w+)?$/i;

const named = ({ url, ...error }: IceError): IceError =>
  url !== undefined && ICE_URL.test(url) ? { ...error, url } : error;

/** What leaves the records as they were is news where its peer has said something else before. */
function toldAnew(
  session: Session,
  { peer, message }: Extract<SessionEvent, { type: "message" }>,
): readonly Noted[] {
  if (message.type !== "transport") return [];
  return transportNews(session, peer, message).filter(([subject, news]) => {
    const own = session.timeline.rings.get(subject) ?? [];
    const last = own.findLast(
      (entry) =>
        entry.type === "transport" && entry.by === peer && entry.transport === message.transport,
    );
    return JSON.stringify({ ...last, n: 0, at: 0 }) !== JSON.stringify({ n: 0, at: 0, ...news });
  });
}

const typesOf = ({ local, remote }: SelectedPair): TransportNews["pair"] => ({
  local: local.candidateType,
  remote: remote.candidateType,
  ...(local.protocol && { protocol: local.relayProtocol ?? local.protocol }),
});

type TransportNews = Extract<News, { type: "transport" }>;
