import type { FlowsView } from "./flow.ts";
import { isSummarised, summaryOf } from "./flows/summary.ts";
import type { IceServer } from "./ice-server.ts";
import type { LinkSummary, LinkView, PeerView } from "./message-parts.ts";
import type { ToPeer, Welcome } from "./messages.ts";
import {
  type AgreedExchange,
  isConnected,
  type Link,
  type OpenExchange,
  type Peer,
  revisionOf,
  type Session,
  type Trickle,
  trickleOf,
} from "./session.ts";
import { traitsOf } from "./session-config.ts";
import { transportFor } from "./shown-transports.ts";
import { TOLD_LIMITS } from "./told-limits.ts";

/** What others read of a session: the state as values of the wire. */

export function viewPeer(peer: Peer): PeerView {
  return {
    id: peer.id,
    role: peer.role,
    ...(peer.name === undefined ? {} : { name: peer.name }),
    publish: [...peer.publish],
    subscribe: [...peer.subscribe],
    ...(peer.metadata === undefined ? {} : { metadata: peer.metadata }),
    ...traitsOf(peer),
    ...(peer.http && { via: peer.http.door }),
    ...(peer.http?.plays !== undefined && { plays: peer.http.plays }),
    ...(peer.managed && { managed: peer.managed }),
    ...(peer.draining && { draining: peer.draining }),
    state: isConnected(peer) ? "connected" : "away",
    joinedAt: peer.joinedAt,
  };
}

/** Who reads: a peer, joined or not. */
export type Reader = Pick<Peer, "id" | "role">;

/** True when the peer may read this link: its own, or any for an observer (A2). */
function mayRead(peer: Reader, link: Link): boolean {
  return peer.role === "observer" || link.peers.includes(peer.id);
}

/** Trickle of the exchanges that are open or in force: older ones are history. */
export function currentTrickle(link: Link, trickle: readonly Trickle[]): readonly Trickle[] {
  return trickle.filter(
    ({ exchange }) => exchange === link.open?.exchange || exchange === link.inForce?.exchange,
  );
}

const linkHead = (link: Link) => {
  const offerer = (link.open ?? link.inForce)?.offerer;
  return {
    id: link.id,
    peers: [link.peers[0], link.peers[1]] as [string, string],
    state: link.open ? ("offered" as const) : ("stable" as const),
    exchange: link.exchange,
    ...(offerer === undefined ? {} : { offerer }),
  };
};

/** A link with its descriptions and candidates (N6). */
export function viewLink(link: Link, trickle: readonly Trickle[]): LinkView {
  const { open, inForce } = link;
  const offered = open ?? inForce;
  const answerer = inForce && link.peers.find((peer) => peer !== inForce.offerer);
  return {
    ...linkHead(link),
    ...(offered
      ? {
          offer: {
            exchange: offered.exchange,
            from: offered.offerer,
            ...offered.offer,
          },
        }
      : {}),
    ...(inForce && answerer
      ? { answer: { exchange: inForce.exchange, from: answerer, ...inForce.answer } }
      : {}),
    candidates: currentTrickle(link, trickle).map(({ from, exchange, candidates, complete }) => ({
      from,
      exchange,
      candidates: [...candidates],
      complete,
    })),
  };
}

/** What the server has of a link, for a peer that compares (R2). */
export function summariseLink(link: Link, trickle: readonly Trickle[]): LinkSummary {
  const { candidates, offer, answer, ...head } = viewLink(link, trickle);
  const has: LinkSummary["has"] = [];
  if (offer) has.push({ from: offer.from, description: "offer", exchange: offer.exchange });
  if (answer) has.push({ from: answer.from, description: "answer", exchange: answer.exchange });
  return {
    ...head,
    has,
    candidates: candidates.map(({ candidates: list, ...rest }) => ({
      ...rest,
      count: list.length,
    })),
  };
}

/** Links a peer may read, dead ones (a peer left) excepted. */
export function liveLinksOf(session: Session, peer: Peer): readonly Link[] {
  return [...session.links.values()].filter(
    (link) => (link.open !== null || link.inForce !== null) && mayRead(peer, link),
  );
}

/** Flows and transports a peer may read; all without a peer (F4, A2). */
export function viewFlows(session: Session, reader?: Reader): FlowsView {
  const links = [...session.links.values()].filter((link) => !reader || mayRead(reader, link));
  return {
    revision: revisionOf(session),
    flows: links.flatMap((link) => [...link.flows.flows]),
    transports: links.flatMap((link) =>
      link.flows.transports.map((transport) => transportFor(reader, transport)),
    ),
  };
}

