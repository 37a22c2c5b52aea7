import type { ADVICE_URN, EndpointAdvice } from "../protocol/swap/advice.ts";
import type { SignallingPort } from "./requests.ts";
import { SenderSteering } from "./sender-steering.ts";
import type { SwapFrame } from "./swap-socket.ts";

const URN: typeof ADVICE_URN = "urn:duplex:network-advice:1";

/** What a mobile network recommends, if that is what a frame says; whether it is the server's own its source tells. */
export function adviceIn({ message_type, type, value }: SwapFrame): EndpointAdvice | undefined {
  return message_type === "application" && type === URN ? (value as EndpointAdvice) : undefined;
}

/** SWAP has no word for what an endpoint makes of advice. */
const NOBODY: SignallingPort = {
  connected: true,
  send: () => undefined,
  request: () => Promise.resolve({ type: "ack", re: 0 }),
};

/** Limits what a call sends to what networks recommend, and gives back what the application had chosen. */
export class SwapSteering {
  readonly #senders: SenderSteering;

  constructor(connection: RTCPeerConnection) {
    this.#senders = new SenderSteering(connection, NOBODY);
  }

  obey({ mid, direction, bitrateBps }: EndpointAdvice): void {
    if (direction !== "uplink") return;
    this.#senders.obey({
      id: mid,
      revision: 0,
      mid,
      // Audio is steered alike, and data has no rate.
      kind: "video",
      from: "",
      to: "",
      state: "active",
      ...(bitrateBps !== undefined && { limits: { effectiveBps: bitrateBps } }),
    });
  }
}
