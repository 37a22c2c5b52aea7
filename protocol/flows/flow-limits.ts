import type { FlowLimits, Layer } from "../flow.ts";
import type { Description } from "../sdp/description.ts";
import type { Section } from "../sdp/section.ts";

/** Ceilings of the session, bits per second. */
export interface FlowPolicy {
  readonly maxUplinkBps?: number | undefined;
  readonly maxDownlinkBps?: number | undefined;
}

interface Ceiling {
  readonly bps: number | undefined;
  readonly source: NonNullable<FlowLimits["source"]>;
}

/** RFC 8829 s5.9 on b=AS: less 5 percent, less headers of 40 bytes at 50 packets per second. */
const bpsOfAs = (as: number): number => Math.max(0, as * 950 - 16_000);

const bandwidthOf = (
  { bandwidths }: Pick<Section, "bandwidths">,
  wanted: string,
): number | undefined => bandwidths.findLast(({ type }) => type === wanted)?.value;

/** What all layers may take together, when each of them says so. */
function layersBps(layers: readonly Layer[]): number | undefined {
  const rates = layers
    .filter(({ paused }) => !paused)
    .map(({ limits }) => limits?.["max-br"] ?? "");
  const isKnown = rates.length > 0 && rates.every((rate) => /^\d{1,12}$/.test(rate));
  return isKnown ? rates.reduce((sum, rate) => sum + Number(rate), 0) : undefined;
}

/**
 * What binds the sender: `b=` of the receiver's section (RFC 8834 s7.1), its `b=CT` as a ceiling for each
 * flow, `max-br` of the layers, and the session's ceilings. The lowest one counts.
 */
export function agreedLimits(
  receiver: Section,
  { session }: Pick<Description, "session">,
  layers: readonly Layer[],
  sessionBps: number | undefined,
): FlowLimits {
  const receiverTias = bandwidthOf(receiver, "TIAS");
  const receiverAs = bandwidthOf(receiver, "AS");
  const ct = bandwidthOf(session, "CT");
  const own: Ceiling =
    receiverTias === undefined
      ? { bps: receiverAs === undefined ? undefined : bpsOfAs(receiverAs), source: "as" }
      : { bps: receiverTias, source: "tias" };
  return {
    ...lowest([
      own,
      { bps: ct === undefined ? undefined : ct * 1000, source: "ct" },
      { bps: layersBps(layers), source: "layers" },
      { bps: sessionBps, source: "session" },
    ]),
    ...(receiverAs === undefined ? {} : { receiverAs }),
    ...(receiverTias === undefined ? {} : { receiverTias }),
  };
}

function lowest(ceilings: readonly Ceiling[]): Pick<FlowLimits, "effectiveBps" | "source"> {
  let found: Pick<FlowLimits, "effectiveBps" | "source"> = {};
  for (const { bps, source } of ceilings) {
    const isLower = bps !== undefined && bps < (found.effectiveBps ?? Number.POSITIVE_INFINITY);
    if (isLower) found = { effectiveBps: bps, source };
  }
  return found;
}

/** The limits with what somebody asked for on top. */
export function limitsWith(agreed: FlowLimits, requestedBps: number | undefined): FlowLimits {
  if (requestedBps === undefined) return agreed;
  const { effectiveBps, source = "request", ...declared } = agreed;
  return {
    ...lowest([
      { bps: effectiveBps, source },
      { bps: requestedBps, source: "request" },
    ]),
    ...declared,
    requestedBps,
  };
}

/** The session's ceiling for a flow: of its sender's uplink and its receiver's downlink. */
export function sessionCeiling(
  { maxUplinkBps, maxDownlinkBps }: FlowPolicy,
  { hasUplink, hasDownlink }: { readonly hasUplink: boolean; readonly hasDownlink: boolean },
): number | undefined {
  const ceilings = [hasUplink ? maxUplinkBps : undefined, hasDownlink ? maxDownlinkBps : undefined];
  const known = ceilings.filter((bps) => bps !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
