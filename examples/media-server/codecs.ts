import { RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters } from "werift";

/**
 * What the media server negotiates. It reads no media but the first bytes of a picture, so a codec is
 * here when `keyframe.ts` knows it.
 */

export const EXTENSION = {
  mid: "urn:ietf:params:rtp-hdrext:sdes:mid",
  rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  repairedRid: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
  audioLevel: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  orientation: "urn:3gpp:video-orientation",
} as const;

// No transport-cc: senders are steered by REMB and by the losses that receiver reports tell.
const VIDEO_FEEDBACK: readonly { type: string; parameter?: string }[] = [
  { type: "nack" },
  { type: "nack", parameter: "pli" },
  { type: "ccm", parameter: "fir" },
  { type: "goog-remb" },
];

const video = (payloadType: number, mimeType: string, parameters?: string) =>
  new RTCRtpCodecParameters({
    mimeType,
    payloadType,
    clockRate: 90_000,
    rtcpFeedback: [...VIDEO_FEEDBACK],
    ...(parameters === undefined ? {} : { parameters }),
  });

const rtx = (payloadType: number, apt: number) =>
  new RTCRtpCodecParameters({
    mimeType: "video/rtx",
    payloadType,
    clockRate: 90_000,
    parameters: `apt=${apt}`,
  });

/** For the configuration of a connection; new objects, as werift writes into them. */
export const offeredCodecs = () => ({
  audio: [
    new RTCRtpCodecParameters({
      mimeType: "audio/opus",
      payloadType: 111,
      clockRate: 48_000,
      channels: 2,
      parameters: "minptime=10;useinbandfec=1",
    }),
  ],
  video: [
    video(96, "video/VP8"),
    rtx(97, 96),
    video(
      98,
      "video/H264",
      "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    ),
    rtx(99, 98),
    video(100, "video/VP9", "profile-id=0"),
    rtx(101, 100),
  ],
});

const extension = (uri: string) => new RTCRtpHeaderExtensionParameters({ uri });

export const offeredExtensions = () => ({
  audio: [EXTENSION.mid, EXTENSION.audioLevel].map(extension),
  video: [EXTENSION.mid, EXTENSION.rid, EXTENSION.repairedRid, EXTENSION.orientation].map(
    extension,
  ),
});

/** A member of an `a=fmtp` line. */
export function formatParameter(codec: RTCRtpCodecParameters, name: string): string | undefined {
  const members = (codec.parameters ?? "").split(";").map((member) => member.trim().split("="));
  return members.find(([key]) => key?.toLowerCase() === name)?.[1]?.toLowerCase();
}

export const isRtx = (codec: RTCRtpCodecParameters): boolean =>
  codec.mimeType.toLowerCase().endsWith("/rtx");

export const isVp8 = (codec: RTCRtpCodecParameters): boolean =>
  codec.mimeType.toLowerCase() === "video/vp8";

/** What repairs a codec on the same leg (RFC 4588 s8.1). */
export const rtxOf = (
  codecs: readonly RTCRtpCodecParameters[],
  payloadType: number,
): RTCRtpCodecParameters | undefined =>
  codecs.find((codec) => isRtx(codec) && formatParameter(codec, "apt") === String(payloadType));

const DISTINGUISHING = ["packetization-mode", "profile-id"];

// An absent member of H264 or VP9 means 0 (RFC 6184 s8.1, RFC 9628 s6).
const differs = (a: RTCRtpCodecParameters, b: RTCRtpCodecParameters): boolean =>
  DISTINGUISHING.some(
    (name) => (formatParameter(a, name) ?? "0") !== (formatParameter(b, name) ?? "0"),
  );

/**
 * A codec as it may be answered: werift repeats all the feedback that was offered, and RFC 4585 s4.2 has
 * an answer name what the answerer will use.
 */
export function withUsedFeedback(codec: RTCRtpCodecParameters): RTCRtpCodecParameters {
  const used = VIDEO_FEEDBACK.filter((mine) =>
    codec.rtcpFeedback.some(
      ({ type, parameter }) => type === mine.type && (parameter || undefined) === mine.parameter,
    ),
  );
  return new RTCRtpCodecParameters({ ...codec, rtcpFeedback: used });
}

/** The same codec on another leg, where it has a payload type of its own. */
export function counterpart(
  codecs: readonly RTCRtpCodecParameters[],
  wanted: RTCRtpCodecParameters,
): RTCRtpCodecParameters | undefined {
  const same = codecs.filter(
    (codec) =>
      codec.mimeType.toLowerCase() === wanted.mimeType.toLowerCase() && !differs(codec, wanted),
  );
  const profile = formatParameter(wanted, "profile-level-id");
  return same.find((codec) => formatParameter(codec, "profile-level-id") === profile) ?? same[0];
}

/** Header extensions for a new section, with the numbers that the transport gives them already (RFC 8285 s5). */
export function consistentExtensions(
  kind: "audio" | "video",
  agreed: ReadonlyMap<number, string>,
): RTCRtpHeaderExtensionParameters[] {
  const taken = new Map(agreed);
  return offeredExtensions()[kind].map(({ uri }) => {
    let id = [...taken].find(([, each]) => each === uri)?.[0];
    if (id === undefined) {
      id = 1;
      while (taken.has(id)) id += 1;
      taken.set(id, uri);
    }
    return new RTCRtpHeaderExtensionParameters({ uri, id });
  });
}
