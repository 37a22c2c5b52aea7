import type {
  BackendDescription,
  LayerChoice,
  LocalTrack,
  MediaBackend,
  PlacedTrack,
  RemoteTrack,
  TrackResult,
  TrackStatus,
} from "./media-backend.ts";
import { FAULT, MediaBackendFault } from "./media-backend.ts";
import {
  ChangedTracks,
  NewSession,
  NewTracks,
  type RealtimeTrack,
  Renegotiated,
  SessionState,
} from "./realtime-answers.ts";
import { RealtimeHttp, type RealtimeSurroundings, TRACK_MAY_COME } from "./realtime-http.ts";

export interface CloudflareRealtimeConfig {
  readonly appId: string;
  readonly appSecret: string;
  /** For tests only. */
  readonly baseUrl?: string;
}

const BASE_URL = "https://rtc.live.cloudflare.com/v1";

/** A track that is not there any more needs no closing. */
const CLOSED_ALREADY = "close_track_error";

/** The Cloudflare Realtime SFU by its Connection API. Every session must have one object of this class at a time. */
export class CloudflareRealtime implements MediaBackend {
  readonly #http: RealtimeHttp;
  /** The newest call of each session: the next one waits for it. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(
    { appId, appSecret, baseUrl = BASE_URL }: CloudflareRealtimeConfig,
    around: RealtimeSurroundings = realSurroundings(),
  ) {
    this.#http = new RealtimeHttp(
      `${baseUrl}/apps/${encodeURIComponent(appId)}`,
      appSecret,
      around,
    );
  }

  async open({ iceLite }: { readonly iceLite: boolean }): Promise<string> {
    const { sessionId } = await this.#http.call({
      method: "POST",
      // The SFU must do the connectivity checks when the peer does none (RFC 8445 s2.7).
      path: `/sessions/new${iceLite ? "?thirdparty=true" : ""}`,
      answer: NewSession,
      // A session too many has no tracks, and expires.
      repeatable: true,
    });
    return sessionId;
  }

  publish(session: string, offer: string, tracks: readonly LocalTrack[]) {
    const sessionDescription = { type: "offer", sdp: offer };
    const local = tracks.map(({ mid, name }) => ({ location: "local", mid, trackName: name }));
    // An offer without a new track changes the others: the call has to have tracks, or to look for them itself.
    const wanted = tracks.length > 0 ? { tracks: local } : { autoDiscover: true };
    return this.#inTurn(session, async () => {
      const answered = await this.#newTracks(session, { sessionDescription, ...wanted });
      const answer = answered.sessionDescription;
      if (answer?.type !== "answer") throw somethingElse();
      return {
        answer: answer.sdp,
        tracks: tracks.map(({ mid }) =>
          resultOf(
            answered.tracks.find((track) => track.mid === mid),
            mid,
          ),
        ),
      };
    });
  }

  subscribe(session: string, wanted: readonly RemoteTrack[], offer?: string) {
    const tracks = wanted.map(remoteOf);
    const body = {
      tracks,
      ...(offer === undefined ? {} : { sessionDescription: { type: "offer", sdp: offer } }),
    };
    return this.#inTurn(session, async () => {
      const answered = await this.#newTracks(session, body);
      const results = wanted.map((track, at) => resultOf(placeOf(answered.tracks, track, at)));
      const description: BackendDescription | null | undefined = answered.sessionDescription;
      const added = results.some(({ fault }) => fault === undefined);
      if (added && description?.type !== (offer === undefined ? "offer" : "answer")) {
        throw somethingElse();
      }
      return { tracks: results, ...(description ? { description } : {}) };
    });
  }

  answer(session: string, sdp: string): Promise<void> {
    return this.#inTurn(session, async () => {
      await this.#http.call({
        method: "PUT",
        path: `${pathOf(session)}/renegotiate`,
        body: { sessionDescription: { type: "answer", sdp } },
        answer: Renegotiated,
        // An answer must not come twice: the second one belongs to no offer.
        repeatable: false,
      });
    });
  }

  update(session: string, tracks: readonly PlacedTrack[]): Promise<readonly TrackResult[]> {
    return this.#inTurn(session, async () => {
      const answered = await this.#http.call({
        method: "PUT",
        path: `${pathOf(session)}/tracks/update`,
        body: { tracks: tracks.map((track) => ({ ...remoteOf(track), mid: track.mid })) },
        answer: ChangedTracks,
        repeatable: true,
      });
      return tracks.map(({ mid }) =>
        resultOf(
          answered.tracks.find((track) => track.mid === mid),
          mid,
        ),
      );
    });
  }

  close(session: string, mids: readonly string[] | "all"): Promise<void> {
    return this.#inTurn(session, async () => {
      try {
        await this.#closeAll(session, mids === "all" ? await this.#activeMids(session) : mids);
      } catch (thrown) {
        const isGone = thrown instanceof MediaBackendFault && thrown.code === FAULT.gone;
        if (!isGone) throw thrown;
      }
    });
  }

  inspect(session: string): Promise<readonly TrackStatus[]> {
    return this.#inTurn(session, () => this.#tracksOf(session));
  }

  async #closeAll(session: string, mids: readonly string[]): Promise<void> {
    if (mids.length === 0) return;
    const { tracks } = await this.#http.call({
      method: "PUT",
      path: `${pathOf(session)}/tracks/close`,
      body: { tracks: mids.map((mid) => ({ mid })), force: true },
      answer: ChangedTracks,
      repeatable: true,
    });
    const ended = ({ mid, errorCode }: RealtimeTrack) =>
      mids.includes(mid ?? "") && (errorCode === undefined || errorCode === CLOSED_ALREADY);
    // What is not reported is not known to be closed.
    if (tracks.filter(ended).length < mids.length) {
      throw new MediaBackendFault("not-closed", "the SFU did not close all tracks", true);
    }
  }

  async #activeMids(session: string): Promise<string[]> {
    const tracks = await this.#tracksOf(session);
    return tracks.filter(({ active }) => active).map(({ mid }) => mid);
  }

  async #tracksOf(session: string): Promise<TrackStatus[]> {
    const { tracks } = await this.#http.call({
      method: "GET",
      path: pathOf(session),
      answer: SessionState,
      repeatable: true,
    });
    return tracks.flatMap(({ mid, location, status }) =>
      mid == null ? [] : [{ mid, location, active: status !== "inactive" }],
    );
  }

  #newTracks(session: string, body: object) {
    return this.#http.call({
      method: "POST",
      path: `${pathOf(session)}/tracks/new`,
      body,
      answer: NewTracks,
      repeatable: false,
    });
  }

  /** The API wants one mutation of a session at a time. */
  #inTurn<T>(session: string, call: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(session) ?? Promise.resolve();
    const turn = before.then(call, call);
    this.#turns.set(session, turn);
    const forget = () => {
      if (this.#turns.get(session) === turn) this.#turns.delete(session);
    };
    turn.then(forget, forget);
    return turn;
  }
}

