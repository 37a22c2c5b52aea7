import type { AssistedStream } from "./assisted.ts";

export type RtpHeaderExtType =
  | "PDU_SET_MARKING"
  | "DYN_CHANGING_TRAFFIC_CHAR"
  | "EXPEDITED_TRANSFER_IND";

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
  readonly rtpPayloadInfoList: readonly [{ readonly rtpPayloadTypeList: readonly number[] }];
}

/** What URIs of header extensions mark, by URI. */
export type MarkingTable = Readonly<Record<string, RtpHeaderExtType>>;

export const NO_MARKINGS = {} satisfies MarkingTable;

/** STUB */
export function protocolDescriptionOf(
  _stream: AssistedStream | undefined,
  _table: MarkingTable | undefined,
): ProtocolDescription | undefined {
  return undefined;
}
