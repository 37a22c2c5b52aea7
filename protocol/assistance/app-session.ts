import type { AssistedLink, AssistedSection, FlowStatus, Mapped, Snssai } from "./assisted.ts";
import { bitRateOf } from "./bit-rate.ts";
import {
  type Component,
  componentsOf,
  filterDirections,
  RTCP_DIRECTIONS,
  sharedStatus,
} from "./component.ts";
import { filterRules } from "./filter.ts";
import { type MarkingTable, type ProtocolDescription, protocolDescriptionIn } from "./markings.ts";
import { type MediaType, mediaTypeOf } from "./media-type.ts";
import type { MpxMediaInfo } from "./multiplexed-media.ts";
import { familyOf } from "./path-candidates.ts";
import { type RateDefaults, scaleOf, streamBps } from "./rates.ts";

/** TS 29.514 MediaSubComponent. */
export interface MediaSubComponent {
  readonly fNum: number;
  readonly fDescs: readonly string[];
  readonly flowUsage?: "RTCP";
  readonly mpxMediaUlInfos?: readonly MpxMediaInfo[];
  readonly mpxMediaDlInfos?: readonly MpxMediaInfo[];
}

/** TS 29.514 MediaComponent. */
export interface MediaComponent {
  readonly medCompN: number;
  readonly medType: MediaType;
  readonly fStatus: FlowStatus;
  readonly marBwUl?: string;
  readonly marBwDl?: string;
  readonly rsBw?: string;
  readonly rrBw?: string;
  readonly codecs?: readonly string[];
  readonly protoDescUl?: ProtocolDescription;
  readonly protoDescDl?: ProtocolDescription;
  readonly medSubComps?: Readonly<Record<string, MediaSubComponent>>;
}

/** TS 29.514 AppSessionContext, as it is created. */
export interface AppSessionContext {
  readonly ascReqData: {
    readonly afAppId?: string;
    readonly notifUri: string;
    readonly suppFeat: string;
    readonly dnn?: string;
    readonly sliceInfo?: Snssai;
    readonly ipDomain?: string;
    readonly ueIpv4?: string;
    readonly ueIpv6?: string;
    readonly medComponents: Readonly<Record<string, MediaComponent>>;
    readonly evSubsc: { readonly events: readonly { readonly event: string }[] };
  };
}

export interface AppSessionOptions {
  /** Where the network tells what becomes of it. */
  readonly notifUri: string;
  readonly afAppId?: string;
  readonly suppFeat?: string;
  readonly dnn?: string;
  readonly snssai?: Snssai;
  readonly ipDomain?: string;
  /** The network knows multiplexed media (Rel-19). */
  readonly multiplex: boolean;
  readonly rates?: RateDefaults;
  readonly markings?: MarkingTable;
}

/** What it is to tell of. */
const EVENTS = ["QOS_NOTIF", "SUCCESSFUL_RESOURCES_ALLOCATION", "FAILED_RESOURCES_ALLOCATION"].map(
  (event) => ({ event }),
);

/**
 * The media components of all that a UE has on a link. What is held, switched off or taken out is told by its flow status.
 * Rates are of the media alone: the network adds what RTCP takes (TS 29.213 s6.2), for which the ceilings of the link leave
 * room. Without a path there are no filters yet, nor are there any of what runs from another address of the UE.
 *
 * Lacks `ue-address` while that is not known.
 */
export function appSessionOf(
  link: AssistedLink,
  options: AppSessionOptions,
): Mapped<AppSessionContext> {
  const components = componentsOf(link, options.multiplex);
  const address = components.flatMap(({ transport }) => transport.path.ue?.address ?? [])[0];
  if (address === undefined) return { lacks: "ue-address" };
  const { notifUri, afAppId, suppFeat = "0", dnn, snssai, ipDomain } = options;
  const isIpv6 = familyOf(address) === 6;
  const live = components.map((component) => mediaComponentOf(link, component, address, options));
  return {
    body: {
      ascReqData: {
        ...(afAppId === undefined ? {} : { afAppId }),
        notifUri,
        suppFeat,
        ...(dnn === undefined ? {} : { dnn }),
        ...(snssai === undefined ? {} : { sliceInfo: snssai }),
        ...(isIpv6 ? { ueIpv6: address } : { ueIpv4: address }),
        ...(ipDomain === undefined || isIpv6 ? {} : { ipDomain }),
        medComponents: Object.fromEntries(
          [...(link.removed ?? []).map(removedComponent), ...live].map((each) => [
            String(each.medCompN),
            each,
          ]),
        ),
        evSubsc: { events: EVENTS },
      },
    },
  };
}

