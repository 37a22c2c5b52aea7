import type { Kind } from "../flow.ts";
import type { AssistedLink, Mapped, Snssai } from "./assisted.ts";
import type { MarkingTable, ProtocolDescription } from "./markings.ts";
import type { MpxMediaInfo } from "./multiplexed-media.ts";

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

/** STUB */
export function qosSubscriptionOf(
  _link: AssistedLink,
  _options: QosSubscriptionOptions,
): Mapped<QosSubscription> {
  return { lacks: "media" };
}
