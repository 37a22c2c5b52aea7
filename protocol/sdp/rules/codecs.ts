import { encodingsOf, type PayloadType, parameterOf, payloadTypesOf } from "../payload-types.ts";
import { type DescriptionRule, type Hit, NO_HITS, own, where } from "../rule.ts";
import { eachOfKind, eachRtpSection, payloadTypeNamed } from "./rtp-sections.ts";

/** Hits for those formats of one encoding that the condition holds for. */
const eachEncoded = (
  name: string,
  condition: (payloadType: PayloadType) => boolean,
): DescriptionRule["find"] =>
  eachRtpSection((section) =>
    encodingsOf(section).has(name)
      ? where(
          payloadTypesOf(section),
          (each) => each.name === name && condition(each),
          ({ format }) => payloadTypeNamed(format),
        )
      : NO_HITS,
  );

/** A hit when a section of the kind lacks one of the encodings. */
const lacking = (kind: "audio" | "video", ...wanted: string[]): DescriptionRule["find"] =>
  eachOfKind(kind, (section) => {
    const encodings = encodingsOf(section);
    const missing = wanted.filter((name) => !encodings.has(name.toLowerCase()));
    return missing.length === 0 ? NO_HITS : [{ detail: missing.join(", ") }];
  });

/** `20`, `2.5` */
const DURATION = /^\d{1,4}(?:\.\d{1,9})?$/;
const LONGEST_PACKET_MS = 1000;

const isDuration = (value: string): boolean => {
  const text = value.trim();
  return DURATION.test(text) && Number(text) >= 1 && Number(text) <= LONGEST_PACKET_MS;
};

/** What descriptions must say of particular codecs, and the codecs that every endpoint should have. */
export const CODEC_RULES: readonly DescriptionRule[] = [
  {
    id: "h264-no-profile-level-id",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 7742 s6.2",
    requirements: ["R10-7"],
    condition: "an H264 format has no `profile-level-id`",
    message:
      "peers must take it for baseline level 1, too small for any camera; add profile-level-id to its fmtp",
    find: eachEncoded("h264", (type) => !parameterOf(type, "profile-level-id")),
  },
  {
    id: "h264-sprop-parameter-sets",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 7742 s6.2",
    requirements: ["R10-7"],
    condition: "an H264 format has `sprop-parameter-sets`",
    message:
      "WebRTC endpoints send parameter sets in the stream and ignore these; drop sprop-parameter-sets from the fmtp",
    find: eachRtpSection((section) =>
      encodingsOf(section).has("h264")
        ? payloadTypesOf(section).flatMap((type): readonly Hit[] => {
            const sets =
              type.name === "h264" ? parameterOf(type, "sprop-parameter-sets") : undefined;
            return sets ? [{ line: sets.line, detail: payloadTypeNamed(type.format) }] : NO_HITS;
          })
        : NO_HITS,
    ),
  },
  {
    id: "opus-rtpmap",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 7587 s7",
    condition: "an opus format is not `opus/48000/2`",
    message:
      "opus is always written opus/48000/2, even for mono or less bandwidth; peers may not recognise it otherwise",
    find: eachEncoded("opus", ({ rate, channels }) => rate !== 48_000 || channels !== 2),
  },
  {
    id: "mti-audio-missing",
    on: "offer",
    level: "info",
    strict: "warning",
    source: "RFC 7874 s3",
    requirements: ["R4.3-2"],
    condition: "an audio section of an offer lacks opus, PCMU or PCMA",
    message:
      "not offered, though every WebRTC endpoint must have it; a peer without the other codecs cannot answer",
    find: lacking("audio", "opus", "PCMU", "PCMA"),
  },
  {
    id: "mti-telephone-event-missing",
    on: "offer",
    level: "info",
    strict: "info",
    source: "RFC 7874 s3",
    condition: "an audio section of an offer lacks telephone-event",
    message:
      "without telephone-event no DTMF tones can be sent; offer it where calls may reach telephones",
    find: lacking("audio", "telephone-event"),
  },
  {
    id: "mti-video-missing",
    on: "offer",
    level: "info",
    strict: "warning",
    source: "RFC 7742 s5",
    requirements: ["R4.3-2"],
    condition: "a video section of an offer lacks VP8 or H264",
    message:
      "not offered, though every WebRTC browser must have it; a peer without the other codecs cannot answer",
    find: lacking("video", "VP8", "H264"),
  },
  {
    id: "ptime-invalid",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8866 s6.4",
    condition: "a ptime or maxptime is not from 1 to 1000 ms",
    message:
      "packet durations are milliseconds from 1 to 1000, such as 20; drop the line or correct it",
    find: eachRtpSection((section) => {
      const odd = where(own(section, "ptime"), ({ value }) => !isDuration(value));
      const most = own(section, "maxptime");
      return most.length === 0 ? odd : [...odd, ...where(most, ({ value }) => !isDuration(value))];
    }),
  },
];
