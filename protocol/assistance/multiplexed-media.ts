/** TS 29.514 MpxMediaInfo: tells one m-section from others on its 5-tuple. */
export interface MpxMediaInfo {
  readonly ssrcId?: number;
  readonly payloadType?: number;
  /** The mid. */
  readonly identificationTag?: string;
  /** Id of the header extension that has the mid. */
  readonly rtpSdesHdrExtId?: number;
}
