import type { PeerView } from "../protocol/message-parts.ts";
import { DuplexError } from "./duplex-error.ts";
import type { DataConnection } from "./peerjs-data.ts";
import { peerError } from "./peerjs-events.ts";
import type { MediaConnection, Partner } from "./peerjs-media.ts";
import type { Session } from "./session.ts";

/** How long a peer that is called may take to come, as PeerServer keeps an offer. */
const AWAITED_MS = 5_000;
/** How soon it is looked for again, and one whose socket is lost asked again. */
const LOOK_MS = 100;
const ASK_MS = 500;

/** What others find a peer by. */
export const idOf = ({ id, name }: PeerView): string => name ?? id;

/** The other peers that may be called: not observers and media servers, nor whoever came by HTTP and hears of none. */
export function callablePeers(session: Session | undefined): PeerView[] {
  const all = [...(session?.peers.values() ?? [])];
  return all.filter(({ role, via }) => role === "peer" && via === undefined);
}

/**
 * The peers of an id, whoever was first before others. Who was away when this page joined comes last, but comes:
 * nobody is told when it is back.
 */
export function peersNamed(session: Session | undefined, id: string): PeerView[] {
  const isAway = ({ state }: PeerView): number => (state === "away" ? 1 : 0);
  return callablePeers(session)
    .filter((peer) => idOf(peer) === id)
    .sort((one, other) => isAway(one) - isAway(other) || one.joinedAt - other.joinedAt);
}

/** False when the peer is away or just gone: it may come back, and another one may have its name. */
async function takes(wanted: MediaConnection | DataConnection, partner: Partner): Promise<boolean> {
  try {
    if (!wanted.isOver) await wanted.ring(partner);
    return true;
  } catch (thrown) {
    const code = thrown instanceof DuplexError ? thrown.code : undefined;
    if (code === "peer-away" || code === "unknown-peer") return false;
    throw thrown;
  }
}

async function isAsked(
  wanted: MediaConnection | DataConnection,
  session: Session | undefined,
  peers: readonly PeerView[],
): Promise<boolean> {
  for (const { id } of peers) if (session && (await takes(wanted, { session, id }))) return true;
  return false;
}

/**
 * Finds the peer of a call or data connection and asks it, and waits for one that is about to come. Resolves when that
 * is done, or nobody wants it any more; rejects with what is in the way.
 */
export async function reach(
  wanted: MediaConnection | DataConnection,
  seeker: {
    readonly open: boolean;
    readonly disconnected: boolean;
    readonly session: Session | undefined;
  },
): Promise<void> {
  const until = Date.now() + AWAITED_MS;
  // Never at once: the page adds its listeners after the call.
  for (let waitMs = 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (wanted.isOver) return;
    const about = `Could not connect to peer ${wanted.peer}`;
    if (seeker.disconnected) throw peerError("disconnected", about);
    const session = seeker.open ? seeker.session : undefined;
    const peers = peersNamed(session, wanted.peer);
    if (await isAsked(wanted, session, peers)) return;
    if (seeker.open && Date.now() > until) throw peerError("peer-unavailable", about);
    waitMs = peers.length > 0 ? ASK_MS : LOOK_MS;
  }
}
