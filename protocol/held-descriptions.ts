import { readable } from "./assess.ts";
import { LIMITS } from "./limits.ts";
import type { Candidate } from "./message-parts.ts";
import type { ToPeer } from "./messages.ts";
import { own } from "./sdp/rule.ts";
import type { Section } from "./sdp/section.ts";
import {
  type AgreedExchange,
  type Effect,
  type Link,
  linkIdOf,
  otherPeer,
  type Peer,
  type Session,
  type Step,
  trickleOf,
  withLink,
} from "./session.ts";
import { hasEndpoints } from "./swap/bridge.ts";
import type { Unsent } from "./swap/endpoint.ts";
import { withSpliced } from "./swap/splice.ts";
import { answerMessage, offerMessage } from "./views.ts";
import { hasHttpSessions } from "./whip/http-session.ts";

/**
 * SWAP has no trickle (TS 26.113 clause 13.2.4.3), and an HTTP client is told no candidates after its answer (RFC 9725
 * s4.3.2): a description for one of them waits until its author, who may well trickle, has said that there are no more
 * candidates, or until a deadline. Then it goes with all of them in it.
 */

type Told = Extract<ToPeer, { type: "offer" | "answer" }>;

/** The step with such descriptions held back, or let go, as far as their candidates are there. */
export function heldUntilWhole(before: Session, step: Step, at: number): Step {
  if (!hasEndpoints(step.session) && !hasHttpSessions(step.session)) return step;
  let { session } = step;
  const effects: Effect[] = [];
  for (const effect of step.effects) {
    const told = toldBy(effect);
    const waiting = told && withUnsent(session, told, at);
    if (waiting) session = waiting;
    else if (told) effects.push({ type: "send", ...whole(session, told) });
    else if (!isOfUnsent(before, effect)) effects.push(effect);
  }
  return released({ ...step, session, effects }, at);
}

/** A description on its way. */
interface Telling {
  readonly to: string;
  readonly message: Told;
}

function toldBy(effect: Effect): Telling | undefined {
  if (effect.type !== "send") return undefined;
  const { to, message } = effect;
  return message.type === "offer" || message.type === "answer" ? { to, message } : undefined;
}

/** The session with the description kept back; undefined when it need not wait. */
function withUnsent(session: Session, { to, message }: Telling, at: number): Session | undefined {
  const link = mustWait(session, to, message);
  const until = waitingUntil(session.peers.get(to), at);
  const unsent: Unsent = { to, exchange: message.exchange, until };
  return link && withLink(session, { ...link, unsent });
}

/** An HTTP client waits for its answer, and not for long. */
const waitingUntil = (receiver: Peer | undefined, at: number): number =>
  Math.min(
    at + LIMITS.candidatesWaitMs,
    (receiver?.http?.dueAt ?? Number.POSITIVE_INFINITY) - LIMITS.httpReserveMs,
  );

/** The link of a description that is not whole yet, when its receiver takes no candidates later. */
function mustWait(session: Session, to: string, message: Told): Link | undefined {
  const link = session.links.get(linkIdOf(to, message.from));
  return link && isBridged(session, to, message.from) && !isWhole(session, link, message)
    ? link
    : undefined;
}

/** To a peer that takes no candidates later, from one that may trickle: what endpoints of SWAP say is whole by itself. */
const isBridged = ({ peers }: Session, to: string, from: string): boolean => {
  const receiver = peers.get(to);
  const takesNone = receiver?.endpoint !== undefined || receiver?.http !== undefined;
  return takesNone && peers.get(from)?.endpoint === undefined;
};

function isWhole(session: Session, link: Link, { from, exchange, sdp }: Told): boolean {
  const trickled = trickleOf(session, link.id).find(
    (entry) => entry.from === from && entry.exchange === exchange,
  );
  if (trickled?.complete) return true;
  const stored = [link.open?.offer, link.inForce?.offer, link.inForce?.answer].find(
    (each) => each?.sdp === sdp,
  );
  const withCandidates = (readable(stored)?.live ?? []).filter(
    ({ candidates }) => candidates.length > 0,
  );
  return (
    withCandidates.length > 0 &&
    withCandidates.every((section) => section.endOfCandidates || !trickles(section))
  );
}

const trickles = (section: Section): boolean =>
  [...own(section, "ice-options"), ...own(section.session, "ice-options")].some(({ value }) =>
    value.split(" ").includes("trickle"),
  );

/** The description with what was trickled besides. */
function whole(session: Session, telling: Telling): Telling {
  const { to, message } = telling;
  if (!isBridged(session, to, message.from)) return telling;
  const candidates = trickleOf(session, linkIdOf(to, message.from))
    .filter(({ from, exchange }) => from === message.from && exchange === message.exchange)
    .flatMap((entry): readonly Candidate[] => entry.candidates);
  return { to, message: { ...message, sdp: withSpliced(message.sdp, candidates) } };
}

/** The answer in force of a link, as the peer that offered was sent it. */
export function wholeAnswer(session: Session, link: Link, inForce: AgreedExchange): string {
  const to = inForce.offerer;
  const message = answerMessage(otherPeer(link, to), inForce) as Told;
  return whole(session, { to, message }).message.sdp;
}

/** An offer that its receiver has not been sent is taken back without a word. */
function isOfUnsent(before: Session, effect: Effect): boolean {
  if (effect.type !== "send") return false;
  const { to, message } = effect;
  if (message.type !== "rollback" && message.type !== "expired") return false;
  const unsent = before.links.get(linkIdOf(to, message.from))?.unsent;
  return unsent?.to === to && unsent.exchange === message.exchange;
}

/** Sends what waited long enough, or for nothing any more. */
function released(step: Step, at: number): Step {
  let { session } = step;
  const effects = [...step.effects];
  for (const { unsent, ...link } of session.links.values()) {
    if (!unsent) continue;
    const message = toldNow(link, unsent);
    if (message && unsent.until > at && !isWhole(session, link, message)) continue;
    session = withLink(session, link);
    if (message) {
      effects.push({ type: "send", ...whole(session, { to: unsent.to, message }) });
    }
  }
  return { ...step, session, effects };
}

/** What is held, if it is still the newest. */
function toldNow(link: Link, { to, exchange }: Unsent): Told | undefined {
  const { open, inForce } = link;
  if (open?.exchange === exchange) return offerMessage(open) as Told;
  if (inForce?.exchange !== exchange) return undefined;
  return answerMessage(otherPeer(link, to), inForce) as Told;
}
