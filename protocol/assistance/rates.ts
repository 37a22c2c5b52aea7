import type { Kind } from "../flow.ts";
import type { AssistedLink, AssistedSection, AssistedStream, Rates } from "./assisted.ts";

/** Bits per second on the wire for streams that nobody says a rate of, by kind, and by codec in lower case before that. */
export interface RateDefaults {
  readonly audio?: number;
  readonly video?: number;
  readonly data?: number;
  readonly codecs?: Readonly<Record<string, number>>;
}

/**
 * Audio: 64 kbit/s in 50 packets a second with 60 octets of headers. Video: what browsers send of one camera, 2.5 Mbit/s,
 * with headers. Data says nothing of its rate: room for text and control.
 */
export const DEFAULT_BPS: Readonly<Record<Kind, number>> = {
  audio: 88_000,
  video: 2_650_000,
  data: 64_000,
};

/** RFC 3550 s6.2: the share of RTCP. */
const RTCP_SHARE = 0.05;

/** A rate in bits per second, and what of it is wished for and needed at least. */
export interface BitRates {
  readonly maximum: number;
  readonly desired: number;
  readonly required: number;
}

/** Both directions of a UE. */
export interface DirectedRates {
  readonly uplink: BitRates;
  readonly downlink: BitRates;
}

/** Speech breaks below its rate; pictures get coarse, down to a fifth of it; data waits. */
const FLOORS: Readonly<Record<Kind, { readonly desired: number; readonly required: number }>> = {
  audio: { desired: 1, required: 1 },
  video: { desired: 0.5, required: 0.2 },
  data: { desired: 0.5, required: 0 },
};

/** Bits per second of a stream, RTCP left out; 0 while it is held, or not there. */
export function streamBps(
  stream: AssistedStream | undefined,
  kind: Kind,
  defaults: RateDefaults = {},
): number {
  if (!stream?.isRunning) return 0;
  const { maxBps, codecs } = stream;
  const byCodec = codecs.flatMap((name) => defaults.codecs?.[name.toLowerCase()] ?? [])[0];
  return maxBps ?? byCodec ?? defaults[kind] ?? DEFAULT_BPS[kind];
}

/** As a network reckons it (TS 29.213 s6.2): `b=RS` and `b=RR`, of one alone at least the usual share. */
function rtcpBps({ rs, rr }: AssistedStream, bps: number): number {
  const share = bps * RTCP_SHARE;
  return rs !== undefined && rr !== undefined ? rs + rr : Math.max(share, rs ?? rr ?? 0);
}

/** What of a stream is asked for: RTCP runs beside the media, on the same path or on one of its own. */
export type RatePart = "all" | "media" | "rtcp";

function carriedBps(
  stream: AssistedStream | undefined,
  kind: Kind,
  defaults: RateDefaults = {},
  part: RatePart = "all",
): number {
  const media = streamBps(stream, kind, defaults);
  const rtcp = stream?.isRunning && kind !== "data" ? rtcpBps(stream, media) : 0;
  return { all: media + rtcp, media, rtcp }[part];
}

type Directed = "uplink" | "downlink";

const allSections = ({ transports }: Pick<AssistedLink, "transports">) =>
  transports.flatMap(({ sections }) => sections);

const sumOf = (
  sections: readonly AssistedSection[],
  direction: Directed,
  defaults: RateDefaults | undefined,
): number =>
  sections.reduce(
    (sum, { [direction]: stream, kind }) => sum + carriedBps(stream, kind, defaults),
    0,
  );

/** What all of the link would exceed its ceiling by is taken from each stream in proportion: this is left of it, 1 is all. */
export function scaleOf(link: AssistedLink, direction: Directed, defaults?: RateDefaults): number {
  const ceiling = link.ceilings?.[`${direction}Bps`] ?? Number.POSITIVE_INFINITY;
  const sum = sumOf(allSections(link), direction, defaults);
  return sum > ceiling ? ceiling / sum : 1;
}

/** Of some sections of a link together, RTCP included unless only a part is asked for. */
export function ratesOfSections(
  link: AssistedLink,
  sections: readonly AssistedSection[],
  defaults?: RateDefaults,
  part?: RatePart,
): DirectedRates {
  const of = (direction: Directed): BitRates => {
    const scale = scaleOf(link, direction, defaults);
    const total = (share: (kind: Kind) => number): number =>
      sections.reduce(
        (sum, { [direction]: stream, kind }) =>
          sum + carriedBps(stream, kind, defaults, part) * share(kind) * scale,
        0,
      );
    return {
      maximum: Math.round(total(() => 1)),
      desired: Math.round(total((kind) => FLOORS[kind].desired)),
      required: Math.round(total((kind) => FLOORS[kind].required)),
    };
  };
  return { uplink: of("uplink"), downlink: of("downlink") };
}

/** Of RTCP on a path of its own: reports go both ways, whatever the media does, so both have what the larger one takes. */
export function rtcpRatesOf(
  link: AssistedLink,
  sections: readonly AssistedSection[],
  defaults?: RateDefaults,
): DirectedRates {
  const { uplink, downlink } = ratesOfSections(link, sections, defaults, "rtcp");
  const larger = uplink.maximum > downlink.maximum ? uplink : downlink;
  return { uplink: larger, downlink: larger };
}

/** Of all that a link has. */
export const ratesOfLink = (link: AssistedLink, defaults?: RateDefaults): DirectedRates =>
  ratesOfSections(link, allSections(link), defaults);

/**
 * What all that runs on a link takes together in each direction, bits per second on the wire: the rates of its streams and 5
 * percent for the RTCP of each, no more than the ceilings of the link. 0 where nothing runs.
 */
export function ratesOf(link: AssistedLink, defaults?: RateDefaults): Required<Rates> {
  const { uplink, downlink } = ratesOfLink(link, defaults);
  return { uplinkBps: uplink.maximum, downlinkBps: downlink.maximum };
}

/** Whether anything runs. */
export const isRunning = ({
  sections,
}: {
  readonly sections: readonly AssistedSection[];
}): boolean => sections.some(({ uplink, downlink }) => uplink?.isRunning || downlink?.isRunning);
