import type { AssistedPath } from "./assisted.ts";
import { bitRateOf } from "./bit-rate.ts";
import {
  type Component,
  filterDirections,
  RTCP_DIRECTIONS,
  type RtcpComponent,
} from "./component.ts";
import { type FilterEnds, filterEnds, protocolNumberOf } from "./filter.ts";
import { type MarkingTable, type ProtocolDescription, protocolDescriptionIn } from "./markings.ts";
import type { MediaType } from "./media-type.ts";
import type { MpxMediaInfo } from "./multiplexed-media.ts";
import { familyOf } from "./path-candidates.ts";
import type { BitRates, DirectedRates } from "./rates.ts";

/** What Dynamic Policies and Network Assistance Sessions share (TS 26.510). */

/** Exactly one of them. */
export type IpAddr = { readonly ipv4Addr: string } | { readonly ipv6Addr: string };

export interface IpPacketFilterSet {
  /** `BIDIRECTIONAL` is read as `DOWNLINK` and its reverse. */
  readonly direction: "UPLINK" | "DOWNLINK" | "BIDIRECTIONAL";
  readonly sourceAddress?: IpAddr;
  readonly destinationAddress?: IpAddr;
  readonly protocolNumber?: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

interface DescribedFlow {
  readonly mediaType?: MediaType;
  readonly mediaTransportParameters?: ProtocolDescription;
  readonly uplinkMultiplexedMediaInfos?: readonly MpxMediaInfo[];
  readonly downlinkMultiplexedMediaInfos?: readonly MpxMediaInfo[];
}

export type ApplicationFlowDescription = DescribedFlow &
  (
    | {
        readonly filterMethod: "5_TUPLE" | "2_TUPLE";
        readonly packetFilter: IpPacketFilterSet;
      }
    | { readonly filterMethod: "DOMAIN_NAME"; readonly domainName: string }
  );

export interface UnidirectionalBitRateSpecification {
  readonly maximumRequestedBitRate: string;
  readonly minimumDesiredBitRate: string;
  readonly minimumRequestedBitRate: string;
}

export interface ClientPolicySpecification {
  readonly downlinkBitRates: UnidirectionalBitRateSpecification;
  readonly uplinkBitRates: UnidirectionalBitRateSpecification;
}

type Filter =
  | { readonly filterMethod: "5_TUPLE" | "2_TUPLE"; readonly packetFilter: IpPacketFilterSet }
  | { readonly filterMethod: "DOMAIN_NAME"; readonly domainName: string };

/**
 * How the network finds the packets of a component: by the 5-tuple once there is a pair, by the addresses of UE and relay or
 * server, by the name of a TURN server. Undefined while none of them is known.
 */
export function applicationFlowOf(
  { mediaType, transport: { path }, sections, media }: Component,
  markings?: MarkingTable,
): ApplicationFlowDescription | undefined {
  const filter = filterOf(path, filterDirections(sections));
  if (!filter) return undefined;
  const marked =
    protocolDescriptionIn(sections, "downlink", markings) ??
    protocolDescriptionIn(sections, "uplink", markings);
  const { uplink = [], downlink = [] } = media ?? {};
  return {
    ...filter,
    mediaType,
    ...(marked ? { mediaTransportParameters: marked } : {}),
    ...(uplink.length > 0 ? { uplinkMultiplexedMediaInfos: uplink } : {}),
    ...(downlink.length > 0 ? { downlinkMultiplexedMediaInfos: downlink } : {}),
  };
}

/** The same of RTCP on a path of its own: its reports go both ways. */
export function rtcpFlowOf({
  component,
  path,
}: RtcpComponent): ApplicationFlowDescription | undefined {
  const filter = filterOf(path, RTCP_DIRECTIONS);
  return filter && { ...filter, mediaType: component.mediaType };
}

type Directions = ReturnType<typeof filterDirections>;

function filterOf(path: AssistedPath, directions: Directions): Filter | undefined {
  const ends = filterEnds(path);
  if (ends) {
    const packetFilter = packetFilterOf(path, ends, directions);
    const { sourcePort, destinationPort } = packetFilter;
    const isWhole = sourcePort !== undefined && destinationPort !== undefined;
    return path.known === "pair" && isWhole
      ? { filterMethod: "5_TUPLE", packetFilter }
      : { filterMethod: "2_TUPLE", packetFilter: addressesOf(packetFilter) };
  }
  const { remoteDomain } = path;
  return remoteDomain === undefined
    ? undefined
    : { filterMethod: "DOMAIN_NAME", domainName: remoteDomain };
}

const addressesOf = ({
  direction,
  sourceAddress,
  destinationAddress,
}: Required<Pick<IpPacketFilterSet, "direction" | "sourceAddress" | "destinationAddress">>) => ({
  direction,
  sourceAddress,
  destinationAddress,
});

const ipAddrOf = (address: string): IpAddr =>
  familyOf(address) === 6 ? { ipv6Addr: address } : { ipv4Addr: address };

/** What goes both ways is written as it comes to the UE. */
function packetFilterOf(
  path: AssistedPath,
  { ue, remote }: FilterEnds,
  { uplink, downlink }: Directions,
) {
  const [source, destination] = downlink ? [remote, ue] : [ue, remote];
  const protocol = protocolNumberOf(path);
  return {
    direction: downlink ? (uplink ? "BIDIRECTIONAL" : "DOWNLINK") : "UPLINK",
    sourceAddress: ipAddrOf(source.address),
    destinationAddress: ipAddrOf(destination.address),
    ...(protocol === undefined ? {} : { protocolNumber: protocol }),
    ...(source.port === undefined ? {} : { sourcePort: source.port }),
    ...(destination.port === undefined ? {} : { destinationPort: destination.port }),
  } as const;
}

const bitRatesOf = ({ maximum, desired, required }: BitRates) => ({
  maximumRequestedBitRate: bitRateOf(maximum),
  minimumDesiredBitRate: bitRateOf(desired),
  minimumRequestedBitRate: bitRateOf(required),
});

/** Both directions have to be there: `0 bps` stands for one that is not. */
export const policySpecificationOf = ({
  uplink,
  downlink,
}: DirectedRates): ClientPolicySpecification => ({
  downlinkBitRates: bitRatesOf(downlink),
  uplinkBitRates: bitRatesOf(uplink),
});
