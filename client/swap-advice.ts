import type { ADVICE_URN, EndpointAdvice } from "../protocol/swap/advice.ts";
import type { SwapFrame } from "./swap-socket.ts";

const URN: typeof ADVICE_URN = "urn:duplex:network-advice:1";

/** What a mobile network recommends, if that is what an application message of the server says, and says well. */
export function adviceIn({ type, value }: SwapFrame): EndpointAdvice | undefined {
  if (type !== URN || typeof value !== "object") return undefined;
  const advice = { ...value } as EndpointAdvice;
  const { call, mid, direction, bitrateBps = 0 } = advice;
  const isNamed = typeof call === "string" && typeof mid === "string";
  const isDirected = direction === "uplink" || direction === "downlink";
  return isNamed && isDirected && Number.isFinite(bitrateBps) && bitrateBps >= 0
    ? advice
    : undefined;
}

const NO_LIMIT = Number.POSITIVE_INFINITY;

type Rates = readonly (number | undefined)[];

/** Limits what the senders of a call send, and gives back what the application had chosen, or has chosen meanwhile. */
export class SenderLimits {
  readonly #limited = new WeakMap<RTCRtpSender, { readonly chosen: Rates; readonly set: Rates }>();

  /** Bits per second, the same for each layer; undefined: no limit but the application's own. */
  async set(sender: RTCRtpSender, bps: number | undefined): Promise<void> {
    const parameters = sender.getParameters();
    const { encodings } = parameters;
    const before = this.#limited.get(sender);
    const chosen = encodings.map(({ maxBitrate }, index) =>
      before && maxBitrate === before.set[index] ? before.chosen[index] : maxBitrate,
    );
    // Less than Opus takes at least (RFC 7587 s6.1) Chromium refuses, and limits nothing then.
    const least = encodings.length > 1 ? 1 : 6000;
    const share = Math.max(least, Math.floor((bps ?? NO_LIMIT) / encodings.length));
    encodings.forEach((encoding, index) => {
      const most = Math.min(chosen[index] ?? NO_LIMIT, share);
      if (most === NO_LIMIT) delete encoding.maxBitrate;
      else encoding.maxBitrate = most;
    });
    await sender.setParameters(parameters);
    if (bps === undefined) this.#limited.delete(sender);
    else this.#limited.set(sender, { chosen, set: encodings.map(({ maxBitrate }) => maxBitrate) });
  }
}
