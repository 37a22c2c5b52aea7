import type { Codec } from "../flow.ts";
import { parametersIn } from "../sdp/payload-types.ts";

type Parameters = ReadonlyMap<string, string>;

/** `apt=96;rtx-time=3000`, `stereo=1; usedtx=1`: values by name in lower case. */
export function parametersOf({ fmtp }: Codec): Parameters {
  const parameters = new Map<string, string>();
  for (const part of fmtp === undefined ? [] : parametersIn(fmtp)) {
    const equals = part.indexOf("=");
    if (equals > 0) parameters.set(part.slice(0, equals).toLowerCase(), part.slice(equals + 1));
  }
  return parameters;
}

interface SubProfile {
  readonly idc: number;
  /** Bits of profile_iop that count, and what they must be. */
  readonly mask: number;
  readonly iop: number;
  readonly name: string;
}

const CONSTRAINED_BASELINE = "constrained-baseline";
const BASELINE = "baseline";

/** Profiles that profile-level-id can spell in several ways (RFC 6184 table 5). */
const SUB_PROFILES: readonly SubProfile[] = [
  { idc: 0x42, mask: 0x4f, iop: 0x40, name: CONSTRAINED_BASELINE },
  { idc: 0x4d, mask: 0x8f, iop: 0x80, name: CONSTRAINED_BASELINE },
  { idc: 0x58, mask: 0xcf, iop: 0xc0, name: CONSTRAINED_BASELINE },
  { idc: 0x42, mask: 0x4f, iop: 0x00, name: BASELINE },
  { idc: 0x58, mask: 0xcf, iop: 0x80, name: BASELINE },
  { idc: 0x4d, mask: 0xaf, iop: 0x00, name: "main" },
  { idc: 0x58, mask: 0xcf, iop: 0x00, name: "extended" },
];

/**
 * The profile in profile-level-id, without its level. When nothing is said it is Baseline (RFC 6184 s8.1);
 * Chromium takes it for Constrained Baseline and sends that: both fit.
 */
function h264Profiles(profileLevelId: string | undefined): readonly string[] {
  if (profileLevelId === undefined) return [BASELINE, CONSTRAINED_BASELINE];
  const text = profileLevelId.toLowerCase();
  const found = /^([\da-f]{2})([\da-f]{2})[\da-f]{2}$/.exec(text);
  if (!found) return [text];
  const [idc, iop] = [Number.parseInt(String(found[1]), 16), Number.parseInt(String(found[2]), 16)];
  const known = SUB_PROFILES.find((each) => each.idc === idc && (iop & each.mask) === each.iop);
  return [known?.name ?? text.slice(0, 4)];
}

/** Parameters that an answer cannot change, with what holds when they are not said. */
const FIXED: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map([
  // RFC 9628 s6.
  ["vp9", { "profile-id": "0" }],
  // RTP Payload Format For AV1 s7.2.
  ["av1", { profile: "0" }],
  // RFC 7798 s7.1 and s7.2.2; browsers compare the same ones.
  ["h265", { "profile-space": "0", "profile-id": "1", "tier-flag": "0", "tx-mode": "SRST" }],
]);

/**
 * What the parameters make of a codec: two formats of one name are the same only when their
 * configurations are (RFC 6184 s8.2.2). Several where what is not said may be read in several ways.
 */
export function configurationsOf(codec: Codec): readonly string[] {
  const name = codec.name.toLowerCase();
  const parameters = parametersOf(codec);
  if (name === "h264") {
    const mode = parameters.get("packetization-mode") ?? "0";
    return h264Profiles(parameters.get("profile-level-id")).map((profile) => `${profile} ${mode}`);
  }
  const fixed = Object.entries(FIXED.get(name) ?? {});
  return [fixed.map(([key, unsaid]) => (parameters.get(key) ?? unsaid).toUpperCase()).join(" ")];
}
