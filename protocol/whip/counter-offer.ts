import type { Move } from "../move.ts";
import { type Problem, problem } from "../problem.ts";

/**
 * A player's offer is open, and the other side makes an offer of its own instead of answering it: the player is asked to
 * answer that (draft-ietf-wish-whep s4.3.2).
 */
export const isCounterOffer = ({ receiver, link }: Pick<Move, "receiver" | "link">): boolean =>
  receiver.http?.door === "whep" && link.open?.offerer === receiver.id && link.inForce === null;

/** Nothing else can be offered to an HTTP client: nobody could tell it (RFC 9725 s3). */
export function receiverRefusal(made: Pick<Move, "receiver" | "link">): Problem | undefined {
  if (!made.receiver.http || isCounterOffer(made)) return undefined;
  return problem("no-renegotiation", "a WHIP or WHEP client cannot be offered anything", {
    to: made.receiver.id,
  });
}
