import type { AssistedLink, FlowStatus, Mapped, Snssai } from "./assisted.ts";
import type { MarkingTable, ProtocolDescription } from "./markings.ts";
import type { MediaType } from "./media-type.ts";
import type { MpxMediaInfo } from "./multiplexed-media.ts";
import type { RateDefaults } from "./rates.ts";

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

/** STUB */
export function appSessionOf(
  _link: AssistedLink,
  _options: AppSessionOptions,
): Mapped<AppSessionContext> {
  return { lacks: "media" };
}
