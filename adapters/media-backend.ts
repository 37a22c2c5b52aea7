/**
 * The seam to a managed SFU: what `ManagedMediaServer` needs of one. An adapter to another SFU implements
 * `MediaBackend` and nothing else; docs/managed-sfu.md says how.
 *
 * A session of the back end is one WebRTC connection of one peer. All calls about one session must reach the SFU one
 * after the other, in the order in which they were made; calls about different sessions may overlap. Every call may
 * throw `MediaBackendFault`, and must end in a time of its own: nobody else stops it.
 */
export interface MediaBackend {
  /** Makes a session that has no connection yet. One that is never used must go away by itself. */
  open(options: { readonly iceLite: boolean }): Promise<string>;

  /**
   * The peer offers, the SFU answers with all its candidates. `tracks` are the m-sections that the peer sends on and
   * did not send on before; there may be none.
   */
  publish(
    session: string,
    offer: string,
    tracks: readonly LocalTrack[],
  ): Promise<{ readonly answer: string; readonly tracks: readonly TrackResult[] }>;

  /**
   * Lets the session receive tracks of others; results are in the order of `wanted`. Without an offer the SFU makes
   * one, whose answer has to be given to `answer` before any other call but `close`. With an offer of the peer it
   * answers. There is no description when nothing was added.
   */
  subscribe(
    session: string,
    wanted: readonly RemoteTrack[],
    offer?: string,
  ): Promise<{
    readonly description?: BackendDescription;
    readonly tracks: readonly TrackResult[];
  }>;

  /** The peer's answer to the offer that `subscribe` gave. */
  answer(session: string, sdp: string): Promise<void>;

  /** Gives m-sections that receive another source, or another layer of the same, without a new description. */
  update(session: string, tracks: readonly PlacedTrack[]): Promise<readonly TrackResult[]>;

  /**
   * Ends what the m-sections carry, in either direction and without a new description; `all`: whatever the session
   * has. Resolves when nothing of it is left; what is not there any more counts as ended.
   */
  close(session: string, mids: readonly string[] | "all"): Promise<void>;

  /** What the SFU says of the tracks of a session. */
  inspect(session: string): Promise<readonly TrackStatus[]>;
}

/** A track that the owner of the session sends: the name is chosen by the caller, unique in the session. */
export interface LocalTrack {
  readonly mid: string;
  readonly name: string;
}

/** A track of another session. */
export interface RemoteTrack {
  readonly session: string;
  readonly name: string;
  readonly layer?: LayerChoice;
}

export interface PlacedTrack extends RemoteTrack {
  readonly mid: string;
}

/** Which layer of a simulcast source to forward; `ranked`: the rids sort from best to worst. */
export interface LayerChoice {
  readonly rid: string;
  readonly ranked: boolean;
}

export interface BackendDescription {
  readonly type: "offer" | "answer";
  readonly sdp: string;
}

export interface TrackResult {
  readonly mid?: string;
  /** Absent when it worked. */
  readonly fault?: { readonly code: string; readonly detail: string; readonly retryable: boolean };
}

export interface TrackStatus {
  readonly mid: string;
  readonly location: "local" | "remote";
  readonly active: boolean;
}

/** Codes that mean something to `ManagedMediaServer`; adapters may have others. */
export const FAULT = {
  /** The session is not there any more: nothing can be done with it, or has to be. */
  gone: "session-gone",
  /** Nobody knows whether the call had an effect. */
  uncertain: "uncertain",
} as const;

/** The SFU did not do what it was asked. */
export class MediaBackendFault extends Error {
  override readonly name = "MediaBackendFault";
  readonly code: string;
  readonly detail: string;
  /** The same call may be made again later: this one had no effect. */
  readonly retryable: boolean;

  constructor(code: string, detail: string, retryable = false) {
    super(code);
    this.code = code;
    this.detail = detail;
    this.retryable = retryable;
  }
}
