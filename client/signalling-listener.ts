import type { ToPeer, Welcome } from "../protocol/messages.ts";
import type { DuplexError } from "./duplex-error.ts";

/** `reconnecting` from the loss of a socket until the next `welcome`; `closed` is final. */
export type SignallingState = "connected" | "reconnecting" | "closed";

/** Why signalling is over for good. */
export interface Closed {
  /** Close code of the socket; 1006 when an upgrade was refused for good. */
  readonly code: number;
  /** In a word, such as `left`, `replaced` or `kicked`. */
  readonly reason: string;
  /** What the server said, where it said more than the code. */
  readonly problem?: DuplexError;
}

/** Frames that are neither replies nor the socket's own business. */
export type Notice = Exclude<ToPeer, { type: "welcome" | "ack" | "closing" | "probe" }>;

/** Who is told what comes in. */
export interface SignallingListener {
  /** A new socket took over; `resumed` false means the session had forgotten this peer. */
  welcome(welcome: Welcome): void;
  notice(frame: Notice): void;
  state(state: SignallingState): void;
  closed(closed: Closed): void;
}
