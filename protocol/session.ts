import type { Allowances } from "./allowance.ts";
import type { KeptResult } from "./context-results.ts";
import type { Kind } from "./flow.ts";
import type { MediaLabels } from "./flow-query.ts";
import type { LinkFlows } from "./flows/link-flows.ts";
import type { Kept } from "./kept.ts";
import type { Candidate } from "./message-parts.ts";
import type { ToPeer } from "./messages.ts";
import type { Problem } from "./problem.ts";
import type { SdpFinding } from "./sdp/finding.ts";
import type { Said } from "./sdp/history.ts";
import type { PeerTraits, Role, SessionConfig, Ue } from "./session-config.ts";
import type { SocketRequest } from "./socket-request.ts";
import type { Endpoint, Unsent } from "./swap/endpoint.ts";
import { NO_TIMELINE, type Timeline } from "./timeline/timeline.ts";
import type { HttpSession } from "./whip/http-session.ts";

/** A session as a value. Immutable: a step makes a new one, sharing what did not change. */
export interface Session extends Kept {
  readonly id: string;
  readonly config: SessionConfig;
  /** All times are milliseconds since 1970. */
  readonly createdAt: number;
  /** Since when nobody is connected; null while somebody is (S6). */
  readonly emptySince: number | null;
  readonly peers: ReadonlyMap<string, Peer>;
  /** Peers that were kicked, and until when their tokens would live: they are dead. */
  readonly kicked: ReadonlyMap<string, number>;
  readonly links: ReadonlyMap<string, Link>;
  /** Trickled candidates per link: kept apart because they are not worth a row each. */
  readonly trickle: ReadonlyMap<string, readonly Trickle[]>;
  /** What happened: written with whatever else is written, never worth a row of its own. */
  readonly timeline: Timeline;
}

export interface Peer extends PeerTraits {
  readonly id: string;
  readonly role: Role;
  readonly name?: string;
  readonly publish: readonly Kind[];
  readonly subscribe: readonly Kind[];
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly tokenExpiresAt: number;
  readonly joinedAt: number;
  /** What its socket asked for; absent where it is told all, in full. */
  readonly asked?: SocketRequest;
  /** An endpoint of SWAP: its socket is in its realm. */
  readonly endpoint?: Endpoint;
  /** A WHIP publisher or WHEP player: it has no socket. */
  readonly http?: HttpSession;
  /** A media server whose media a managed SFU carries: it has no socket, and is there as long as the session. */
  readonly managed?: true;
  /** A media server that takes nothing new: it is about to go. */
  readonly draining?: true;
  /** Counts the sockets of the peer; only the newest one speaks for it (S3). */
  readonly connection: number;
  /** Until when a lost peer may come back; null while it is connected (S5). */
  readonly awayUntil: number | null;
  /** In a mobile network that may be asked for it. */
  readonly ue?: Ue;
  /** What its next socket may spend, when its last one had spent something (S7). */
  readonly allowances?: Allowances;
}

/** A description as received. An object, so that what was read from it can be remembered with it. */
export interface StoredDescription {
  readonly sdp: string;
  /** How many lines of it differ from the text received, because they showed addresses (decision 0017). */
  readonly withheld?: number;
}

/** An offer that waits for its answer. */
export interface OpenExchange {
  readonly exchange: number;
  readonly offerer: string;
  readonly offer: StoredDescription;
  readonly restart?: boolean;
  /** What the offerer says of its media, by mid. */
  readonly media?: MediaLabels;
  readonly expiresAt: number;
}

/** The offer/answer pair in force. */
export interface AgreedExchange {
  readonly exchange: number;
  readonly offerer: string;
  readonly offer: StoredDescription;
  readonly answer: StoredDescription;
}

/** Two peers and their negotiation. Outlives a peer that left: its numbers keep growing (N1). */
export interface Link {
  readonly id: string;
  readonly peers: readonly [string, string];
  /** Newest number issued; 0 before the first. */
  readonly exchange: number;
  readonly open: OpenExchange | null;
  readonly inForce: AgreedExchange | null;
  readonly flows: LinkFlows;
  /** What the rules found in descriptions and candidates of this link, refused ones included. */
  readonly findings: readonly RecordedFinding[];
  /** What each end has said so far, in the order of `peers`. */
  readonly said: readonly [Said, Said];
  /** When the offers of the last minute came. */
  readonly offeredAt: readonly number[];
  /** What a media server has said of contexts of the other end, where it is worth keeping. */
  readonly contextResults?: Readonly<Record<string, KeptResult>>;
  /** A description that waits for its candidates, because its receiver takes none later. */
  readonly unsent?: Unsent;
}

