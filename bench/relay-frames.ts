import type { Candidate } from "../protocol/message-parts.ts";

/** The frames of bench/relay.ts: each carries one candidate with a number of its own as its foundation. */

export type FrameKind = "message" | "candidates";

/** Kinds of server, by the protocol they speak. */
export type Dialect = "duplex" | "plain" | "plain-acking" | "partyserver" | "peerjs";

/** `candidate:4100000017 1 udp 41885439 203.0.113.177 61017 typ relay raddr 198.51.100.222 rport 46154 ...` */
export const candidateOf = (n: number, ufrag: string): Candidate => ({
  candidate:
    `candidate:${n} 1 udp 41885439 203.0.113.177 ${10_000 + (n % 50_000)} typ relay ` +
    `raddr 198.51.100.222 rport 46154 generation 0 ufrag ${ufrag} network-id 1 network-cost 50`,
  sdpMid: "0",
  sdpMLineIndex: 0,
  usernameFragment: ufrag,
});

/** The first number: all have as many digits. */
export const FIRST = 1_000_000_000;

const NUMBER = /candidate:(\d+)/;

/** The number of a frame that carries one. */
export function numberOf(frame: string): number | undefined {
  const [, digits] = NUMBER.exec(frame) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export interface FrameParts {
  readonly to: string;
  readonly n: number;
  readonly ufrag: string;
  readonly exchange: number;
  /** Asks for an acknowledgement when there is one. */
  readonly id?: number | undefined;
}

const duplexFrame = (kind: FrameKind, { to, n, ufrag, exchange, id }: FrameParts): string => {
  const candidate = candidateOf(n, ufrag);
  return JSON.stringify(
    kind === "candidates"
      ? { type: kind, id, to, exchange, candidates: [candidate] }
      : { type: kind, id, to, body: candidate },
  );
};

/** As the client of PeerJS sends it. */
const peerjsFrame = ({ to, n, ufrag }: FrameParts): string => {
  const payload = { candidate: candidateOf(n, ufrag), type: "media", connectionId: "mc_k3v9x0q2r" };
  return JSON.stringify({ type: "CANDIDATE", payload, dst: to });
};

/** Servers that hand on whatever comes get the frames of Duplex. */
export const frameOf = (dialect: Dialect, kind: FrameKind, parts: FrameParts): string =>
  dialect === "peerjs" ? peerjsFrame(parts) : duplexFrame(kind, parts);
