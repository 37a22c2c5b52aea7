import type { Flow, Kind } from "../flow.ts";
import type { Transport } from "../transport.ts";
import {
  type AgreedPair,
  type AgreedSection,
  agreedSections,
  descriptionOf,
} from "./agreed-pair.ts";
import type { Candidates } from "./candidate-counts.ts";
import { type Change, commit, ended, isLive } from "./commit.ts";
import { receives, sends } from "./direction.ts";
import { agreedLimits, relimited } from "./flow-limits.ts";
import { forget } from "./forget.ts";
import { liveFlowsOf } from "./identity.ts";
import { layersWith, sourcesAfter } from "./known-sources.ts";
import { labelled, labelsAfter } from "./labels.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { newFlow, type Route, routesOf } from "./new-flow.ts";
import { withoutPending } from "./pending.ts";
import { isSourceless, running } from "./running-state.ts";
import { synchronised } from "./sync-groups.ts";
import { type Ends, identityOf, sourcesOf, type Terms, termsOf } from "./terms.ts";
import { terminated } from "./topology.ts";
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
  previous?: AgreedPair,
): LinkFlows {
  const remembered = forget({ ...before, flows: withoutPending(before.flows) }, context.room);
  const labels = labelsAfter(before, pair);
  const agreement: Agreement = {
    context,
    before: { ...remembered, ...(labels ? { labels } : {}) },
    pair,
    previous,
    candidates,
  };
  const transports = agreeTransports(agreement, agreedSections(pair));
  const outcomes = transports.placements.flatMap((placement) =>
    routesOf(context, pair.offerer)
      .map((route) => outcomeOf(agreement, transports.renewed, placement, route))
      .filter((outcome) => outcome !== undefined),
  );
  const settled = new Map(outcomes.map((outcome) => [outcome.flow.id, outcome]));
  const known = remembered.flows.map((flow) => settled.get(flow.id)?.flow ?? gone(context, flow));
  const knownIds = new Set(known.map(({ id }) => id));
  const added = [...settled.values()].flatMap(({ flow }) => (knownIds.has(flow.id) ? [] : [flow]));
  const described = [...settled.values()]
    .filter(({ isOff }) => !isOff)
    .map(({ flow }) => [flow.id, descriptionOf(pair, flow.from)] as const);
  return commit(context, before, {
    transports: transports.transports,
    ...synchronised(context.link, remembered, [...known, ...added], new Map(described)),
    forgotten: remembered.forgotten,
    labels,
    ...switchedOff([...settled.values()]),
  });
}

interface Outcome {
  readonly flow: Flow;
  readonly isOff: boolean;
}

function switchedOff(outcomes: readonly Outcome[]): Pick<Change, "switchedOff"> {
  const off = outcomes.filter(({ isOff }) => isOff).map(({ flow }) => flow.id);
  return { switchedOff: off.length > 0 ? off : undefined };
}

/** Its section is no longer in use: rejected at once, or stopped after it had been agreed. */
const gone = (context: FlowContext, flow: Flow): Flow =>
  isLive(flow) ? ended(context, flow, flow.state === "proposed" ? "rejected" : "stopped") : flow;

function outcomeOf(
  agreement: Agreement,
  renewed: TransportAgreement["renewed"],
  { section, transport }: Placement,
  route: Route,
): Outcome | undefined {
  const { context, before, pair } = agreement;
  const { kind } = section;
  if (kind === undefined) return undefined;
  const known = liveFlowsOf(before.flows, section).find(({ from }) => from === route.from);
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
    isRenewed: renewed.has(transport.id),
  };
  const terms = agreedTerms(ends, kind);
  if (terms) return agreedOutcome(agreement, place, ends, terms);
  if (!known) return undefined;
  return known.state === "proposed"
    ? { flow: ended(context, known, "not-accepted"), isOff: false }
    : heldOutcome(agreement, place);
}

/** Whether a flow has been agreed to run on this transport. */
const isOn = (flow: Flow | undefined, { id }: Transport): boolean =>
  flow?.transport === id && flow.state !== "proposed";

/**
 * The terms of what both ends want; undefined where they do not. Media needs a sender, a receiver and a codec; data
 * always flows both ways (RFC 8841 s9.2).
 */
function agreedTerms(ends: Ends, kind: Kind): Terms | undefined {
  if (kind === "data") return termsOf(ends, kind);
  if (!sends(ends.sender) || !receives(ends.receiver)) return undefined;
  const terms = termsOf(ends, kind);
  return terms.codecs.some(({ role }) => role === "primary") ? terms : undefined;
}

interface Placed {
  readonly flow: Flow;
  readonly section: AgreedSection;
  readonly transport: Transport;
  readonly isMoved: boolean;
  /** It has another DTLS association. */
  readonly isRenewed: boolean;
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
    profile: section.answered.protocol,
    transport: transport.id,
    exchange: context.exchange,
  };
}

/** Switched off, not over: it keeps what was last known of it. */
function heldOutcome(agreement: Agreement, place: Placed): Outcome {
  const { context, before } = agreement;
  const { transport, isMoved } = place;
  const flow = running(context, named(agreement, placed(agreement, place)), {
    transport,
    isOff: true,
    isSourceless: isSourceless(before, place.flow),
    isMoved,
  });
  return { flow, isOff: true };
}

function agreedOutcome(agreement: Agreement, place: Placed, ends: Ends, terms: Terms): Outcome {
  const { context, pair } = agreement;
  const { flow, transport, isMoved } = place;
  const receiver = descriptionOf(pair, flow.to);
  const limits = agreedLimits(ends.receiver, receiver, terms.layers, flow.limits.requestedBps);
  const next: Flow = {
    ...placed(agreement, place),
    ...terms,
    ...sourcesIn(agreement, place, terms),
    ...namesOf(flow, identityOf(ends.sender, descriptionOf(pair, flow.from))),
    limits: relimited(flow.limits, limits),
  };
  return {
    flow: running(context, named(agreement, next), {
      transport,
      isOff: false,
      isSourceless: isSourceless(agreement.before, flow),
      isMoved,
    }),
    isOff: false,
  };
}

/** With what its sender has said of it beside the descriptions: that goes before what they say. */
const named = ({ context, before }: Agreement, flow: Flow): Flow =>
  terminated(labelled(context, flow, before.labels?.[flow.from]));

/** What the description announces, and what reports have added to it; another connection has others. */
function sourcesIn(
  { previous }: Agreement,
  { flow, isRenewed }: Placed,
  { sources: announced, layers }: Terms,
): Pick<Flow, "sources" | "layers"> {
  const section = previous && descriptionOf(previous, flow.from).sections[flow.mLineIndex];
  const known = isRenewed ? [] : flow.sources;
  const sources = sourcesAfter(known, section ? sourcesOf(section) : [], announced, layers);
  return { sources, layers: layersWith(layers, sources) };
}

/** Names may vanish while a track is away (Firefox, Pion): the last known ones stay. */
function namesOf(
  known: Flow,
  { streams, track, cname, content }: ReturnType<typeof identityOf>,
): Pick<Flow, "streams" | "track" | "cname" | "content"> {
  return {
    streams: streams ? [...streams] : known.streams,
    track: streams ? track : known.track,
    cname: cname ?? known.cname,
    content: content ?? known.content,
  };
}
