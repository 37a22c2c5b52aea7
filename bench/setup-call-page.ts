/** What a page of the call bench can do, and what it tells of a call. Times are milliseconds since 1970. */

export interface Mark {
  readonly what: string;
  readonly at: number;
}

export interface Counted {
  readonly type: string;
  readonly bytes: number;
  readonly at: number;
}

/** One end of a call. */
export interface CallEnd {
  readonly marks: Mark[];
  /** When the connection was `connected`. */
  connectedAt: number;
  readonly sent: Counted[];
  readonly received: Counted[];
  /** HTTP requests, upgrades too. */
  requests: number;
}

export interface CallPage {
  /** Takes microphone and camera. */
  prepare(): Promise<void>;
  /** Resolves when joined. */
  duplex(given: { url: string; token: string }): Promise<void>;
  /** The page asks for its token itself, as a page without a back end of its own would. */
  duplexWithInvitation(given: { sessionUrl: string; key: string }): Promise<void>;
  /** Without `id` the client asks the server for one; calls `callee`, or waits for a call. */
  peerJs(given: {
    base: string;
    iceServers: RTCIceServer[];
    id: string | null;
    callee: string | null;
  }): Promise<string>;
  /** Waits until this end is connected. */
  end(limitMs: number): Promise<CallEnd>;
  /** What is known by now. */
  read(): CallEnd;
  hangUp(): void;
}
