import { type LinkState, linkStateOf } from "../link-state.ts";
import type { LeaveReason } from "../presence.ts";
import type { ProblemCode } from "../problem.ts";
import type { Effect, Link, Peer, Session } from "../session.ts";
import type { Role } from "../session-config.ts";
import type { PairEnd, Transport } from "../transport.ts";

/** How a peer came: by a socket of its own, through a door of HTTP, by SWAP, or as the deployment's own media server. */
export type Via = "socket" | "whip" | "whep" | "swap" | "managed";

type CandidateType = PairEnd["candidateType"];

/** Of the selected pair, as one end reports it: types, and nothing that tells a place. */
export interface PathKind {
  readonly local: CandidateType;
  readonly remote: CandidateType;
  readonly protocol?: "udp" | "tcp" | "tls";
}

/**
 * What changed in the life of a session, its peers and its links: what operators count. No address, name, metadata or text
 * that a peer wrote is in it. Times are milliseconds.
 */
export type Change =
  | { readonly kind: "session-created" }
  | {
      readonly kind: "session-ended";
      readonly reason: "deleted" | "empty";
      readonly ms: number;
    }
  | {
      readonly kind: "peer-joined";
      readonly peer: string;
      readonly role: Role;
      readonly via: Via;
    }
  | {
      readonly kind: "peer-left";
      readonly peer: string;
      readonly role: Role;
      readonly via: Via;
      readonly reason: LeaveReason;
      readonly ms: number;
    }
  | {
      readonly kind: "link-connected";
      readonly link: string;
      /** `first` since its first offer, `restart` since ICE was restarted, `recovered` since it was interrupted. */
      readonly attempt: "first" | "restart" | "recovered";
      readonly ms: number;
      readonly path?: PathKind;
    }
  | {
      readonly kind: "link-failed";
      readonly link: string;
      /** `first` when it never came up, `broken` when it had. */
      readonly attempt: "first" | "broken";
      readonly ms: number;
    }
  | {
      readonly kind: "refused";
      readonly peer?: string;
      readonly code: ProblemCode;
      /** How often since it was told last. */
      readonly times: number;
    }
  | { readonly kind: "webhook-dead"; readonly type: string };

/** A step that was taken: what there was, what there is now, what is done about it. */
export interface Taken {
  readonly before: Session;
  readonly after: Session;
  readonly effects: readonly Effect[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

const NOTHING: readonly Change[] = [];

/** What a step changed in the life of a session, in the order peers, links, session; most steps change nothing. */
export function changesOf(taken: Taken): readonly Change[] {
  const { before, after, effects } = taken;
  const isOver = effects.some(({ type }) => type === "erase");
  if (!isOver && before.peers === after.peers && before.links === after.links) return NOTHING;
  return [...peerChanges(taken, isOver), ...linkChanges(taken), ...(isOver ? [ended(taken)] : [])];
}

function ended({ before, at }: Taken): Change {
  const { emptySince, config, createdAt } = before;
  const isDue = emptySince !== null && emptySince + config.emptyTtlSeconds * 1000 <= at;
  return { kind: "session-ended", reason: isDue ? "empty" : "deleted", ms: at - createdAt };
}

const viaOf = ({ http, endpoint, managed }: Peer): Via => {
  if (http) return http.door;
  if (endpoint) return "swap";
  return managed ? "managed" : "socket";
};

function peerChanges(taken: Taken, isOver: boolean): readonly Change[] {
  const { before, after, at } = taken;
  if (before.peers === after.peers) return NOTHING;
  // One that lost its state and came anew has left and joined.
  const isSame = (one: Peer, other: Peer | undefined) => one.joinedAt === other?.joinedAt;
  const left = [...before.peers.values()]
    .filter((peer) => !isSame(peer, after.peers.get(peer.id)))
    .map((peer): Change => {
      const reason = isOver ? "session-ended" : reasonOf(peer, taken);
      const { id, role, joinedAt } = peer;
      return { kind: "peer-left", peer: id, role, via: viaOf(peer), reason, ms: at - joinedAt };
    });
  const joined = [...after.peers.values()]
    .filter((peer) => !isSame(peer, before.peers.get(peer.id)))
    .map((peer): Change => {
      return { kind: "peer-joined", peer: peer.id, role: peer.role, via: viaOf(peer) };
    });
  return [...left, ...joined];
}

/** As the others are told; where there are none, as the session has it. */
function reasonOf({ id, awayUntil, tokenExpiresAt }: Peer, { after, effects, at }: Taken) {
  for (const effect of effects) {
    if (effect.type !== "send" || effect.message.type !== "peer-left") continue;
    if (effect.message.peer === id) return effect.message.reason;
  }
  if (after.kicked.has(id)) return "kicked";
  if (after.peers.has(id)) return "lost";
  if (tokenExpiresAt <= at) return "expired";
  return awayUntil !== null && awayUntil <= at ? "lost" : "left";
}

function linkChanges({ before, after, at }: Taken): readonly Change[] {
  if (before.links === after.links) return NOTHING;
  return [...after.links.values()].flatMap((link) => {
    const former = before.links.get(link.id);
    if (!former || former.flows.transports === link.flows.transports) return [];
    const [was, is] = [linkStateOf(former), linkStateOf(link)];
    if (was === is) return [];
    if (is === "working") return [connected(former, was, link, at)];
    return is === "failed" ? [failed(former, was, link, at)] : [];
  });
}

const openOf = ({ flows }: Link): readonly Transport[] =>
  flows.transports.filter(({ state }) => state !== "closed");

/** Since when the first of them is as it is. */
const sinceOf = (transports: readonly Transport[], at: number): number =>
  Math.min(at, ...transports.map(({ since }) => since));

/** When the attempt began that came to its end now. */
const began = ({ offeredAt }: Link, transports: readonly Transport[], at: number): number =>
  offeredAt[0] ?? sinceOf(transports, at);

function connected(former: Link, was: LinkState, link: Link, at: number): Change {
  const open = openOf(former);
  const path = pathOf(link);
  const told = { kind: "link-connected", link: link.id, ...(path && { path }) } as const;
  const restarts = open.flatMap(({ restartingSince }) => restartingSince ?? []);
  if (restarts.length > 0) return { ...told, attempt: "restart", ms: at - Math.min(...restarts) };
  if (was === "degraded" || was === "failed") {
    const down = open.filter(({ state }) => state !== "connected");
    return { ...told, attempt: "recovered", ms: at - sinceOf(down, at) };
  }
  return { ...told, attempt: "first", ms: at - began(link, open, at) };
}

function failed(former: Link, was: LinkState, link: Link, at: number): Change {
  const open = openOf(former);
  const told = { kind: "link-failed", link: link.id } as const;
  if (was === "connecting" && open.every(({ restartingSince }) => restartingSince === undefined)) {
    return { ...told, attempt: "first", ms: at - began(link, open, at) };
  }
  return { ...told, attempt: "broken", ms: at - sinceOf(open, at) };
}

const PROTOCOLS = ["udp", "tcp", "tls"] as const;

/** Of whichever end reported one. What peers may write freely is not taken over. */
function pathOf(link: Link): PathKind | undefined {
  const [pair] = openOf(link).flatMap(({ selectedPair = {} }) => Object.values(selectedPair));
  if (!pair) return undefined;
  const { local, remote } = pair;
  const said = (local.relayProtocol ?? local.protocol)?.toLowerCase();
  const protocol = PROTOCOLS.find((known) => known === said);
  return {
    local: local.candidateType,
    remote: remote.candidateType,
    ...(protocol && { protocol }),
  };
}
