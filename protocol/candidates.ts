import { readable } from "./assess.ts";
import type { FromPeer } from "./messages.ts";
import { forwarded, move, staleNegotiation } from "./move.ts";
import type { Problem } from "./problem.ts";
import {
  type Link,
  type Peer,
  type Session,
  type Step,
  trickleOf,
  withTrickle,
} from "./session.ts";
import { addCandidates, checkSections, ofGeneration } from "./trickle.ts";

/** Candidates go to the other side in order, once, after their description (N5). */
export function candidates(
  session: Session,
  sender: Peer,
  message: Extract<FromPeer, { type: "candidates" }>,
  at: number,
): Step | Problem {
  const made = move(session, sender, message.to, at);
  if ("code" in made) return made;
  const { link } = made;
  const pair = exchangeOf(link, message.exchange);
  if (!pair) return staleNegotiation(link);
  const own = pair.offerer === sender.id ? pair.offer : "answer" in pair ? pair.answer : undefined;
  const description = readable(own ?? pair.offer);
  const misplaced = description && checkSections(message.candidates, description);
  if (misplaced) return misplaced;
  const { current, dropped } = ofGeneration(message.candidates, readable(own));
  const added = addCandidates(trickleOf(session, link.id), {
    from: sender.id,
    exchange: message.exchange,
    candidates: current,
    complete: message.complete === true,
    dropped,
  });
  if ("code" in added) return added;
  const entry = added.trickle.find(
    ({ from, exchange }) => from === sender.id && exchange === message.exchange,
  );
  const through = own !== undefined && entry !== undefined && added.changed;
  return {
    session: withTrickle(session, link.id, added.trickle),
    effects: through ? [forwarded(made, entry, added.fresh)] : [],
    ack: {},
  };
}

/**
 * The exchange that candidates belong to: the open one, or the one in force, also while a re-offer is
 * open: its transports live on until the answer, and late candidates must not be lost.
 */
function exchangeOf(link: Link, exchange: number) {
  if (link.open?.exchange === exchange) return link.open;
  if (link.inForce?.exchange === exchange) return link.inForce;
  return undefined;
}
