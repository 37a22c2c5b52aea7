import type { ContextCause, StreamContext } from "../protocol/context-messages.ts";
import type { Candidate } from "../protocol/message-parts.ts";
import type { LayerChoice } from "./media-backend.ts";
import type { SeenPeer } from "./seen-peer.ts";

/** All that a managed media server has to remember: plain JSON. Times are milliseconds since 1970. */
export interface ManagedState {
  /** By id, in the order in which they were opened. */
  contexts: Record<string, Context>;
  /** By peer. */
  links: Record<string, ManagedLink>;
  /** Sessions of which nothing may stay behind. */
  cleanups: Cleanup[];
  /** How many names were given to tracks. */
  names: number;
  /** Contexts that are not opened again by then after a `welcome` have ended meanwhile. */
  sweepAt?: number | undefined;
}

export interface Context extends Omit<StreamContext, "priority"> {
  /** Newest revision that a `context-result` was sent for. */
  told: number;
  /** Why this revision cannot be had. */
  failure?: { readonly cause: ContextCause; readonly detail: string } | undefined;
  attempts?: number | undefined;
  retryAt?: number | undefined;
  /** Not opened again since the last `welcome`. */
  unseen?: true | undefined;
}

/** The link with one peer: one connection, one session of the back end. */
export interface ManagedLink {
  peer: SeenPeer;
  session?: string | undefined;
  /** DTLS fingerprints of the peer's connection: another connection has others (RFC 8122). */
  prints: string[];
  /** ICE user fragments of the peer's newest description. */
  ufrags: string[];
  /** An exchange of this session was completed. */
  established?: true | undefined;
  /** The session was told that the connection is there. */
  connected?: true | undefined;
  /** An exchange was completed, if not of this session: only an ICE restart brings another one into force. */
  inForce?: true | undefined;
  /** An offer of the peer that the back end has not seen. */
  remote?: RemoteDescription | undefined;
  /** An offer of the back end that the peer has not answered: nothing else can be negotiated before. */
  offered?: BackendOffer | undefined;
  /** What is being done; after a restart: what nobody knows the end of. */
  calling?: OperationName | undefined;
  /** What the peer sends, by mid. */
  publications: Record<string, Publication>;
  /** What the peer is sent, by mid. */
  pulls: Record<string, Pull>;
  /** Who joined offers first: until then it is not offered anything. */
  quietUntil?: number | undefined;
  /** Sessions lost since an exchange was completed. */
  losses: number;
  /** Whether the session is still there is asked then. */
  checkAt?: number | undefined;
  /** Tracks that could not be closed are tried again then. */
  closeAt?: number | undefined;
}

export interface RemoteDescription {
  readonly exchange: number;
  readonly sdp: string;
  readonly restart?: true | undefined;
  candidates: Candidate[];
  complete: boolean;
  /** Candidates are awaited until then. */
  readonly until: number;
}

export interface BackendOffer {
  readonly sdp: string;
  /** Context of each m-section that is new. */
  readonly media: Readonly<Record<string, { readonly context: string }>>;
  /** Absent when the peer does not have it, or has refused it. */
  exchange?: number | undefined;
  /** What the peer answered. */
  answer?: RemoteDescription | undefined;
  attempts: number;
  retryAt?: number | undefined;
}

export interface Publication {
  readonly name: string;
  fault?: string | undefined;
  /** Its flow is over: what is left of it is closed. */
  ended?: true | undefined;
  heldSince?: number | undefined;
}

export interface Source {
  readonly flow: string;
  readonly session: string;
  readonly name: string;
  readonly layer?: LayerChoice;
}

export interface Pull {
  /** Absent for a section of a player until the session opens its context. */
  context?: string | undefined;
  readonly kind: "audio" | "video";
  source: Source;
  /** The peer's newest description does not receive it. */
  off?: true | undefined;
  /** Last `sources` message about it. */
  said?: string | undefined;
  /** Its context is over. */
  ended?: true | undefined;
}

export interface Cleanup {
  readonly session: string;
  attempts: number;
  at: number;
}

export type OperationName = Operation["type"];

/** What can be done next on a link: one thing at a time. */
export type Operation =
  | { readonly type: "publish"; readonly remote: RemoteDescription }
  | { readonly type: "play"; readonly remote: RemoteDescription }
  | { readonly type: "answer"; readonly answer: RemoteDescription; readonly offered: BackendOffer }
  | { readonly type: "refuse"; readonly remote: RemoteDescription; readonly reason: string }
  | { readonly type: "offer"; readonly offered: BackendOffer }
  | { readonly type: "pull"; readonly wanted: readonly Wanted[] }
  | { readonly type: "update"; readonly changes: readonly Change[] }
  | { readonly type: "close"; readonly mids: readonly string[] }
  | { readonly type: "inspect" };

export interface Wanted {
  readonly context: string;
  readonly kind: "audio" | "video";
  readonly source: Source;
}

export interface Change {
  readonly mid: string;
  readonly source: Source;
}

/** The state of a media server that knows nobody yet. */
export const emptyState = (): ManagedState => ({
  contexts: {},
  links: {},
  cleanups: [],
  names: 0,
});

/** A link before its first exchange. */
export const newLink = (peer: SeenPeer, quietUntil: number): ManagedLink => ({
  peer,
  quietUntil,
  prints: [],
  ufrags: [],
  publications: {},
  pulls: {},
  losses: 0,
});
