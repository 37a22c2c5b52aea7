import { readablePair } from "../assess.ts";
import { ceilingOf, unadvised } from "../ceilings.ts";
import type { Flow, Kind } from "../flow.ts";
import {
  type AgreedPair,
  type AgreedSection,
  agreedSections,
  descriptionOf,
} from "../flows/agreed-pair.ts";
import { lowestOf } from "../flows/flow-limits.ts";
import { kindOf, labelOf, liveFlowsOf } from "../flows/identity.ts";
import { type Link, otherPeer, type Session } from "../session.ts";
import type { Transport } from "../transport.ts";
import { sessionBpsOf } from "./asked-rate.ts";
import type {
  AssistedLink,
  AssistedSection,
  AssistedStream,
  AssistedTransport,
  FlowStatus,
  Rates,
  RelayServer,
} from "./assisted.ts";
import { codecTextOf } from "./codec-text.ts";
import { pathOf, rtcpPathOf } from "./path.ts";
import { formatOf, streamOf } from "./stream.ts";

/** What the descriptions do not say. */
export interface LinkKnowledge {
  /** Address of the UE's signalling socket. */
  readonly seen?: string;
  /** TURN servers of this deployment. */
  readonly relay?: readonly RelayServer[];
}

/** A link as one of its ends has it. */
interface View {
  readonly session: Session;
  readonly link: Link;
  readonly pair: AgreedPair;
  readonly ue: string;
  readonly other: string;
}

/**
 * What a UE has on a link, out of the records of its flows and transports and of the pair of descriptions in force (TS
 * 29.213 s6.2 with BUNDLE, rtcp-mux and ICE). An offer that is not answered yet changes nothing.
 *
 * Undefined where nothing is agreed, and for whoever is no end of the link.
 */
export function assistedLink(
  session: Session,
  link: Link,
  ue: string,
  knowledge: LinkKnowledge = {},
): AssistedLink | undefined {
  const pair = readablePair(link.inForce);
  if (!pair || !link.peers.includes(ue)) return undefined;
  const other = otherPeer(link, ue);
  const view: View = { session, link: unadvised(session, link), pair, ue, other };
  const sections = sectionsIn(view);
  const transports = link.flows.transports
    .filter(({ state }) => state !== "closed")
    .map((transport) => transportIn(view, knowledge, transport, sections))
    .filter(({ sections: { length } }) => length > 0);
  if (transports.length === 0) return undefined;
  const removed = removedIn(pair);
  const ceilings = ceilingsIn(view);
  return {
    session: session.id,
    link: link.id,
    ue,
    other,
    isBetweenUes: isUe(session, other),
    ...(knowledge.seen === undefined ? {} : { seen: knowledge.seen }),
    transports,
    ...(removed.length > 0 ? { removed } : {}),
    ...(ceilings ? { ceilings } : {}),
  };
}

/** An endpoint with a radio of its own, as far as anybody can tell: no server, and nobody that stands for others. */
function isUe({ peers }: Session, id: string): boolean {
  const peer = peers.get(id);
  return peer?.role !== "media-server" && !peer?.gateway;
}

interface Placed {
  readonly label: string;
  readonly section: AssistedSection;
}

function sectionsIn(view: View): readonly Placed[] {
  return agreedSections(view.pair).flatMap((agreed) => {
    const { kind } = agreed;
    return kind ? [{ label: labelOf(agreed), section: sectionIn(view, agreed, kind) }] : [];
  });
}

function sectionIn(view: View, agreed: AgreedSection, kind: Kind): AssistedSection {
  const { link, pair, ue } = view;
  const { index, mid = "", offered, answered } = agreed;
  const isOfferer = pair.offerer === ue;
  const [own, others] = isOfferer ? [offered, answered] : [answered, offered];
  const flows = liveFlowsOf(link.flows.flows, agreed).filter(({ state }) => state !== "proposed");
  const stream = (isUplink: boolean): AssistedStream | undefined => {
    const flow = flows.find(({ from }: Flow) => (from === ue) === isUplink);
    return flow && streamOf(flow, { receiver: isUplink ? others : own, answered });
  };
  const [uplink, downlink] = [stream(true), stream(false)];
  const status = statusOf(uplink, downlink);
  const isIdle = status === "DISABLED" && kind !== "data";
  return {
    mid,
    ordinal: index + 1,
    kind,
    status,
    ...(uplink ? { uplink } : {}),
    ...(downlink ? { downlink } : {}),
    ...(isIdle && !uplink ? { idleUplink: formatOf({ sender: own, receiver: others }) } : {}),
    ...(isIdle && !downlink ? { idleDownlink: formatOf({ sender: others, receiver: own }) } : {}),
    codecText: codecTextOf(own, others, isOfferer),
  };
}

/**
 * By what runs: the direction that the answer settles, mirrored for the offerer, less what somebody holds. Where both
 * directions are off it is DISABLED, whatever they were (TS 29.213 s6.2).
 */
function statusOf(
  uplink: AssistedStream | undefined,
  downlink: AssistedStream | undefined,
): FlowStatus {
  if (uplink?.isRunning) return downlink?.isRunning ? "ENABLED" : "ENABLED-UPLINK";
  return downlink?.isRunning ? "ENABLED-DOWNLINK" : "DISABLED";
}

/** Port 0 in the answer; in an offer it may stand for a bundled section. */
function removedIn({ offer, answer }: AgreedPair): readonly AssistedSection[] {
  return answer.sections.flatMap((answered, index) => {
    const offered = offer.sections[index];
    const kind = offered && kindOf(offered);
    if (!kind || !(answered.rejected || offered.rejected)) return [];
    const mid = offered.mid ?? answered.mid ?? "";
    return [{ mid, ordinal: index + 1, kind, status: "REMOVED" as const }];
  });
}

function transportIn(
  { session, link, pair, ue, other }: View,
  { seen, relay = [] }: LinkKnowledge,
  transport: Transport,
  sections: readonly Placed[],
): AssistedTransport {
  const facts = { session, link, pair, ue, other, transport, seen, relay };
  const path = pathOf(facts);
  const rtcpPath = transport.rtcpMux ? undefined : rtcpPathOf(facts, path);
  return {
    id: transport.id,
    path,
    rtcpMux: transport.rtcpMux,
    ...(rtcpPath ? { rtcpPath } : {}),
    sections: sections
      .filter(({ label }) => transport.mids.includes(label))
      .map(({ section }) => section),
  };
}

/** What session parts of descriptions, the session and its peers allow all of the link together. */
function ceilingsIn({ session, pair, ue, other }: View): Rates | undefined {
  const ceiling = (sender: string, receiver: string): number | undefined =>
    lowestOf([
      { bps: sessionBpsOf(descriptionOf(pair, receiver).session), source: "ct" },
      { bps: ceilingOf(session, session.peers.get(sender), "uplink")?.bps, source: "session" },
      { bps: ceilingOf(session, session.peers.get(receiver), "downlink")?.bps, source: "session" },
    ])?.bps;
  const [uplinkBps, downlinkBps] = [ceiling(ue, other), ceiling(other, ue)];
  if (uplinkBps === undefined && downlinkBps === undefined) return undefined;
  return {
    ...(uplinkBps === undefined ? {} : { uplinkBps }),
    ...(downlinkBps === undefined ? {} : { downlinkBps }),
  };
}
