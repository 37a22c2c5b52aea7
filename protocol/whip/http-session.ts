import { outlineOf } from "../outline.ts";
import {
  type AgreedExchange,
  type Link,
  linkIdOf,
  type Peer,
  type Session,
  type StoredDescription,
} from "../session.ts";

/** Which of the two HTTP doors a peer came through: WHIP publishes (RFC 9725), WHEP plays. */
export type Door = "whip" | "whep";

/** A peer whose signalling is HTTP: a WHIP publisher or a WHEP player, as part of the session's state. */
export interface HttpSession {
  readonly door: Door;
  /** The random part of its URL: who knows it may do all that the peer may. */
  readonly resource: string;
  /** The peer of the token it came with; several players may share one. */
  readonly bearer: string;
  /** The peer that it negotiates with, and nobody else. */
  readonly other: string;
  /** Whose media a player asked for; absent when the media server chooses. */
  readonly plays?: string;
  /** Username fragment of the ICE generation that it was answered in last. */
  readonly ufrag?: string;
  /** Counts ICE generations, from 1: its entity tag. */
  readonly generation: number;
  /** Username fragments of former generations, the newest last: a late request must not bring them back. */
  readonly retired: readonly string[];
  /** By when it has to have its answer, then its media, milliseconds since 1970; null when nothing is due. */
  readonly dueAt: number | null;
}

/** Entity tag of the ICE generation, without quotes (RFC 9725 s4.3.1). */
export const tagOf = ({ generation }: HttpSession): string => `ice-${generation}`;

/** A peer that came by HTTP. */
export interface HttpPeer extends Peer {
  readonly http: HttpSession;
}

/** Those of the session. */
export const httpPeersOf = ({ peers }: Session): readonly HttpPeer[] =>
  [...peers.values()].filter((peer): peer is HttpPeer => peer.http !== undefined);

/** Its only link: it came with it. */
export const linkOfHttp = ({ links }: Session, { id, http }: HttpPeer): Link =>
  links.get(linkIdOf(id, http.other)) as Link;

/** What it has said in this pair. */
export const ownIn = (inForce: AgreedExchange, { id }: HttpPeer): StoredDescription =>
  inForce.offerer === id ? inForce.offer : inForce.answer;

/** Username fragment of what it has said in this pair; undefined where the session lets such a pair pass. */
export const ufragIn = (inForce: AgreedExchange, peer: HttpPeer): string | undefined =>
  outlineOf(ownIn(inForce, peer))?.sections.find(({ iceUfrag }) => iceUfrag !== undefined)
    ?.iceUfrag;

/** Whether its media have a way, as the other side tells. */
export const isFlowing = (session: Session, peer: HttpPeer): boolean =>
  linkOfHttp(session, peer).flows.transports.some(({ state }) => state === "connected");

/** The peer of this URL. */
export const peerOfResource = (
  session: Session,
  door: Door,
  resource: string,
): HttpPeer | undefined =>
  httpPeersOf(session).find(({ http }) => http.door === door && http.resource === resource);

const sessions = new WeakMap<Session["peers"], boolean>();

/** Whether a peer of the session is an HTTP client. Asked after every frame, and people seldom come or go. */
export function hasHttpSessions({ peers }: Session): boolean {
  const known = sessions.get(peers);
  if (known !== undefined) return known;
  const has = [...peers.values()].some(({ http }) => http !== undefined);
  sessions.set(peers, has);
  return has;
}
