import { offeredSections } from "../adapters/offered-media.ts";
import { readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import { sdpOf } from "./descriptions.ts";

/** Stands in for the Cloudflare Realtime SFU: its Connection API with its state, and what can go wrong with it. */

/** What fails with the next call whose path ends so. `effect`: the call did its work all the same. */
export type PlantedFault =
  | {
      readonly on: string;
      readonly kind: "status";
      readonly status: number;
      readonly code?: string;
    }
  | {
      readonly on: string;
      readonly kind: "no-answer" | "500" | "wrong-json";
      readonly effect: boolean;
    }
  | { readonly on: string; readonly kind: "track"; readonly code: string }
  | { readonly on: string; readonly kind: "busy"; readonly retryAfter?: string }
  | { readonly on: string; readonly kind: "slow"; readonly until: Promise<unknown> };

/** Says what is wrong with a body, by the schemas of realtime-api.json. */
export type BodyCheck = (operation: string, part: "request" | "answer", body: unknown) => string[];

export interface StandInTrack {
  readonly location: "local" | "remote";
  readonly mid: string;
  readonly kind: "audio" | "video";
  name: string;
  /** Of a remote track: whose it is. */
  source?: string;
  rid?: string;
  status: "active" | "inactive";
}

interface StandInSection {
  readonly mid: string;
  readonly kind: "audio" | "video" | "application";
  direction: "recvonly" | "sendonly" | "inactive";
  /** What the owner's newest description lets it be. */
  allows: { readonly sends: boolean; readonly receives: boolean };
}

export interface StandInSession {
  readonly id: string;
  readonly thirdparty: boolean;
  readonly tracks: Map<string, StandInTrack>;
  sections: StandInSection[];
  state: "stable" | "offered";
  version: number;
  busy: boolean;
  /** Descriptions of its owner, newest last. */
  readonly received: string[];
}

interface Call {
  readonly operation: string;
  readonly session: string | undefined;
  readonly body: unknown;
}

interface Track {
  location: string;
  mid?: string;
  trackName: string;
  sessionId: string;
  simulcast?: { preferredRid?: string };
}

interface Body {
  sessionDescription?: { type: string; sdp: string };
  tracks?: Track[];
  autoDiscover?: boolean;
}

const APP = "app/1";
const SECRET = "sfu-app-secret";

export const STAND_IN = { appId: APP, appSecret: SECRET, baseUrl: "https://sfu.test/v1" } as const;

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export class RealtimeStandIn {
  readonly sessions = new Map<string, StandInSession>();
  readonly calls: Call[] = [];
  /** What callers did that the published API does not allow. */
  readonly complaints: string[] = [];
  readonly faults: PlantedFault[] = [];
  readonly #check: BodyCheck;
  #ids = 0;

  constructor(check: BodyCheck) {
    this.#check = check;
  }

  plant(fault: PlantedFault): void {
    this.faults.push(fault);
  }

  /** Tracks that nobody has closed, as `session mid`. */
  active(): string[] {
    return [...this.sessions.values()].flatMap(({ id, tracks }) =>
      [...tracks.values()]
        .filter(({ status }) => status === "active")
        .map(({ mid }) => `${id} ${mid}`),
    );
  }

  /** The session expires, or its connection is closed. */
  drop(id: string): void {
    this.sessions.delete(id);
    this.#endPulls();
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname, searchParams } = new URL(url);
    const prefix = `/v1/apps/${encodeURIComponent(APP)}`;
    const [, name, id] =
      /^(\/sessions\/new|\/sessions\/([^/]+)(?:\/.+)?)$/.exec(pathname.slice(prefix.length)) ?? [];
    const path = name ?? "";
    const isNew = path === "/sessions/new";
    const operation = `${init.method} ${isNew ? path : path.replace(`/${id}`, "/{session}")}`;
    const body: unknown = init.body === undefined ? undefined : JSON.parse(String(init.body));
    this.calls.push({ operation, session: isNew ? undefined : id, body });
    if (!pathname.startsWith(prefix)) this.complaints.push(`another app: ${pathname}`);
    for (const each of this.#check(operation, "request", body)) {
      this.complaints.push(`${operation}: ${each}`);
    }
    const at = this.faults.findIndex(({ on }) => operation.endsWith(on));
    const fault = this.faults[at];
    if (fault) this.faults.splice(at, 1);
    if (new Headers(init.headers).get("authorization") !== `Bearer ${SECRET}`) {
      return refused(401, "unauthorized");
    }
    // Who is told that a session is gone must be able to believe it.
    if (fault?.kind === "status" && fault.status === 410) this.drop(id ?? "");
    return this.#answer(operation, fault, () =>
      isNew
        ? this.#newSession(searchParams.get("thirdparty") === "true")
        : this.#inSession(id ?? "", operation, (body ?? {}) as Body, fault),
    );
  };

  async #answer(
    operation: string,
    fault: PlantedFault | undefined,
    act: () => Promise<object>,
  ): Promise<Response> {
    if (fault?.kind === "status") return refused(fault.status, fault.code);
    if (fault?.kind === "busy") {
      const headers = fault.retryAfter === undefined ? {} : { "retry-after": fault.retryAfter };
      return Response.json({}, { status: 429, headers });
    }
    const isBroken =
      fault?.kind === "no-answer" || fault?.kind === "500" || fault?.kind === "wrong-json";
    if (isBroken && !fault.effect) return broken(fault.kind);
    try {
      const answer = await act();
      if (isBroken) return broken(fault.kind);
      for (const each of this.#check(operation, "answer", answer)) {
        this.complaints.push(`the stand-in answers ${operation}: ${each}`);
      }
      return Response.json(answer, { status: operation === "POST /sessions/new" ? 201 : 200 });
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      return refused(thrown.status, thrown.code);
    }
  }

  async #newSession(thirdparty: boolean): Promise<object> {
    this.#ids += 1;
    const id = `session${this.#ids}`;
    this.sessions.set(id, {
      id,
      thirdparty,
      tracks: new Map(),
      sections: [],
      state: "stable",
      version: 0,
      busy: false,
      received: [],
    });
    return { sessionId: id };
  }

  async #inSession(
    id: string,
    operation: string,
    body: Body,
    fault: PlantedFault | undefined,
  ): Promise<object> {
    const session = this.sessions.get(id);
    if (!session) throw new Refusal(410, "session_error");
    if (operation.startsWith("GET")) return { tracks: [...session.tracks.values()].map(shown) };
    if (session.busy) this.complaints.push(`${operation}: two mutations of ${id} at once`);
    session.busy = true;
    try {
      if (fault?.kind === "slow") await fault.until;
      // Calls of the real service take their time, too.
      await Promise.resolve();
      const code = fault?.kind === "track" ? fault.code : undefined;
      if (operation.endsWith("/tracks/new")) return this.#newTracks(session, body, code);
      if (operation.endsWith("/tracks/update")) return this.#update(session, body, code);
      if (operation.endsWith("/tracks/close")) return this.#close(session, body, code);
      return this.#renegotiate(session, body);
    } finally {
      session.busy = false;
    }
  }

  #newTracks(session: StandInSession, body: Body, code: string | undefined): object {
    if (session.state === "offered") throw new Refusal(406, "invalid_session_description");
    const { sessionDescription, tracks = [] } = body;
    if (sessionDescription) takeOffer(session, sessionDescription.sdp);
    const isPull = tracks.some(({ location }) => location === "remote");
    const results = isPull
      ? tracks.map((track) => this.#pull(session, track, sessionDescription !== undefined, code))
      : tracks.map((track) => push(session, track, code));
    const added = results.some((result) => !("errorCode" in result));
    if (!sessionDescription && !added) {
      return { requiresImmediateRenegotiation: false, tracks: results };
    }
    session.version += 1;
    session.state = sessionDescription ? "stable" : "offered";
    return {
      requiresImmediateRenegotiation: session.state === "offered",
      sessionDescription: describe(session, sessionDescription ? "answer" : "offer"),
      tracks: results,
    };
  }

  #pull(session: StandInSession, track: Track, answers: boolean, code: string | undefined): object {
    const named = { trackName: track.trackName, sessionId: track.sessionId };
    const source = this.#source(track);
    if (code !== undefined || !source)
      return { ...named, ...errorOf(code ?? "not_found_track_error") };
    const free = session.sections.find(
      ({ mid, kind, direction }) =>
        kind === source.kind && direction === "inactive" && !session.tracks.has(mid),
    );
    if (answers && !free) return { ...named, ...errorOf("invalid_params") };
    const section = free ?? {
      mid: freeMid(session),
      kind: source.kind,
      direction: "sendonly",
      allows: ANY,
    };
    if (!free) session.sections.push(section);
    section.direction = "sendonly";
    const { mid } = section;
    session.tracks.set(mid, remoteOf(mid, source.kind, track));
    return { ...named, mid, ...(track.simulcast ? { simulcast: track.simulcast } : {}) };
  }

  #source({ sessionId, trackName }: Track): StandInTrack | undefined {
    const tracks = [...(this.sessions.get(sessionId)?.tracks.values() ?? [])];
    return tracks.find(
      ({ location, name, status }) =>
        location === "local" && name === trackName && status === "active",
    );
  }

  #update(session: StandInSession, { tracks = [] }: Body, code: string | undefined): object {
    const results = tracks.map((track) => {
      const mid = track.mid ?? "";
      const source = this.#source(track);
      const known = session.tracks.get(mid);
      const wrong = known?.location === "remote" ? undefined : "update_track_error";
      const error = code ?? wrong ?? (source ? undefined : "not_found_track_error");
      if (error !== undefined || !source) return { mid, ...errorOf(error ?? "") };
      session.tracks.set(mid, remoteOf(mid, source.kind, track));
      return { mid, trackName: track.trackName, sessionId: track.sessionId };
    });
    return { requiresImmediateRenegotiation: false, tracks: results };
  }

  #close(session: StandInSession, { tracks = [] }: Body, code: string | undefined): object {
    const results = tracks.map(({ mid = "" }) => {
      const known = session.tracks.get(mid);
      if (code !== undefined) return { mid, ...errorOf(code) };
      if (!known || known.status === "inactive") return { mid, ...errorOf("close_track_error") };
      known.status = "inactive";
      return { mid };
    });
    this.#endPulls();
    return { requiresImmediateRenegotiation: false, tracks: results };
  }

  #renegotiate(session: StandInSession, { sessionDescription }: Body): object {
    const sdp = sessionDescription?.sdp ?? "";
    const description = readDescription(sdp);
    const fits = !isFinding(description) && description.sections.length === session.sections.length;
    if (session.state !== "offered" || !fits) throw new Refusal(406, "invalid_session_description");
    session.state = "stable";
    session.received.push(sdp);
    return {};
  }

  /** What nobody sends any more is of no use to who receives it, and costs nothing. */
  #endPulls(): void {
    for (const { tracks } of this.sessions.values()) {
      for (const track of tracks.values()) {
        const { location, source = "", name } = track;
        if (location === "local") continue;
        if (!this.#source({ location, sessionId: source, trackName: name }))
          track.status = "inactive";
      }
    }
  }
}

