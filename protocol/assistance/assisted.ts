import type { Kind } from "../flow.ts";

/**
 * What one UE has on one link, in the terms in which a mobile network can be asked for it: per UE X, whoever wrote the
 * offer. Uplink is what X sends, downlink what it receives (TS 29.213 s6.2, TS 29.513 s7).
 */

/** Direction attribute of an m-section as X has it, in TS 29.514's words. */
export type FlowStatus = "ENABLED" | "ENABLED-UPLINK" | "ENABLED-DOWNLINK" | "DISABLED" | "REMOVED";

/** One direction of one m-section. */
export interface AssistedStream {
  /** Id of the flow record. */
  readonly flow: string;
  /** False while it is held: its filters stay (TS 29.213), its rates do not count. */
  readonly isRunning: boolean;
  /** Bits per second, where a description or a request says so; absent where the operator's default holds. */
  readonly maxBps?: number;
  /** `b=RS` and `b=RR`, bits per second. */
  readonly rs?: number;
  readonly rr?: number;
  /** On the wire: those of the receiver's description, repair formats included. */
  readonly payloadTypes: readonly number[];
  /** Names of the primary codecs, in the answer's order. */
  readonly codecs: readonly string[];
  /** Those of the sender's description. */
  readonly ssrcs: readonly number[];
  /** Where one source sends a payload type, that source; by payload type. */
  readonly ssrcByPayloadType?: Readonly<Record<number, number>>;
  /** Id of `urn:ietf:params:rtp-hdrext:sdes:mid`, where it is negotiated for this direction. */
  readonly midExtension?: number;
  /** Header extensions negotiated for this direction, besides. */
  readonly extensions: readonly { readonly id: number; readonly uri: string }[];
  /** Header extensions are encrypted (RFC 6904, RFC 9335): no marking can be read. */
  readonly isCryptic: boolean;
}

/** What tells the packets of a direction on a 5-tuple. */
export type WireFormat = Pick<
  AssistedStream,
  "payloadTypes" | "ssrcByPayloadType" | "midExtension"
>;

export interface AssistedSection {
  readonly mid: string;
  /** Ordinal of the m-line, from 1: medCompN. */
  readonly ordinal: number;
  readonly kind: Kind;
  readonly status: FlowStatus;
  readonly uplink?: AssistedStream;
  readonly downlink?: AssistedStream;
  /** What a direction without a stream would send, where nothing of the section runs: it has filters all the same. */
  readonly idleUplink?: WireFormat;
  readonly idleDownlink?: WireFormat;
  /** m-lines and attributes as TS 29.514 `codecs` wants them: of the uplink and of the downlink. */
  readonly codecText?: readonly string[];
}

/**
 * How well the path is known: a pair that an end reports as selected; the TURN server, while relays are all there can be;
 * candidates; nothing.
 */
export type PathKnowledge = "pair" | "relay" | "candidates" | "nothing";

/** An address, with its port where that is known. */
export interface Located {
  readonly address: string;
  readonly port?: number;
}

/** From the UE to the first hop that the network sees: the TURN server, the media server, or the other side. */
export interface AssistedPath {
  readonly known: PathKnowledge;
  /** The other end alone has said so: what it cannot know is mostly told by the UE soon. */
  readonly isHearsay?: true;
  /** What the network sees; absent where a UE does not tell how it reaches its TURN server. */
  readonly protocol?: "udp" | "tcp";
  /** On the UE's own interface, as its operator's user plane sees it. */
  readonly ue?: Located;
  /** Behind a NAT, as others see it. */
  readonly uePublic?: Located;
  /** One or more: before a pair is selected every candidate of the other side may be it. */
  readonly remotes: readonly Located[];
  /** Of a TURN server that is known by its name only. */
  readonly remoteDomain?: string;
  /** The first hop is a relay: media of both directions go through it. */
  readonly isRelayed: boolean;
}

/** A BUNDLE group as the answer accepted it: one 5-tuple. */
export interface AssistedTransport {
  /** Id of the transport record. */
  readonly id: string;
  readonly path: AssistedPath;
  readonly rtcpMux: boolean;
  /** Path of RTCP, where it is not multiplexed. */
  readonly rtcpPath?: AssistedPath;
  readonly sections: readonly AssistedSection[];
}

export interface AssistedLink {
  readonly session: string;
  readonly link: string;
  readonly ue: string;
  readonly other: string;
  /** The other side is an endpoint too: what is multiplexed has to be told the same in both directions (TS 26.113 10.3.4). */
  readonly isBetweenUes: boolean;
  /** As the signalling socket shows it. */
  readonly seen?: string;
  readonly transports: readonly AssistedTransport[];
  /** Sections that the answer rejects, or that were taken out: REMOVED. They are on no transport. */
  readonly removed?: readonly AssistedSection[];
  /** More than this all of the link together may not take: session parts of descriptions, and ceilings of the session and its peers. */
  readonly ceilings?: Rates;
}

/** A TURN server of this deployment: by address, by name, or both. */
export interface RelayServer {
  readonly address?: string;
  readonly port?: number;
  readonly domain?: string;
  readonly protocol?: "udp" | "tcp";
}

/** A network slice (TS 23.003 s28.4). */
export interface Snssai {
  /** 0 to 255. */
  readonly sst: number;
  /** Six hexadecimal digits. */
  readonly sd?: string;
}

/** What a network can only be asked for once it is known. */
export type Lack = "media" | "ue-address" | "server-address" | "device" | "profile";

/** A request body, or what it lacks. */
export type Mapped<Body> = { readonly body: Body } | { readonly lacks: Lack };

/** Bits per second in each direction of a UE. */
export interface Rates {
  readonly uplinkBps?: number;
  readonly downlinkBps?: number;
}
