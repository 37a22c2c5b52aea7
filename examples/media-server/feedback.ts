import {
  GenericNack,
  PictureLossIndication,
  ReceiverEstimatedMaxBitrate,
  RtcpPayloadSpecificFeedback,
  RtcpTransportLayerFeedback,
} from "werift";

/** RTCP messages that werift has classes for, in the form in which they are sent. */

/** Asks for a key frame (RFC 4585 s6.3.1). */
export const pictureLoss = (senderSsrc: number, mediaSsrc: number): RtcpPayloadSpecificFeedback =>
  new RtcpPayloadSpecificFeedback({
    feedback: new PictureLossIndication({ senderSsrc, mediaSsrc }),
  });

/** Asks for lost packets (RFC 4585 s6.2.1). */
export const negative = (
  senderSsrc: number,
  mediaSourceSsrc: number,
  lost: readonly number[],
): RtcpTransportLayerFeedback =>
  new RtcpTransportLayerFeedback({
    feedback: new GenericNack({ senderSsrc, mediaSourceSsrc, lost: [...lost] }),
  });

const MANTISSA_BITS = 18;

/** The most that a sender may send over the whole transport (draft-alvestrand-rmcat-remb). */
export function estimatedMaximum(
  senderSsrc: number,
  bitrateBps: number,
  ssrcFeedbacks: readonly number[],
): RtcpPayloadSpecificFeedback {
  const brExp = Math.max(0, Math.ceil(Math.log2(bitrateBps + 1)) - MANTISSA_BITS);
  return new RtcpPayloadSpecificFeedback({
    feedback: new ReceiverEstimatedMaxBitrate({
      senderSsrc,
      mediaSsrc: 0,
      brExp,
      brMantissa: Math.floor(bitrateBps / 2 ** brExp),
      ssrcNum: ssrcFeedbacks.length,
      ssrcFeedbacks: [...ssrcFeedbacks],
    }),
  });
}
