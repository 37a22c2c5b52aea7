import { LIMITS } from "./limits.ts";
import { leave } from "./presence.ts";
import type { Session, Step } from "./session.ts";
import { LONGEST_TOKEN_MS } from "./session-config.ts";

/** The Worker that takes a token for valid may have another clock. */
const CLOCKS_DIFFER_MS = 60_000;

/** Removes a peer for good: its token dies with it (A1), and is remembered as long as it could be used. */
export function kick(session: Session, id: string, at: number): Step {
  const left = leaveAll(session, id, at);
  // Whether it has joined or not, it may hold a token that was made just now.
  const until = at + LONGEST_TOKEN_MS;
  const alive = [...session.kicked].filter(
    ([one, ends]) => one !== id && ends > at - CLOCKS_DIFFER_MS,
  );
  const kicked = new Map([...alive, [id, until] as const].slice(-LIMITS.kickedPeers));
  return { session: { ...left.session, kicked }, effects: left.effects };
}

/** The peer, and all that came through HTTP with its token. */
function leaveAll(session: Session, id: string, at: number): Step {
  const guests = [...session.peers.values()].filter(
    (peer) => peer.http?.bearer === id && peer.id !== id,
  );
  let left = leave(session, id, "kicked", at);
  for (const guest of guests) {
    const { session: next, effects } = leave(left.session, guest.id, "kicked", at);
    left = { session: next, effects: [...left.effects, ...effects] };
  }
  return left;
}
