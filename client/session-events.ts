import type { Advice } from "../protocol/assistance/advice-message.ts";
import type { FlowSummary } from "../protocol/flow-summary.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import type { ToPeer } from "../protocol/messages.ts";
import type { DuplexError, SdpFinding } from "./duplex-error.ts";
import type { RemoteTrack } from "./link.ts";
import type { Closed, SignallingState } from "./signalling-listener.ts";

/** Events of a session and what their listeners are given; `F` is how much is known of flows. */
export interface SessionEvents<F extends FlowSummary = FlowSummary> {
  /** A peer joined the session. */
  "peer-joined": { readonly peer: PeerView };
  /** A peer left; `peer` is its id. */
  "peer-left": {
    readonly peer: string;
    readonly reason: Extract<ToPeer, { type: "peer-left" }>["reason"];
  };
  /** A peer sends a track. */
  track: RemoteTrack;
  /** A peer does not send this track any more. */
  "track-ended": RemoteTrack;
  /** The connection to a peer changed its state. */
  link: { readonly peer: string; readonly state: RTCPeerConnectionState };
  /** Flows or transports changed: the whole list, with the changes in it. */
  flows: readonly F[];
  /** Application data of a peer. */
  message: { readonly peer: string; readonly body: unknown };
  /**
   * What a mobile network recommends for a flow is another than before: its sender is told, and the peer that is in the
   * network. What this peer sends is limited to it already.
   */
  advice: Advice;
  /** The server took a description or candidates of this side, but found something that deserves attention. */
  findings: { readonly peer: string; readonly findings: readonly SdpFinding[] };
  /** Something was refused or failed; an `SdpError` says what was found in a description.
   * `peer` is the link concerned. The session goes on. */
  problem: { readonly error: DuplexError; readonly peer?: string };
  /** The state of signalling; media goes on while it reconnects. */
  state: SignallingState;
  /** The session is over for this peer. */
  closed: Closed;
}
