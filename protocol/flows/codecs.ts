import type { Codec } from "../flow.ts";
import type { RtpMap } from "../sdp/grammar.ts";
import { STATIC_RTP_MAPS } from "../sdp/payload-types.ts";
import type { Section } from "../sdp/section.ts";

const ROLES: ReadonlyMap<string, Codec["role"]> = new Map([
  ["rtx", "rtx"],
  ["red", "red"],
  ["ulpfec", "fec"],
  ["flexfec", "fec"],
  ["flexfec-03", "fec"],
  ["parityfec", "fec"],
  ["cn", "cn"],
  ["telephone-event", "dtmf"],
]);

const MAX_PAYLOAD_TYPE = 127;

function mapOf(format: string, maps: ReadonlyMap<string, RtpMap>): RtpMap | undefined {
  return maps.get(format) ?? STATIC_RTP_MAPS.get(format);
}

/** The codecs of a section in its order, with the payload types and parameters it gives them. */
export function codecsOf(section: Section): readonly Codec[] {
  const maps = new Map(section.rtpMaps.map((map) => [map.format, map]));
  const parameters = new Map(
    section.formatParameters.map(({ format, parameters: text }) => [format, text]),
  );
  return [...new Set(section.formats)].flatMap((format): Codec[] => {
    const map = mapOf(format, maps);
    if (!map || !/^\d{1,3}$/.test(format) || Number(format) > MAX_PAYLOAD_TYPE) return [];
    const fmtp = parameters.get(format);
    return [
      {
        pt: Number(format),
        name: map.name,
        rate: map.rate,
        ...(map.channels === undefined ? {} : { channels: map.channels }),
        ...(fmtp === undefined ? {} : { fmtp }),
        role: ROLES.get(map.name.toLowerCase()) ?? "primary",
      },
    ];
  });
}

/** `opus/48000/2`: what tells codecs apart, whatever payload type they have. */
export const encodingOf = ({ name, rate, channels = 1 }: Codec): string =>
  `${name.toLowerCase()}/${rate}/${channels}`;

/** `apt=96` in the parameters of rtx (RFC 4588 s8.1). */
const protectedBy = ({ fmtp = "" }: Codec): number | undefined => {
  const found = /(?:^|[;\s])apt=(\d{1,3})(?!\d)/.exec(fmtp);
  return found ? Number(found[1]) : undefined;
};

/**
 * What the sender may send: the receiver's codecs, in its order and with its payload types, that the
 * sender lists too (RFC 3264 s6.1). Compared by name, rate and channels; rtx stays with what it repairs.
 */
export function commonCodecs(sender: Section, receiver: Section): readonly Codec[] {
  const sent = new Set(codecsOf(sender).map(encodingOf));
  const common = codecsOf(receiver).filter((codec) => sent.has(encodingOf(codec)));
  const payloadTypes = new Set(common.map(({ pt }) => pt));
  return common.filter((codec) => {
    const repaired = codec.role === "rtx" ? protectedBy(codec) : undefined;
    return repaired === undefined || payloadTypes.has(repaired);
  });
}
