import { offer } from "../exchange.ts";
import { LIMITS } from "../limits.ts";
import { admits, join, leave } from "../presence.ts";
import { type Problem, problem } from "../problem.ts";
import { type Effect, type Peer, type Session, type Step, withoutPeer } from "../session.ts";
import { counterpartFor, type Wish } from "./counterpart.ts";
import { httpPeersOf, isFlowing } from "./http-session.ts";

/** A POST to one of the two doors. */
export interface HttpArrival extends Wish {
  /** The random part of its URL. */
  readonly resource: string;
  readonly offer: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** It has them by the `Link` headers of its answer. */
const NO_ICE_SERVERS = { iceServers: [] };

/** An id is at most 64 characters. */
const ID_CHARACTERS = 52;
const SUFFIX_CHARACTERS = 11;

/**
 * A publisher or player comes, with its offer: a peer without a socket joins and offers, in one turn. A former session of
 * the same token that has no media any more gives way.
 *
 * Problems: `unauthorized` after a kick; `not-permitted` for a token that is of no peer; `publisher-busy`; those of
 * `counterpartFor`, of joining and of an offer.
 */
export function openHttpSession(session: Session, arrival: HttpArrival): Step | Problem {
  const { grant, door, resource, at, peer: plays } = arrival;
  const refused = admits(session, grant) ?? roleRefusal(arrival);
  if (refused) return refused;
  const room = withoutDead(session, arrival);
  const known = room.session.peers.get(grant.peer);
  if (known && door === "whip") return busy(known);
  const other = counterpartFor(room.session, arrival);
  if ("code" in other) return other;
  const id = known ? guestId(grant.peer, resource) : grant.peer;
  const http = {
    door,
    resource,
    bearer: grant.peer,
    other: other.id,
    ...(door === "whep" && plays !== undefined && { plays }),
    generation: 1,
    retired: [],
    dueAt: at + LIMITS.httpAnswerMs,
  };
  const joined = join(room.session, {
    grant: { ...grant, peer: id },
    ice: NO_ICE_SERVERS,
    http,
    at,
  });
  if ("code" in joined) return joined;
  const sender = joined.session.peers.get(id) as Peer;
  const message = { type: "offer", to: other.id, sdp: arrival.offer } as const;
  const offered = offer(joined.session, sender, message, at);
  if ("code" in offered) return offered;
  if (offered.problem) return turnedAway(room, offered, id);
  return {
    session: offered.session,
    effects: [...room.effects, ...joined.effects, ...offered.effects],
  };
}

function roleRefusal({ grant }: HttpArrival): Problem | undefined {
  if (grant.role === "peer") return undefined;
  return problem("not-permitted", `a token of a ${grant.role} neither publishes nor plays here`);
}

const busy = ({ http }: Peer): Problem =>
  problem(
    "publisher-busy",
    http
      ? "this token publishes already: end that session, or wait until its media have stopped"
      : "the peer of this token is in the session by a WebSocket",
  );

/** Players may share a token: the second one needs an id of its own. */
const guestId = (peer: string, resource: string): string =>
  `${peer.slice(0, ID_CHARACTERS)}-${resource.slice(0, SUFFIX_CHARACTERS)}`;

/** The session without what came before with this token and has no media: whoever comes again takes over. */
function withoutDead(session: Session, { grant, door, at }: HttpArrival): Step {
  let next = session;
  const effects: Effect[] = [];
  for (const peer of httpPeersOf(session)) {
    const { http, id } = peer;
    if (http.bearer !== grant.peer || http.door !== door) continue;
    // Another player with the same token may just be on its way.
    const isWaiting = door === "whep" && http.dueAt !== null && http.dueAt > at;
    if (isWaiting || isFlowing(session, peer)) continue;
    const left = leave(next, id, "lost", at);
    next = left.session;
    effects.push(...left.effects);
  }
  return { session: next, effects };
}

/** A description that was refused leaves what was found in it, and nobody; whoever gave way for it has left all the same. */
function turnedAway(room: Step, { session, problem: why }: Step, id: string): Step {
  const next = { ...withoutPeer(session, id), emptySince: room.session.emptySince };
  return { session: next, effects: room.effects, ...(why && { problem: why }) };
}
