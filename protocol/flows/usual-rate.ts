import type { Codec, Flow } from "../flow.ts";
import { parametersOf } from "./codec-configuration.ts";

/**
 * G.711 and G.722 take this (RFC 3551 s4.5), and it is the upper end of what music in one channel needs of
 * Opus (RFC 7587 s3.1.1).
 */
const CHANNEL_BPS = 64_000;

/** RTP headers of 12 octets, 50 packets a second (RFC 3551 s4.2); a limit counts them (RFC 3890 s6.2.2). */
const HEADERS_BPS = 12 * 8 * 50;

/** Range of `maxaveragebitrate` (RFC 7587 s6.1). */
const OPUS_BPS = { lowest: 6_000, highest: 510_000 };

const SAMPLE_BITS: ReadonlyMap<string, number> = new Map([
  ["l8", 8],
  ["l16", 16],
  ["l24", 24],
]);

/**
 * What audio usually takes, bits per second, RTP headers included: it does not grow with the room it is
 * given, as video does.
 */
export function usualRate({ codecs }: Pick<Flow, "codecs">): number {
  const codec = codecs.find(({ role }) => role === "primary");
  return HEADERS_BPS + (codec ? payloadRate(codec) : CHANNEL_BPS);
}

function payloadRate(codec: Codec): number {
  const { rate, channels = 1 } = codec;
  const name = codec.name.toLowerCase();
  const bits = SAMPLE_BITS.get(name);
  if (bits !== undefined) return rate * channels * bits;
  if (name !== "opus") return CHANNEL_BPS;
  const parameters = parametersOf(codec);
  const wanted = Number(parameters.get("maxaveragebitrate"));
  if (wanted > 0) return Math.min(Math.max(wanted, OPUS_BPS.lowest), OPUS_BPS.highest);
  // Opus is always said to have two channels; it has them where the receiver wants them.
  return parameters.get("stereo") === "1" ? 2 * CHANNEL_BPS : CHANNEL_BPS;
}
