import type { Kind } from "../flow.ts";
import type { AssistedLink, Lack, Mapped, Snssai } from "./assisted.ts";
import {
  type Component,
  componentsOf,
  filterDirections,
  RTCP_DIRECTIONS,
  type RtcpComponent,
  rtcpComponentsOf,
} from "./component.ts";
import { filterRules, lackOf } from "./filter.ts";
import { type MarkingTable, type ProtocolDescription, protocolDescriptionIn } from "./markings.ts";
import type { MpxMediaInfo } from "./multiplexed-media.ts";
import { familyOf } from "./path-candidates.ts";
import { isRunning } from "./rates.ts";

/** TS 29.122 FlowInfo. */
export interface FlowInfo {
  readonly flowId: number;
  /** IPFilterRules, uplink first. */
  readonly flowDescriptions?: readonly string[];
  readonly mpxMediaUlInfos?: readonly MpxMediaInfo[];
  readonly mpxMediaDlInfos?: readonly MpxMediaInfo[];
}

/** TS 29.122 AsSessionWithQoSSubscription, as it is created. */
export interface QosSubscription {
  /** Filled in by who sends it. */
  readonly notificationDestination?: string;
  readonly supportedFeatures: string;
  readonly exterAppId?: string;
  readonly dnn?: string;
  readonly snssai?: Snssai;
  readonly ueIpv4Addr?: string;
  readonly ipDomain?: string;
  readonly ueIpv6Addr?: string;
  readonly flowInfo: readonly FlowInfo[];
  readonly qosReference: string;
  readonly altQoSReferences?: readonly string[];
  readonly protoDescUl?: ProtocolDescription;
  readonly protoDescDl?: ProtocolDescription;
  readonly events: readonly string[];
}

export interface QosSubscriptionOptions {
  /** Name that the operator agreed on. */
  readonly qosReference: string;
  /** Where calls of another kind have another name: that of the most demanding kind of media that runs counts. */
  readonly qosReferences?: Readonly<Partial<Record<Kind, string>>>;
  /** Fallbacks, the best first. */
  readonly altQoSReferences?: readonly string[];
  /** The network knows multiplexed media (Rel-19): one flow per m-section instead of one per BUNDLE group. */
  readonly multiplex: boolean;
  readonly dnn?: string;
  readonly snssai?: Snssai;
  readonly ipDomain?: string;
  readonly exterAppId?: string;
  readonly supportedFeatures?: string;
  readonly markings?: MarkingTable;
}

/** What it is to tell of. */
const EVENTS = [
  "QOS_GUARANTEED",
  "QOS_NOT_GUARANTEED",
  "SUCCESSFUL_RESOURCES_ALLOCATION",
  "FAILED_RESOURCES_ALLOCATION",
  "SESSION_TERMINATION",
] as const;

/**
 * A subscription for all that a UE has on a link, without the address for notifications. It names one address of the UE:
 * what runs from another one is left out.
 *
 * Lacks `media` while nothing runs, and an address where no filter can be made without it.
 */
export function qosSubscriptionOf(
  link: AssistedLink,
  options: QosSubscriptionOptions,
): Mapped<QosSubscription> {
  const components = componentsOf(link, options.multiplex);
  if (!components.some(isRunning)) return { lacks: "media" };
  const flows = [
    ...components.flatMap((component) => flowOf(component) ?? []),
    ...rtcpComponentsOf(components).flatMap((rtcp) => rtcpFlowOf(rtcp) ?? []),
  ];
  const address = flows[0]?.address;
  if (address === undefined) return { lacks: lackIn(components) };
  const { altQoSReferences = [], supportedFeatures = "0", dnn, snssai, ipDomain } = options;
  const { exterAppId } = options;
  const isIpv6 = familyOf(address) === 6;
  return {
    body: {
      supportedFeatures,
      ...(exterAppId === undefined ? {} : { exterAppId }),
      ...(dnn === undefined ? {} : { dnn }),
      ...(snssai === undefined ? {} : { snssai }),
      ...(isIpv6 ? { ueIpv6Addr: address } : { ueIpv4Addr: address }),
      ...(ipDomain === undefined || isIpv6 ? {} : { ipDomain }),
      flowInfo: flows.filter((flow) => flow.address === address).map(({ info }) => info),
      qosReference: referenceFor(components, options),
      ...(altQoSReferences.length > 0 ? { altQoSReferences } : {}),
      ...markedIn(link, options),
      events: EVENTS,
    },
  };
}

/** The first that has none: it has no address of the UE, or none of the other end. */
const lackIn = (components: readonly Component[]): Lack =>
  components.map(({ transport }) => lackOf(transport.path))[0] as Lack;

interface DescribedFlow {
  /** Of the UE. */
  readonly address: string;
  readonly info: FlowInfo;
}

function flowOf({ ordinal, transport, sections, media }: Component): DescribedFlow | undefined {
  const { path } = transport;
  const rules = filterRules(path, filterDirections(sections));
  const address = path.ue?.address;
  if (!rules || address === undefined) return undefined;
  const { uplink = [], downlink = [] } = media ?? {};
  return {
    address,
    info: {
      flowId: ordinal,
      flowDescriptions: rules,
      ...(uplink.length > 0 ? { mpxMediaUlInfos: uplink } : {}),
      ...(downlink.length > 0 ? { mpxMediaDlInfos: downlink } : {}),
    },
  };
}

/** More than a description may have m-lines: a number stays what it is when sections are added. */
const RTCP_FLOW = 1000;

function rtcpFlowOf({ component, path }: RtcpComponent): DescribedFlow | undefined {
  const rules = filterRules(path, RTCP_DIRECTIONS);
  const address = path.ue?.address;
  if (!rules || address === undefined) return undefined;
  return { address, info: { flowId: RTCP_FLOW + component.ordinal, flowDescriptions: rules } };
}

function referenceFor(
  components: readonly Component[],
  { qosReference, qosReferences = {} }: QosSubscriptionOptions,
): string {
  const kinds = components.flatMap(({ sections }) =>
    sections.filter((section) => isRunning({ sections: [section] })).map(({ kind }) => kind),
  );
  const kind = (["video", "audio", "data"] as const).find((each) => kinds.includes(each));
  return (kind && qosReferences[kind]) ?? qosReference;
}

/** One description of markings per direction, for all flows. */
function markedIn(
  { transports }: AssistedLink,
  { markings }: QosSubscriptionOptions,
): Pick<QosSubscription, "protoDescUl" | "protoDescDl"> {
  const sections = transports.flatMap((transport) => transport.sections);
  const uplink = protocolDescriptionIn(sections, "uplink", markings);
  const downlink = protocolDescriptionIn(sections, "downlink", markings);
  return {
    ...(uplink ? { protoDescUl: uplink } : {}),
    ...(downlink ? { protoDescDl: downlink } : {}),
  };
}
