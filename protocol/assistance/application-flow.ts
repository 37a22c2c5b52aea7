/** Shapes of TS 26.510 that Dynamic Policies and Network Assistance Sessions share. */

import type { ProtocolDescription } from "./markings.ts";
import type { MediaType } from "./media-type.ts";
import type { MpxMediaInfo } from "./multiplexed-media.ts";

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
