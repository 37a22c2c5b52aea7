import type { TurnConfig } from "../config.ts";
import { carrierOf, turnServerOf } from "../flows/five-tuple.ts";
import { addressKindOf } from "../sdp/address.ts";

/** A TURN server of the deployment: by its address, or by its name. */
export interface Relay {
  readonly address?: string;
  readonly domain?: string;
  readonly port?: number;
  readonly protocol: "udp" | "tcp";
}

/** Of Cloudflare's TURN service, which names its servers with the credentials: over UDP, TCP and TLS, at several ports. */
const CLOUDFLARE: readonly Relay[] = [
  { domain: "turn.cloudflare.com", port: 3478, protocol: "udp" },
  { domain: "turn.cloudflare.com", port: 5349, protocol: "tcp" },
];

/** Where media may be relayed, in the order in which clients are told. */
export function relaysOf(turn: TurnConfig): readonly Relay[] {
  if (turn.provider === "none") return [];
  if (turn.provider === "cloudflare") return CLOUDFLARE;
  return turn.urls.map((url) => {
    const { at, protocol } = turnServerOf(url);
    const { address = "", port } = at;
    const isSecure = /^turns:/i.test(url);
    return {
      ...(addressKindOf(address) === undefined ? { domain: address } : { address }),
      ...(port !== undefined && { port }),
      protocol: carrierOf(protocol ?? (isSecure ? "tcp" : "udp")) === "tcp" ? "tcp" : "udp",
    };
  });
}