function takeOffer(session: StandInSession, sdp: string): void {
  const description = readDescription(sdp);
  const live = offeredSections(sdp);
  if (isFinding(description) || !live) throw new Refusal(406, "invalid_session_description");
  session.received.push(sdp);
  session.sections = description.sections.map(({ mid = "", kind }) => {
    const known = session.sections.find((section) => section.mid === mid);
    const { sends = false, receives = false } = live.find((each) => each.mid === mid) ?? {};
    const allows = { sends, receives };
    if (known) return { ...known, allows };
    return { mid, kind: kind as StandInSection["kind"], direction: "inactive", allows };
  });
}

function push(session: StandInSession, track: Track, code: string | undefined): object {
  const { mid = "", trackName } = track;
  const section = session.sections.find((each) => each.mid === mid);
  if (code !== undefined || !section || section.kind === "application") {
    return { mid, trackName, ...errorOf(code ?? "invalid_params") };
  }
  section.direction = "recvonly";
  const { kind } = section;
  session.tracks.set(mid, { location: "local", mid, kind, name: trackName, status: "active" });
  return { mid, trackName };
}

const remoteOf = (mid: string, kind: StandInTrack["kind"], track: Track): StandInTrack => ({
  location: "remote",
  mid,
  kind,
  name: track.trackName,
  source: track.sessionId,
  ...(track.simulcast?.preferredRid === undefined ? {} : { rid: track.simulcast.preferredRid }),
  status: "active",
});

