import type { MediaLabels } from "../protocol/flow-query.ts";
import type { LinkSummary } from "../protocol/message-parts.ts";
import type { DuplexError, SdpFinding } from "./duplex-error.ts";

/** What a negotiation needs of the link it belongs to. */
export interface NegotiationHost {
  readonly connection: RTCPeerConnection;
  /** Puts a fresh connection, with the same published tracks, in the place of the present one. */
  renew(): void;
  /**
   * Gives the connection the ICE servers of now, because it gathers candidates anew: its next offer restarts ICE, or
   * it has an offer that does. At no other time: browsers take other servers for a reason to restart.
   */
  refresh(restart: boolean): void;
  /** Brings the transceivers in line with what both peers were granted, before a description is made. */
  prepare(type: "offer" | "answer"): void;
  /** What the application says of its media, by the mids of the present local description. */
  labels(): MediaLabels;
  /** An exchange was completed. */
  settled(): void;
  problem(error: DuplexError): void;
  /** The server remarks on a description that it took; never called with nothing. */
  found(findings: readonly SdpFinding[]): void;
}

/** How a negotiation begins. */
export interface NegotiationStart {
  /** Offer at once: this peer joined, the other was there. Else the other peer's offer is awaited. */
  readonly offers: boolean;
  /** The link as the server knows it, when this page takes over a peer that was in the session. */
  readonly summary?: LinkSummary | undefined;
  /** The other peer cannot be offered anything: it came by HTTP (RFC 9725 s3). */
  readonly isAnswererOnly?: boolean;
}
