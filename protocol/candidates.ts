import { refusal, told } from "./assess.ts";
import type { FromPeer } from "./messages.ts";
import { forwarded, type Move, move, staleNegotiation } from "./move.ts";
import { outlineOf } from "./outline.ts";
import type { Problem } from "./problem.ts";
import { unknownFindings, withFindings } from "./recorded-findings.ts";
import type { SdpFinding } from "./sdp/finding.ts";
import {
  type Link,
  type Peer,
  type Session,
  type Step,
  trickleOf,
  withLink,
  withTrickle,
} from "./session.ts";
import { addCandidates, checkSections, ofGeneration } from "./trickle.ts";
import { checkCandidates, countFindings, lateFindings } from "./trickle-findings.ts";

type Message = Extract<FromPeer, { type: "candidates" }>;

/**
 * Candidates go to the other side in order, once, after their description (N5). Broken ones stay behind: the
 * sender is told, the good ones of the same message go on.
 */
export function candidates(
  session: Session,
  sender: Peer,
  message: Message,
  at: number,
): Step | Problem {
  const made = move(session, sender, message.to, at);
  if ("code" in made) return made;
  const { link } = made;
  const pair = exchangeOf(link, message.exchange);
  if (!pair) return staleNegotiation(link);
  const own = pair.offerer === sender.id ? pair.offer : "answer" in pair ? pair.answer : undefined;
  const description = outlineOf(own ?? pair.offer);
  const role = pair.offerer === sender.id ? "offer" : "answer";
  const misplaced = description && checkSections(message.candidates, description, role);
  if (misplaced) return misplaced;
  const checked = checkCandidates(message.candidates, description, role, made);
  const { current, dropped } = ofGeneration(checked.good, outlineOf(own));
  const before = trickleOf(session, link.id);
  const known = before.find(
    ({ from, exchange }) => from === sender.id && exchange === message.exchange,
  );
  const late = lateFindings(known, role, { current, dropped });
  const added = addCandidates(before, {
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
  const many = description && entry ? countFindings(entry.candidates, description, role) : [];
  const worth = [...told(checked.findings), ...late, ...many];
  return {
    session: withTrickle(noted(made, worth, message.exchange), link.id, added.trickle),
    effects: through ? [forwarded(made, entry, added.fresh)] : [],
    ...reply(worth, checked.broken),
  };
}

/** Broken candidates are a problem; doubtful ones, and those that are withheld, are told with the ack. */
function reply(findings: readonly SdpFinding[], broken: number): Pick<Step, "ack" | "problem"> {
  if (broken > 0) return { problem: { ...refusal(findings), broken } };
  const worth = told(findings);
  return { ack: worth.length > 0 ? { findings: worth } : {} };
}

/** Keeps what is news: remarks about single candidates are none, and each piece of news costs a row. */
function noted(
  { session, link, sender, at }: Move,
  findings: readonly SdpFinding[],
  exchange: number,
) {
  const about = { from: sender.id, at, exchange };
  const fresh = unknownFindings(link, findings, about);
  return fresh.length > 0 ? withLink(session, withFindings(link, fresh, about)) : session;
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
