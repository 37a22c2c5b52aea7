import type { FlowLimits, Layer } from "../flow.ts";
import type { Description } from "../sdp/description.ts";
import type { Section } from "../sdp/section.ts";
import { isSame } from "./same.ts";

/** A rate that binds a sender, bits per second, and where it comes from. */
export interface Ceiling {
  readonly bps: number;
  readonly source: NonNullable<FlowLimits["source"]>;
}

/** RFC 8829 s5.9 on b=AS: less 5 percent, less headers of 40 bytes at 50 packets per second. */
const bpsOfAs = (as: number): number => Math.max(0, as * 950 - 16_000);

/** b=CT is in kilobits per second (RFC 8866 s5.8). */
export const bpsOfCt = (ct: number): number => ct * 1000;

const bandwidthOf = (
  { bandwidths }: Pick<Section, "bandwidths">,
  wanted: string,
): number | undefined => bandwidths.findLast(({ type }) => type === wanted)?.value;

/** What all layers may take together, when each of them says so. */
function bpsOfLayers(layers: readonly Layer[]): number | undefined {
  const rates = layers
    .filter(({ paused }) => !paused)
    .map(({ limits }) => limits?.["max-br"] ?? "");
  const isKnown = rates.length > 0 && rates.every((rate) => /^\d{1,12}$/.test(rate));
  return isKnown ? rates.reduce((sum, rate) => sum + Number(rate), 0) : undefined;
}

/** What the effective limit follows from. */
type Parts = Omit<FlowLimits, "effectiveBps" | "source">;

/** Only the members that say something. */
const said = (parts: { [K in keyof Parts]: Parts[K] | undefined }): Parts =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));

function partsOf({ effectiveBps: _, source: __, ...parts }: FlowLimits): Parts {
  return parts;
}

/**
 * The limits of a direction: `b=` of the receiver's section, which bind the sender (RFC 8834 s7.1), `b=CT` of
 * its whole description, `max-br` of the layers, and what somebody asked for, bits per second.
 */
export function agreedLimits(
  receiver: Section,
  { session }: Pick<Description, "session">,
  layers: readonly Layer[],
  requestedBps?: number,
): FlowLimits {
  return withLowest(
    said({
      receiverAs: bandwidthOf(receiver, "AS"),
      receiverTias: bandwidthOf(receiver, "TIAS"),
      sessionCt: bandwidthOf(session, "CT"),
      layersBps: bpsOfLayers(layers),
      requestedBps,
    }),
  );
}

/** The lowest of all that the record of a flow itself says; undefined when nothing limits it. */
export function ownCeiling(limits: FlowLimits): Ceiling | undefined {
  const { receiverAs, receiverTias, sessionCt, layersBps, requestedBps } = limits;
  // TIAS says the same as AS, without the guess at headers: it goes before it (RFC 8829 s5.9).
  const as = receiverTias === undefined && receiverAs !== undefined;
  return lowestOf([
    { bps: as ? bpsOfAs(receiverAs) : receiverTias, source: as ? "as" : "tias" },
    { bps: sessionCt === undefined ? undefined : bpsOfCt(sessionCt), source: "ct" },
    { bps: layersBps, source: "layers" },
    { bps: requestedBps, source: "request" },
  ]);
}

/** The lowest ceiling, of equal ones the first. */
export function lowestOf(
  ceilings: readonly { readonly bps: number | undefined; readonly source: Ceiling["source"] }[],
): Ceiling | undefined {
  let lowest: Ceiling | undefined;
  for (const { bps, source } of ceilings) {
    if (bps !== undefined && (!lowest || bps < lowest.bps)) lowest = { bps, source };
  }
  return lowest;
}

/** The limits with this as the one that counts. */
export function withEffective(limits: FlowLimits, ceiling: Ceiling | undefined): FlowLimits {
  const parts = partsOf(limits);
  if (!ceiling) return parts;
  return { effectiveBps: ceiling.bps, source: ceiling.source, ...parts };
}

const withLowest = (parts: Parts): FlowLimits => withEffective(parts, ownCeiling(parts));

/** The limits with the lowest rate that somebody asks for, bits per second; undefined: nobody does. */
export function withRequested(limits: FlowLimits, requestedBps: number | undefined): FlowLimits {
  return relimited(limits, withLowest(said({ ...partsOf(limits), requestedBps })));
}

/**
 * The limits as they are agreed now. What a ceiling of peers or session makes of them stands as long as
 * nothing they follow from has changed.
 */
export function relimited(known: FlowLimits, agreed: FlowLimits): FlowLimits {
  return isSame(partsOf(known), partsOf(agreed)) ? known : agreed;
}