/** A finding with whose description it is about, and what became of that. */
export interface RecordedFinding extends SdpFinding {
  readonly from: string;
  readonly at: number;
  /** Absent when the description was refused: it never got a number. */
  readonly exchange?: number;
  /** The description, or the candidate, went no further. */
  readonly refused?: true;
}

/** Candidates of one peer in one exchange, in its order, without duplicates (N5). */
export interface Trickle {
  readonly from: string;
  readonly exchange: number;
  readonly candidates: readonly Candidate[];
  readonly complete: boolean;
  /** How many of an old ICE generation were dropped. */
  readonly dropped: number;
}

/** What a step asks the shell to do, in this order, after the session was saved. */
export type Effect =
  | { readonly type: "send"; readonly to: string; readonly message: ToPeer }
  /** Tells the peer why by a `closing` frame and closes its sockets. */
  | {
      readonly type: "close";
      readonly peer: string;
      readonly code: number;
      readonly reason: string;
    }
  /** The same for the older sockets of the peer: a newer one took its place (S3). */
  | { readonly type: "replace"; readonly peer: string }
  /** Makes ICE servers for the peer and sends them as `ice-servers`. */
  | { readonly type: "renew-ice-servers"; readonly peer: string }
  /** Asks whether other sessions had these CNAMEs; if one had, a `cname-recalled` event follows. */
  | {
      readonly type: "recall-cnames";
      readonly peer: string;
      readonly link: string;
      readonly role: "offer" | "answer";
      readonly exchange: number;
      readonly cnames: readonly string[];
    }
  /** An HTTP client that waits is answered: by a description, or by why there is none. */
  | {
      readonly type: "resolve";
      readonly peer: string;
      readonly outcome: Described | Problem;
    }
  /** The session is over: everything is erased (S6). */
  | { readonly type: "erase" };

/** A description for whoever takes no other message. */
export interface Described {
  readonly type: "offer" | "answer";
  readonly sdp: string;
}

/** Members of the ack of a request, when it had an id. */
export type AckMembers = Omit<Extract<ToPeer, { type: "ack" }>, "type" | "re">;

export interface Step {
  readonly session: Session;
  readonly effects: readonly Effect[];
  readonly ack?: AckMembers;
  /** Answered instead of an ack: what was refused of the message, though the session keeps a record of it. */
  readonly problem?: Problem;
}

export function newSession(id: string, config: SessionConfig, at: number, kept?: Kept): Session {
  return {
    id,
    config,
    ...kept,
    createdAt: at,
    emptySince: at,
    peers: new Map(),
    kicked: new Map(),
    links: new Map(),
    trickle: new Map(),
    timeline: NO_TIMELINE,
  };
}

/** All that was trickled on a link, in the exchanges that are open or in force. */
export function trickleOf(session: Session, link: string): readonly Trickle[] {
  return session.trickle.get(link) ?? [];
}

/** Id of the link of two peers, the same from both ends. */
export function linkIdOf(one: string, other: string): string {
  return one < other ? `${one}~${other}` : `${other}~${one}`;
}

export function otherPeer(link: Link, peer: string): string {
  return link.peers[0] === peer ? link.peers[1] : link.peers[0];
}

export function isConnected(peer: Peer | undefined): boolean {
  return peer !== undefined && peer.awayUntil === null;
}

// Every change of flows asks for it, most of them several times.
const revisions = new WeakMap<Session["links"], number>();

/** The session's flow revision: the highest any record carries (F4). */
export function revisionOf({ links }: Session): number {
  const known = revisions.get(links);
  if (known !== undefined) return known;
  let revision = 0;
  for (const link of links.values()) revision = Math.max(revision, link.flows.revision);
  revisions.set(links, revision);
  return revision;
}

const replaced = <K, V>(
  map: ReadonlyMap<K, V>,
  key: K,
  value: V | undefined,
): ReadonlyMap<K, V> => {
  const next = new Map(map);
  if (value === undefined) next.delete(key);
  else next.set(key, value);
  return next;
};

export function withPeer(session: Session, peer: Peer): Session {
  return { ...session, peers: replaced(session.peers, peer.id, peer) };
}

export function withoutPeer(session: Session, id: string): Session {
  return { ...session, peers: replaced(session.peers, id, undefined) };
}

export function withLink(session: Session, link: Link): Session {
  return { ...session, links: replaced(session.links, link.id, link) };
}

/** Puts the flows of a link; the same session when they are what they were. */
export function withFlows(session: Session, link: Link, flows: LinkFlows): Session {
  return flows === link.flows ? session : withLink(session, { ...link, flows });
}

/** Puts the trickled candidates of a link; an empty list removes them. */
export function withTrickle(session: Session, link: string, trickle: readonly Trickle[]): Session {
  return {
    ...session,
    trickle: replaced(session.trickle, link, trickle.length === 0 ? undefined : trickle),
  };
}
