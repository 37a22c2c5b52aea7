import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import type { Conversation } from "./conversation.ts";
import { Failure } from "./judgement.ts";

/** The media server's offers that have no answer yet: the id of each by the peer it is for. */
type OpenOffers = Map<string, number | undefined>;

/** Takes what the media server said; the peer that it has a second offer for. */
function heard(open: OpenOffers, message: FromPeer): string | undefined {
  if (message.type !== "offer" && message.type !== "rollback") return undefined;
  const { to, id } = message;
  if (to === undefined) return undefined;
  if (message.type === "rollback") open.delete(to);
  else if (open.has(to)) return to;
  else open.set(to, id);
  return undefined;
}

function told(open: OpenOffers, message: ToPeer): void {
  switch (message.type) {
    case "answer":
    case "reject":
    case "expired":
      open.delete(message.from);
      return;
    case "peer-left":
      open.delete(message.peer);
      return;
    case "problem":
      for (const [to, id] of open) if (id === message.re) open.delete(to);
      return;
    case "welcome":
      // A new socket: offers without a reply may be sent again.
      open.clear();
      return;
    default:
  }
}

/** No offer to a peer before the one before it has come to its end. */
export function demandOneOffer(conversation: Conversation): void {
  const open: OpenOffers = new Map();
  const steps = [
    ...conversation.said.map(({ atMs, message }) => ({ atMs, take: () => heard(open, message) })),
    ...conversation.told.map(({ atMs, message }) => ({ atMs, take: () => told(open, message) })),
  ].toSorted((a, b) => a.atMs - b.atMs);
  for (const { take } of steps) {
    const to = take();
    if (to === undefined) continue;
    throw new Failure(`expected one offer at a time to ${to}; saw a second before its answer`);
  }
}
