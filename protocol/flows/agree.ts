import type { Flow, FlowLimits, Kind } from "../flow.ts";
import type { Transport } from "../transport.ts";
import {
  type AgreedPair,
  type AgreedSection,
  agreedSections,
  descriptionOf,
} from "./agreed-pair.ts";
import type { Candidates } from "./candidate-counts.ts";
import { type Change, commit, ended, isLive } from "./commit.ts";
import { agreedLimits, type FlowPolicy, limitsWith, sessionCeiling } from "./flow-limits.ts";
import { forget } from "./forget.ts";
import { isOf } from "./identity.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { newFlow, type Route, routesOf } from "./new-flow.ts";
import { receives, sends } from "./propose.ts";
import { running } from "./running-state.ts";
import { type Ends, identityOf, termsOf } from "./terms.ts";
import {
  type Agreement,
  agreeTransports,
  type Placement,
  type TransportAgreement,
} from "./transport-agreement.ts";

/**
 * An answer was accepted: what both descriptions want exists (media-flows.md sections 2 and 3).
 *
 * `candidates` are counted by `candidateCounts`; `previous` is the pair that was in force before, by
 * which an ICE restart and a new DTLS association are told from going on.
 */
export function agreeFlows(
  context: FlowContext,
  before: LinkFlows,
  pair: AgreedPair,
  candidates: Candidates,
  policy: FlowPolicy,
  previous?: AgreedPair,
): LinkFlows {
  const remembered = forget(before);
  const agreement: Agreement = { context, before: remembered, pair, previous, candidates };
  const transports = agreeTransports(agreement, agreedSections(pair));
  const outcomes = transports.placements.flatMap((placement) =>
    routesOf(context, pair.offerer)
      .map((route) => outcomeOf(agreement, policy, transports.renewed, placement, route))
      .filter((outcome) => outcome !== undefined),
  );
  const settled = new Map(outcomes.map((outcome) => [outcome.flow.id, outcome]));
  const known = remembered.flows.map((flow) => settled.get(flow.id)?.flow ?? gone(context, flow));
  const knownIds = new Set(known.map(({ id }) => id));
  const added = [...settled.values()].flatMap(({ flow }) => (knownIds.has(flow.id) ? [] : [flow]));
  return commit(context, before, {
    transports: transports.transports,
    flows: [...known, ...added],
    forgotten: remembered.forgotten,
    ...steered([...settled.values()]),
  });
}

interface Outcome {
  readonly flow: Flow;
  /** What the descriptions allow, where somebody asked for less. */
  readonly limits: FlowLimits | undefined;
  readonly isOff: boolean;
}

function steered(outcomes: readonly Outcome[]): Pick<Change, "switchedOff" | "agreedLimits"> {
  const off = outcomes.filter(({ isOff }) => isOff).map(({ flow }) => flow.id);
  const limits = outcomes.flatMap(({ flow, limits: agreed }) =>
    agreed ? [[flow.id, agreed] as const] : [],
  );
  return {
    switchedOff: off.length > 0 ? off : undefined,
    agreedLimits: limits.length > 0 ? Object.fromEntries(limits) : undefined,
  };
}

/** Its section is no longer in use: rejected at once, or stopped after it had been agreed. */
const gone = (context: FlowContext, flow: Flow): Flow =>
  isLive(flow) ? ended(context, flow, flow.state === "proposed" ? "rejected" : "stopped") : flow;

function outcomeOf(
  agreement: Agreement,
  policy: FlowPolicy,
  renewed: TransportAgreement["renewed"],
  { section, transport }: Placement,
  route: Route,
): Outcome | undefined {
  const { context, before, pair } = agreement;
  const { kind } = section;
  if (kind === undefined) return undefined;
  const known = before.flows.find((flow) => flow.from === route.from && isOf(flow, section));
  const isForward = route.from === pair.offerer;
  const ends: Ends = isForward
    ? { sender: section.offered, receiver: section.answered }
    : { sender: section.answered, receiver: section.offered };
  const place: Placed = {
    // Named after the offer, as a proposed one is.
    flow: known ?? newFlow(context, before, { ...section.offered, kind }, route),
    section,
    transport,
    isMoved: renewed.has(transport.id) || !isOn(known, transport),
  };
  if (isAgreed(ends, kind)) return agreedOutcome(agreement, policy, place, ends);
  if (!known) return undefined;
  return known.state === "proposed"
    ? { flow: ended(context, known, "not-accepted"), limits: undefined, isOff: false }
    : heldOutcome(agreement, place);
}

/** Whether a flow has been agreed to run on this transport. */
const isOn = (flow: Flow | undefined, { id }: Transport): boolean =>
  flow?.transport === id && flow.state !== "proposed";

/** Media needs a sender, a receiver and a codec; data always flows both ways (RFC 8841 s9.2). */
function isAgreed(ends: Ends, kind: Kind): boolean {
  if (kind === "data") return true;
  const isWanted = sends(ends.sender) && receives(ends.receiver);
  return isWanted && termsOf(ends, kind).codecs.some(({ role }) => role === "primary");
}

interface Placed {
  readonly flow: Flow;
  readonly section: AgreedSection;
  readonly transport: Transport;
  readonly isMoved: boolean;
}

/** Where the flow is now; whatever was impaired about another transport does not follow it. */
function placed({ context }: Agreement, { flow, section, transport, isMoved }: Placed): Flow {
  const { impaired, ...rest } = flow;
  const isBroken = transport.state === "disconnected" || transport.state === "failed";
  const isImpaired = isMoved ? isBroken : impaired === true;
  return {
    ...rest,
    ...(isImpaired ? { impaired: true } : {}),
    mid: section.mid ?? "",
    mLineIndex: section.index,
    transport: transport.id,
    exchange: context.exchange,
  };
}

/** Switched off, not over: it keeps what was last known of it. */
function heldOutcome(agreement: Agreement, place: Placed): Outcome {
  const { context, before } = agreement;
  const { transport, isMoved } = place;
  const flow = running(context, placed(agreement, place), { transport, isOff: true, isMoved });
  return { flow, limits: before.agreedLimits?.[flow.id], isOff: true };
}

function agreedOutcome(
  agreement: Agreement,
  policy: FlowPolicy,
  place: Placed,
  ends: Ends,
): Outcome {
  const { context, pair } = agreement;
  const { flow, transport, isMoved } = place;
  const terms = termsOf(ends, flow.kind);
  const receiver = descriptionOf(pair, flow.to);
  const ceiling = sessionCeiling(policy, {
    hasUplink: flow.from !== context.mediaServer,
    hasDownlink: flow.to !== context.mediaServer,
  });
  const limits = agreedLimits(ends.receiver, receiver, terms.layers, ceiling);
  const { requestedBps } = flow.limits;
  const next: Flow = {
    ...placed(agreement, place),
    ...terms,
    ...namesOf(flow, identityOf(ends.sender, descriptionOf(pair, flow.from))),
    limits: limitsWith(limits, requestedBps),
  };
  return {
    flow: running(context, next, { transport, isOff: false, isMoved }),
    limits: requestedBps === undefined ? undefined : limits,
    isOff: false,
  };
}

/** Names may vanish while a track is away (Firefox, Pion): the last known ones stay. */
function namesOf(
  known: Flow,
  { streams, track, cname }: ReturnType<typeof identityOf>,
): Pick<Flow, "streams" | "track" | "cname"> {
  return {
    streams: streams ? [...streams] : known.streams,
    track: streams ? track : known.track,
    cname: cname ?? known.cname,
  };
}
