import type { Codec } from "../flow.ts";
import type { RtpMap } from "../sdp/grammar.ts";
import { listedFormats } from "../sdp/inherited.ts";
import { once } from "../sdp/notes.ts";
import { parametersSaid, rtpMapsByFormat, STATIC_RTP_MAPS } from "../sdp/payload-types.ts";
import type { Section } from "../sdp/section.ts";
import { configurationsOf, parametersOf } from "./codec-configuration.ts";

/** What is no media by itself: it repairs, protects or wraps others, or stands for silence and keys. */
const ROLES: ReadonlyMap<string, Codec["role"]> = new Map([
  ["rtx", "rtx"],
  ["red", "red"],
  ["ulpfec", "fec"],
  ["flexfec", "fec"],
  ["flexfec-03", "fec"],
  ["parityfec", "fec"],
  ["1d-interleaved-parityfec", "fec"],
  ["raptorfec", "fec"],
  ["x-ulpfecuc", "fec"],
  ["cn", "cn"],
  ["telephone-event", "dtmf"],
  ["tone", "dtmf"],
]);

const MAX_PAYLOAD_TYPE = 127;

/**
 * The codecs of a section in its order, with the payload types and parameters it gives them. Flows and rules ask for
 * those of one section many times.
 */
export const codecsOf = once(readCodecs);

function readCodecs(section: Section): readonly Codec[] {
  const maps = rtpMapsByFormat(section);
  const codecs: Codec[] = [];
  for (const format of listedFormats(section)) {
    const map = maps.get(format) ?? STATIC_RTP_MAPS.get(format);
    if (!map || !/^\d{1,3}$/.test(format) || Number(format) > MAX_PAYLOAD_TYPE) continue;
    const fmtp = parametersSaid(section, format).at(-1)?.parameters;
    codecs.push(codecOf(Number(format), map, fmtp));
  }
  return codecs;
}

type Made = { -readonly [member in keyof Codec]?: Codec[member] };

function codecOf(pt: number, { name, rate, channels }: RtpMap, fmtp: string | undefined): Codec {
  // Member by member, in the order in which they are told: what is absent is not told as undefined.
  const codec: Made = { pt, name, rate };
  if (channels !== undefined) codec.channels = channels;
  if (fmtp !== undefined) codec.fmtp = fmtp;
  codec.role = ROLES.get(name.toLowerCase()) ?? "primary";
  return codec as Codec;
}

/** `opus/48000/2`: what tells codecs apart, whatever payload type they have. */
export const encodingOf = ({ name, rate, channels = 1 }: Codec): string =>
  `${name.toLowerCase()}/${rate}/${channels}`;

/**
 * What the other end calls the same: several keys where what is left unsaid fits several configurations.
 * A retransmission is that of what it repairs (RFC 4588 s8.1); one that names no format of its section
 * repairs nothing.
 */
type Keys = ReadonlyMap<Codec, readonly string[]>;

const keysIn = once((section: Section): Keys => {
  const codecs = codecsOf(section);
  const byType = new Map(codecs.map((codec) => [String(codec.pt), codec]));
  return new Map(codecs.map((codec) => [codec, keysOf(codec, byType)]));
});

const allKeysIn = once(
  (section: Section): ReadonlySet<string> => new Set([...keysIn(section).values()].flat()),
);

function keysOf(codec: Codec, byType: ReadonlyMap<string, Codec>): readonly string[] {
  const encoding = encodingOf(codec);
  if (codec.role !== "rtx") {
    return configurationsOf(codec).map((configuration) => `${encoding} ${configuration}`);
  }
  const apt = parametersOf(codec).get("apt");
  const repaired = apt === undefined ? undefined : byType.get(String(Number(apt)));
  return repaired && repaired.role !== "rtx"
    ? keysOf(repaired, byType).map((key) => `${encoding} of ${key}`)
    : [];
}

/** The formats of two ends that mean the same, each with the payload types of its own end. */
export interface SharedCodecs {
  readonly received: readonly Codec[];
  readonly sent: readonly Codec[];
}

/**
 * What the sender may send: the receiver's codecs, in its order and with its payload types, that the
 * sender lists too (RFC 3264 s6.1). Two are the same when name, rate, channels and the parameters that make
 * another configuration of them are; a retransmission when what it repairs is.
 */
export function sharedCodecs(sender: Section, receiver: Section): SharedCodecs {
  return { received: sharedIn(receiver, sender), sent: sharedIn(sender, receiver) };
}

/** What a section shares with that of the other end, of which there is mostly one: both directions ask for both ends. */
interface Shared {
  other?: Section;
  codecs: readonly Codec[];
}

const lastShared = once((_own: Section): Shared => ({ codecs: [] }));

function sharedIn(own: Section, other: Section): readonly Codec[] {
  const last = lastShared(own);
  if (last.other === other) return last.codecs;
  const keys = allKeysIn(other);
  const codecs: Codec[] = [];
  for (const [codec, ownKeys] of keysIn(own)) {
    if (ownKeys.some((key) => keys.has(key))) codecs.push(codec);
  }
  last.other = other;
  last.codecs = codecs;
  return codecs;
}

/** The receiver's codecs that the sender has at all: the same name, rate and channels. */
export function commonCodecs(sender: Section, receiver: Section): readonly Codec[] {
  const sent = new Set(codecsOf(sender).map(encodingOf));
  return codecsOf(receiver).filter((codec) => sent.has(encodingOf(codec)));
}