const realSurroundings = (): RealtimeSurroundings => ({
  fetch: (url, init) => fetch(url, init),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
});

const pathOf = (session: string): string => `/sessions/${encodeURIComponent(session)}`;

const somethingElse = () =>
  new MediaBackendFault(FAULT.uncertain, "the SFU answered with another description");

const remoteOf = ({ session, name, layer }: RemoteTrack) => ({
  location: "remote",
  sessionId: session,
  trackName: name,
  ...(layer === undefined ? {} : { simulcast: simulcastOf(layer) }),
});

/** Rids that do not sort by quality would be swapped for worse ones, or better ones, at random. */
function simulcastOf({ rid, ranked }: LayerChoice) {
  const policy = ranked ? "asciibetical" : "none";
  return { preferredRid: rid, priorityOrdering: policy, ridNotAvailable: policy };
}

/** The entry of an answer that is about a wanted track: by name, else by its place. */
function placeOf(
  tracks: readonly RealtimeTrack[],
  { session, name }: RemoteTrack,
  at: number,
): RealtimeTrack | undefined {
  const named = tracks.filter(
    ({ trackName, sessionId }) => trackName === name && (sessionId ?? session) === session,
  );
  return named.length === 1 ? named[0] : tracks[at];
}

function resultOf(track: RealtimeTrack | undefined, known?: string): TrackResult {
  if (track === undefined) {
    const detail = "the SFU says nothing of the track";
    return {
      ...(known === undefined ? {} : { mid: known }),
      fault: { code: "unreported", detail, retryable: false },
    };
  }
  const mid = known ?? track.mid ?? undefined;
  const { errorCode } = track;
  const code = errorCode ?? (mid === undefined ? "unreported" : undefined);
  return {
    ...(mid === undefined ? {} : { mid }),
    ...(code === undefined
      ? {}
      : { fault: { code, detail: `the SFU says ${code}`, retryable: TRACK_MAY_COME.has(code) } }),
  };
}