/** Ended flows that `welcome` has at most: the frame stays small however long the session is. */
const WELCOME_ENDED = 64;

/** What a reader starts from: live flows, the newest ended ones, and the transports that these run on. */
export function currentFlows(session: Session, reader: Reader): FlowsView {
  const { revision, flows, transports } = viewFlows(session, reader);
  const over = flows.filter(({ state }) => state === "ended");
  if (over.length <= WELCOME_ENDED) return { revision, flows, transports };
  const oldest = over
    .toSorted((one, other) => one.revision - other.revision)
    .slice(0, over.length - WELCOME_ENDED);
  const left = new Set(oldest);
  const told = flows.filter((flow) => !left.has(flow));
  const carriers = new Set(told.map(({ transport }) => transport));
  return {
    revision,
    flows: told,
    transports: transports.filter(({ id, state }) => state !== "closed" || carriers.has(id)),
  };
}

/** The same for a peer, as its socket has asked for it. */
export function welcomeFlows(session: Session, peer: Peer): Welcome["flows"] {
  const current = currentFlows(session, peer);
  if (peer.asked?.flows !== "brief") return current;
  const flows = current.flows.filter(isSummarised).map(summaryOf);
  return { revision: current.revision, flows, transports: [] };
}

/** Session of GET /v1/sessions/{id}. */
export function viewSession(session: Session): SessionView {
  const flows: Record<string, number> = {};
  for (const link of session.links.values()) {
    for (const { state } of link.flows.flows) flows[state] = (flows[state] ?? 0) + 1;
  }
  return {
    id: session.id,
    createdAt: session.createdAt,
    ...session.config,
    peers: [...session.peers.values()].map(viewPeer),
    links: [...session.links.values()].map((link) => {
      const { offerer: _, ...head } = linkHead(link);
      return head;
    }),
    flows,
    revision: revisionOf(session),
  };
}

export type SessionView = {
  id: string;
  createdAt: number;
  peers: PeerView[];
  links: Pick<LinkView, "id" | "peers" | "state" | "exchange">[];
  flows: Record<string, number>;
  revision: number;
} & Session["config"];

/** ICE servers as made for one peer. */
export interface IceGrant {
  readonly iceServers: readonly IceServer[];
  /** Milliseconds since 1970; absent when nothing expires. */
  readonly expiresAt?: number;
  /** Relays end with their credentials; absent where one that is refreshed lives on. */
  readonly allocationsExpire?: true;
}

/** The first frame on every socket (S7, R2). */
export function welcome(session: Session, peer: Peer, resumed: boolean, ice: IceGrant): Welcome {
  const { config } = session;
  return {
    type: "welcome",
    peer: viewPeer(peer),
    session: {
      id: session.id,
      topology: config.topology,
      iceTransportPolicy: config.iceTransportPolicy,
      sdpPolicy: config.sdpPolicy,
      resumeSeconds: config.resumeSeconds,
      createdAt: session.createdAt,
      ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    },
    resumed,
    limits: {
      ...TOLD_LIMITS,
      peers: config.maxPeers,
    },
    iceServers: [...ice.iceServers],
    ...(ice.expiresAt === undefined ? {} : { iceServersExpireAt: ice.expiresAt }),
    ...(ice.allocationsExpire ? { allocationsExpire: true as const } : {}),
    peers: [...session.peers.values()].filter(({ id }) => id !== peer.id).map(viewPeer),
    links: liveLinksOf(session, peer).map((link) =>
      summariseLink(link, trickleOf(session, link.id)),
    ),
    flows: welcomeFlows(session, peer),
    tokenExpiresAt: peer.tokenExpiresAt,
  };
}

/** An open offer, as its answerer is sent it. */
export function offerMessage({ offerer, exchange, offer, restart }: OpenExchange): ToPeer {
  const message = { type: "offer", from: offerer, exchange, ...offer } as const;
  return restart === undefined ? message : { ...message, restart };
}

/** The answer in force, as its offerer is sent it. */
export function answerMessage(from: string, { exchange, answer }: AgreedExchange): ToPeer {
  return { type: "answer", from, exchange, ...answer };
}

/** Candidates as the other side is sent them: all of them, or only those given. */
export function candidatesMessage(
  { from, exchange, candidates, complete }: Trickle,
  only: Trickle["candidates"] = candidates,
): ToPeer {
  const message = { type: "candidates" as const, from, exchange, candidates: [...only] };
  return complete ? { ...message, complete } : message;
}
