/** An endpoint of SWAP as a peer of a session (TS 26.113 clause 13.2). */
export interface Endpoint {
  /** Name of the realm that has its socket. */
  readonly realm: string;
  /** As it names itself in its messages. */
  readonly source: string;
}

/** A description that is held for an endpoint. */
export interface Unsent {
  /** The peer that it is for. */
  readonly to: string;
  readonly exchange: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}
