import type { AssistedSection, AssistedStream } from "./assisted.ts";

/** TS 26.522: what RTP header extensions mark for the network. */
export const RTP_MARKINGS = [
  "PDU_SET_MARKING",
  "DYN_CHANGING_TRAFFIC_CHAR",
  "EXPEDITED_TRANSFER_IND",
] as const;
export type RtpHeaderExtType = (typeof RTP_MARKINGS)[number];

/** TS 29.571 RtpHeaderExtInfo, as far as an `a=extmap` line tells. */
export interface RtpHeaderExtInfo {
  readonly rtpHeaderExtType: RtpHeaderExtType;
  readonly rtpHeaderExtId: number;
}

/** TS 29.571 ProtocolDescription. */
export interface ProtocolDescription {
  readonly transportProto: "SRTP";
  readonly rtpHeaderExtInfo: RtpHeaderExtInfo;
  readonly addRtpHeaderExtInfo?: readonly RtpHeaderExtInfo[];
  /** TS 26.113 10.3.2: exactly one, without a format where packets are marked. */
  readonly rtpPayloadInfoList: readonly [{ readonly rtpPayloadTypeList: readonly number[] }];
}

/** What URIs of header extensions mark, by URI. The mid needs no entry: it is always told. */
export type MarkingTable = Readonly<Record<string, RtpHeaderExtType>>;

/** Not found in any public text, and named by no browser: for those who know that their network takes it. */
export const UNVERIFIED_MARKINGS = {
  "urn:3gpp:pdu-set-marking:rel-18": "PDU_SET_MARKING",
} satisfies MarkingTable;

/** URIs of 3GPP of which nobody has told yet how they are spelt to the end. */
const SPELLINGS: readonly (readonly [RegExp, RtpHeaderExtType])[] = [
  [/^urn:3gpp:.*pdu-?set/i, "PDU_SET_MARKING"],
  [/^urn:3gpp:.*(?:burst|traffic)/i, "DYN_CHANGING_TRAFFIC_CHAR"],
  [/^urn:3gpp:.*expedited/i, "EXPEDITED_TRANSFER_IND"],
];

/** What the markings of a stream are, in the order of its extensions; nothing where they are encrypted. */
export function markingsOf(
  { extensions, isCryptic }: AssistedStream,
  table: MarkingTable,
): readonly RtpHeaderExtInfo[] {
  if (isCryptic) return [];
  return extensions.flatMap(({ id: rtpHeaderExtId, uri }) => {
    const known = Object.hasOwn(table, uri) ? table[uri] : undefined;
    const rtpHeaderExtType = known ?? SPELLINGS.find(([spelling]) => spelling.test(uri))?.[1];
    return rtpHeaderExtType ? [{ rtpHeaderExtType, rtpHeaderExtId }] : [];
  });
}

/** How the network finds what marks the packets of a stream; undefined where nothing does, or no table is given. */
export function protocolDescriptionOf(
  stream: AssistedStream | undefined,
  table: MarkingTable | undefined,
): ProtocolDescription | undefined {
  const [first, ...others] = stream && table ? markingsOf(stream, table) : [];
  if (!stream || !first) return undefined;
  return {
    transportProto: "SRTP",
    rtpHeaderExtInfo: first,
    ...(others.length > 0 ? { addRtpHeaderExtInfo: others } : {}),
    rtpPayloadInfoList: [{ rtpPayloadTypeList: stream.payloadTypes }],
  };
}

/** Of the first of some sections that has markings in a direction. */
export function protocolDescriptionIn(
  sections: readonly AssistedSection[],
  direction: "uplink" | "downlink",
  table: MarkingTable | undefined,
): ProtocolDescription | undefined {
  return sections
    .map(({ [direction]: stream }) => protocolDescriptionOf(stream, table))
    .find((description) => description !== undefined);
}
