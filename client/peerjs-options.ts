import type { DataConnection } from "./peerjs-data.ts";
import type { PeerError } from "./peerjs-events.ts";
import type { MediaConnection } from "./peerjs-media.ts";

/** What the page's back end got from POST /v1/sessions/{id}/peers, or the part of it that is used. */
export interface Invitation {
  /** Of the peer. */
  readonly token: string;
  /** Where to use it. */
  readonly signalling: { readonly url: string };
}

/** By these PeerJS finds its server; they may stay, and nothing is made of them. */
type ServerOption =
  | "host"
  | "port"
  | "path"
  | "secure"
  | "key"
  | "token"
  | "pingInterval"
  | "referrerPolicy"
  | "debug"
  | "logFunction";

/** How a peer is made. What else PeerJS takes (`host`, `port`, `path`, `secure`, `key`, `debug` …) may stay and does nothing. */
export interface PeerOptions extends Readonly<Partial<Record<ServerOption, unknown>>> {
  /**
   * Asks the page's own back end for a token. `id` is the id that the page wants, if it wants one: the back end
   * gives it to the peer as its `name`, if it may have it.
   */
  readonly invite: (id: string | undefined) => Promise<Invitation>;
  /** Base of the configuration of connections; the session's ICE servers are used besides its own. */
  readonly config?: Omit<RTCConfiguration, "certificates">;
}

/** Events of a peer. */
export interface PeerEventMap {
  /** It is in the session; `id` is what others find it by. */
  open: [id: string];
  /** Another peer calls. */
  call: [call: MediaConnection];
  /** Another peer opened a data connection. */
  connection: [connection: DataConnection];
  /** It was destroyed. */
  close: [];
  /**
   * It takes and makes no calls until `reconnect`, also when a `reconnect` came to nothing. Short losses of the network
   * do not come to this.
   */
  disconnected: [id: string];
  /** `type` is one of `PeerErrorType`. */
  error: [error: PeerError];
}