const shown = ({ location, mid, name, source, status }: StandInTrack) => ({
  location,
  mid,
  trackName: name,
  status,
  ...(source === undefined ? {} : { sessionId: source }),
});

const freeMid = ({ sections }: StandInSession): string => {
  let mid = sections.length;
  while (sections.some((section) => section.mid === String(mid))) mid += 1;
  return String(mid);
};

const ANY = { sends: true, receives: true } as const;

/** The lines of simulcast in one section (RFC 8853). */
export function withSimulcast(
  sdp: string,
  mid: string,
  direction: "send" | "recv",
  rids: readonly string[],
): string {
  const lines = [
    ...rids.map((rid) => `a=rid:${rid} ${direction}\r\n`),
    `a=simulcast:${direction} ${rids.join(";")}\r\n`,
  ];
  return sdp.replace(`a=mid:${mid}\r\n`, (line) => line + lines.join(""));
}

/** Takes each layer that the owner has offered. */
function describe(session: StandInSession, type: "offer" | "answer") {
  const [, mid = "", list = ""] =
    /a=mid:(\S+)\r\n(?:a=rid:\S+ send\r\n)+a=simulcast:send (\S+)/.exec(
      session.received.at(-1) ?? "",
    ) ?? [];
  const { sdp } = plainly(session, type);
  const answer = type === "answer" && list !== "";
  return { type, sdp: answer ? withSimulcast(sdp, mid, "recv", list.split(";")) : sdp };
}

const plainly = (session: StandInSession, type: "offer" | "answer") => ({
  sdp: sdpOf({
    of: session.id,
    version: session.version,
    setup: type === "offer" ? "actpass" : "passive",
    sections: session.sections.map(({ mid, kind, direction, allows }) => {
      const { sends, receives } = type === "offer" ? ANY : allows;
      const isOff = direction === "sendonly" ? !receives : !sends;
      return { mid, kind, direction: isOff ? "inactive" : direction };
    }),
  }),
});

const errorOf = (code: string) => ({
  errorCode: code,
  errorDescription: `${code} of the stand-in`,
});

const refused = (status: number, code?: string): Response =>
  Response.json(code === undefined ? {} : errorOf(code), { status });

function broken(kind: "no-answer" | "500" | "wrong-json"): Response {
  if (kind === "no-answer") throw new TypeError("connection lost");
  if (kind === "500") return new Response("<html>", { status: 500 });
  return Response.json({ session: 7, tracks: "none" });
}
