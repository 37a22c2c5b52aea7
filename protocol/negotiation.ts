import type { ProblemCode } from "./problem.ts";

/**
 * Offer/answer as one table: RFC 9429 section 3.2 as a relay sees it. The relay knows one open offer per
 * link; what a browser calls have-local-offer and have-remote-offer is here `offered`, seen from the
 * offerer and from the answerer. `docs/protocol.md` draws its diagram from this table.
 */

export const LINK_STATES = ["stable", "offered"] as const;
export type LinkState = (typeof LINK_STATES)[number];

export const NEGOTIATION_EVENTS = [
  "offer",
  "answer",
  "reject",
  "rollback",
  "expire",
  "candidates",
] as const;
export type NegotiationEvent = (typeof NEGOTIATION_EVENTS)[number];

/** Role of the sender towards the newest offer of the link. In `stable` both sides are equal. */
export const SIDES = ["offerer", "answerer"] as const;
export type Side = (typeof SIDES)[number];

export type NegotiationAct =
  /** Takes the next number, stores the offer, forwards it. */
  | "open"
  /** The offerer replaces its own open offer: the old one is withdrawn, a new one opened. */
  | "supersede"
  /** Stores the answer, forwards it, then the answerer's candidates that waited for it. */
  | "accept"
  /** Drops the open offer, tells the offerer. */
  | "decline"
  /** Drops the open offer, tells the answerer. */
  | "withdraw"
  /** Drops the open offer, tells both. */
  | "lapse"
  /** Stores and forwards candidates. */
  | "deliver"
  /** Stores candidates until the description they belong to is through (N5). */
  | "hold";

/** What the table answers to events that do not fit. */
export type NegotiationProblem = Extract<
  ProblemCode,
  "glare" | "not-the-offerer" | "not-the-answerer" | "nothing-offered"
>;

export type Transition =
  | { readonly next: LinkState; readonly act: NegotiationAct }
  | { readonly problem: NegotiationProblem };

const go = (next: LinkState, act: NegotiationAct): Transition => ({ next, act });
const refuse = (code: NegotiationProblem): Transition => ({ problem: code });
const both = (row: Transition): Record<Side, Transition> => ({ offerer: row, answerer: row });

/**
 * state x event x side. Numbered events (all but `offer`) reach this table only with a current number:
 * the open one in `offered`, the one in force in `stable`; others are `stale-negotiation` before (N1).
 * `expire` is the server's own event and has no side: both columns are the same.
 */
export const TRANSITIONS: Record<LinkState, Record<NegotiationEvent, Record<Side, Transition>>> = {
  stable: {
    offer: both(go("offered", "open")),
    answer: both(refuse("nothing-offered")),
    reject: both(refuse("nothing-offered")),
    rollback: both(refuse("nothing-offered")),
    expire: both(refuse("nothing-offered")),
    candidates: both(go("stable", "deliver")),
  },
  offered: {
    offer: { offerer: go("offered", "supersede"), answerer: refuse("glare") },
    answer: { offerer: refuse("not-the-answerer"), answerer: go("stable", "accept") },
    reject: { offerer: refuse("not-the-answerer"), answerer: go("stable", "decline") },
    rollback: { offerer: go("stable", "withdraw"), answerer: refuse("not-the-offerer") },
    expire: both(go("stable", "lapse")),
    candidates: { offerer: go("offered", "deliver"), answerer: go("offered", "hold") },
  },
};
