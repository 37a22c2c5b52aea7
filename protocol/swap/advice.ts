import type { Advice } from "../assistance/advice-message.ts";
import type { Flow } from "../flow.ts";

/** Type of the application message that tells an endpoint what a mobile network recommends (docs/swap.md). */
export const ADVICE_URN = "urn:duplex:network-advice:1";

/**
 * What that message says: `{"call":"source-of-bob","mid":"1","direction":"uplink","state":"impaired","bitrateBps":300000}`.
 * An endpoint knows no flows; it knows its calls by their other end, and m-sections.
 */
export interface EndpointAdvice extends Pick<Advice, "mid" | "network" | "state" | "reason"> {
  /** Source of the other end of the call, as the endpoint knows it. */
  readonly call: string;
  /** uplink: what the endpoint sends. */
  readonly direction: "uplink" | "downlink";
  /** Absent: the network recommends no rate. */
  readonly bitrateBps?: number | undefined;
}

/** Advice on a flow in the terms of the endpoint at one end of it. */
export function endpointAdvice(
  self: string,
  call: string,
  { from }: Pick<Flow, "from">,
  { mid, network, state, reason, bitrateBps }: Advice,
): EndpointAdvice {
  return {
    call,
    mid,
    direction: from === self ? "uplink" : "downlink",
    ...(network !== undefined && { network }),
    ...(state !== undefined && { state }),
    ...(reason !== undefined && { reason }),
    ...(bitrateBps !== undefined && { bitrateBps }),
  };
}
