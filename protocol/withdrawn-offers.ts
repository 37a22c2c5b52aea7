import type { FromPeer } from "./messages.ts";
import { closeOpen, move, openExchange, toReceiver } from "./move.ts";
import type { Problem } from "./problem.ts";
import type { Effect, Peer, Session, Step } from "./session.ts";

/** Offers that come to nothing: rejected, taken back, or not answered. */

type Message<T extends FromPeer["type"]> = Extract<FromPeer, { type: T }>;

/** The answerer refuses the open offer; both are back in the last stable state (N4). */
export function reject(
  session: Session,
  sender: Peer,
  message: Message<"reject">,
  at: number,
): Step | Problem {
  return takeBack(session, sender, message, at, "rejected");
}

/** The offerer takes its open offer back; both are back in the last stable state (N4). */
export function rollback(
  session: Session,
  sender: Peer,
  message: Message<"rollback">,
  at: number,
): Step | Problem {
  return takeBack(session, sender, message, at, "rolled-back");
}

function takeBack(
  session: Session,
  sender: Peer,
  message: Message<"reject"> | Message<"rollback">,
  at: number,
  reason: "rejected" | "rolled-back",
): Step | Problem {
  const made = move(session, sender, message.to, at);
  if ("code" in made) return made;
  const open = openExchange(made.link, sender, message);
  if ("code" in open) return open;
  const { type: _type, to: _to, id: _id, ...rest } = message;
  const told =
    message.type === "reject"
      ? ({ ...rest, type: "reject", from: sender.id } as const)
      : ({ ...rest, type: "rollback", from: sender.id } as const);
  return {
    session: closeOpen(made, reason).session,
    effects: [toReceiver(made, told)],
    ack: {},
  };
}

/** Offers whose time is over: both ends learn it (N7). */
export function expireOffers(session: Session, at: number): Step {
  let now = session;
  const effects: Effect[] = [];
  for (const link of session.links.values()) {
    if (!link.open || link.open.expiresAt > at) continue;
    const { exchange } = link.open;
    const [one, other] = link.peers;
    now = closeOpen({ session: now, link, at }, "expired").session;
    effects.push({ type: "send", to: one, message: { type: "expired", from: other, exchange } });
    effects.push({ type: "send", to: other, message: { type: "expired", from: one, exchange } });
  }
  return { session: now, effects };
}