const removedComponent = ({ ordinal, kind }: AssistedSection): MediaComponent => ({
  medCompN: ordinal,
  medType: mediaTypeOf(kind),
  fStatus: "REMOVED",
});

function mediaComponentOf(
  link: AssistedLink,
  component: Component,
  address: string,
  { rates, markings }: AppSessionOptions,
): MediaComponent {
  const { ordinal, mediaType, sections, transport } = component;
  // The session is of one address: filters of another one would match nothing in it.
  const isThere = transport.path.ue?.address === address;
  const subComponents = isThere ? subComponentsOf(component) : [];
  const protoDescUl = protocolDescriptionIn(sections, "uplink", markings);
  const protoDescDl = protocolDescriptionIn(sections, "downlink", markings);
  return {
    medCompN: ordinal,
    medType: mediaType,
    fStatus: sharedStatus(sections),
    ...bandwidthsOf(link, sections, rates),
    ...codecsOf(sections),
    ...(protoDescUl ? { protoDescUl } : {}),
    ...(protoDescDl ? { protoDescDl } : {}),
    ...(subComponents.length > 0
      ? { medSubComps: Object.fromEntries(subComponents.map((each) => [String(each.fNum), each])) }
      : {}),
  };
}

type Bandwidths = Pick<MediaComponent, "marBwUl" | "marBwDl" | "rsBw" | "rrBw">;

function bandwidthsOf(
  link: AssistedLink,
  sections: readonly AssistedSection[],
  rates?: RateDefaults,
): Bandwidths {
  const sum = (direction: "uplink" | "downlink"): number => {
    const total = sections.reduce(
      (bps, { [direction]: stream, kind }) => bps + streamBps(stream, kind, rates),
      0,
    );
    return Math.round(total * scaleOf(link, direction, rates));
  };
  const streams = sections
    .filter(({ kind }) => kind !== "data")
    .map(({ uplink, downlink }) => [uplink ?? [], downlink ?? []].flat())
    .filter(({ length }) => length > 0);
  // Summed over what shares a component (RFC 8859); some of it alone would stand for the RTCP of all.
  const rtcp = (name: "rs" | "rr"): number | undefined => {
    const said = streams.map((own) => own.flatMap((stream) => stream[name] ?? []));
    const isWhole = said.length > 0 && said.every(({ length }) => length > 0);
    return isWhole ? said.reduce((sum, own) => sum + Math.max(...own), 0) : undefined;
  };
  const [uplink, downlink, rs, rr] = [sum("uplink"), sum("downlink"), rtcp("rs"), rtcp("rr")];
  return {
    ...(uplink > 0 ? { marBwUl: bitRateOf(uplink) } : {}),
    ...(downlink > 0 ? { marBwDl: bitRateOf(downlink) } : {}),
    ...(rs === undefined ? {} : { rsBw: bitRateOf(rs) }),
    ...(rr === undefined ? {} : { rrBw: bitRateOf(rr) }),
  };
}

/** There is room for the two descriptions of one section. */
function codecsOf(sections: readonly AssistedSection[]): Pick<MediaComponent, "codecs"> {
  const [section, ...others] = sections;
  const codecs = others.length === 0 ? section?.codecText : undefined;
  return codecs ? { codecs } : {};
}

/** RTP, then RTCP where it has a port of its own: that goes both ways, whatever the media does (TS 29.214 B.2). */
function subComponentsOf({ transport, sections, media }: Component): readonly MediaSubComponent[] {
  const { path, rtcpPath } = transport;
  const rtp = filterRules(path, filterDirections(sections));
  const rtcp = rtcpPath && filterRules(rtcpPath, RTCP_DIRECTIONS);
  const { uplink = [], downlink = [] } = media ?? {};
  return [
    ...(rtp
      ? [
          {
            fNum: 1,
            fDescs: rtp,
            ...(uplink.length > 0 ? { mpxMediaUlInfos: uplink } : {}),
            ...(downlink.length > 0 ? { mpxMediaDlInfos: downlink } : {}),
          },
        ]
      : []),
    ...(rtcp ? [{ fNum: 2, fDescs: rtcp, flowUsage: "RTCP" as const }] : []),
  ];
}
