import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { callJson } from "./live-session.ts";

/**
 * Stands in for a mobile network inside workerd, where the stateful mock of network-mock/ cannot run: CAMARA sessions, NEF
 * subscriptions, resources of an RTC AF that are there or not. The adapters meet the mock, whose answers are held against the
 * published files, in network-adapters.e2e.ts.
 */

export interface NetworkCall {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown> | undefined;
}

/** How a call goes: as it should; with this status and no effect; no connection; with its effect and no answer. */
export type Mood = "well" | number | "down" | "lost" | "silent";

const variables = env as unknown as Record<string, unknown>;

const HOST = "https://network.test";

export const NETWORKS = {
  qod: {
    name: "qod",
    api: "camara-qod",
    url: `${HOST}/qod`,
    withoutQos: { uplinkBps: 200_000 },
    qod: { durationSeconds: 3600, device: "phone-number", profile: "QOS_L" },
  },
  nef: {
    name: "nef",
    api: "nef",
    url: `${HOST}/nef`,
    nef: { scsAsId: "duplex", qosReference: "conv" },
  },
  af: {
    name: "af",
    api: "rtc-af",
    url: `${HOST}/af`,
    rtcAf: { provisioningSession: "duplex", policyTemplateId: "conv" },
  },
  /** For sessions of other keys, and of the key of these tests. */
  others: {
    name: "others",
    api: "camara-qod",
    url: `${HOST}/qod`,
    keys: ["another-key"],
    qod: { device: "phone-number", profile: "QOS_L" },
  },
  own: {
    name: "own",
    api: "camara-qod",
    url: `${HOST}/qod`,
    keys: ["test-key"],
    qod: { device: "phone-number", profile: "QOS_L" },
  },
} as const;

export class StandInNetwork {
  readonly resources = new Map<string, Record<string, unknown>>();
  readonly calls: NetworkCall[] = [];
  /** What became of sessions of CAMARA, by id; absent: nothing yet. */
  readonly statuses = new Map<string, string>();
  /** With a status other than that all is well. */
  retryAfterSeconds: number | undefined;
  /** Two sessions of one device and one server overlap, and the second is refused (409). */
  refusesOverlaps = false;
  /** What it is asked for is granted at once. */
  grants = false;
  mood: Mood = "well";
  /** What an RTC AF recommends for uplinks, bits per second, and while a boost runs. */
  recommends = { uplinkBps: 50_000, boostedBps: 3_000_000 };
  #isBoosted = false;
  #ids = 0;

  /** Gives the deployment these networks; whatever else is asked over the network fails the test. */
  configure(): void {
    variables.ASSISTANCE_NETWORKS = JSON.stringify(Object.values(NETWORKS));
    variables.ASSISTANCE_NOTIFY_URL = "https://duplex.test";
    vi.stubGlobal("fetch", (input: RequestInfo, init?: RequestInit) => {
      const request = new Request(input, init);
      if (!request.url.startsWith(HOST)) throw new Error(`[A5] asked ${request.url}`);
      return this.#answer(request, init?.signal);
    });
  }

  static forget(): void {
    delete variables.ASSISTANCE_NETWORKS;
    delete variables.ASSISTANCE_NOTIFY_URL;
    vi.unstubAllGlobals();
  }

  /** What was asked, without what only looks. */
  get asked(): string[] {
    return this.calls
      .filter(({ method, path }) => method !== "GET" && !path.endsWith("/retrieve-sessions"))
      .map(({ method, path }) => `${method} ${path.replace(/[\da-f-]{36}$/, "{id}")}`);
  }

  async #answer(request: Request, signal?: AbortSignal | null): Promise<Response> {
    const text = await request.text();
    const body = text === "" ? undefined : (JSON.parse(text) as Record<string, unknown>);
    const path = new URL(request.url).pathname;
    const { mood } = this;
    this.calls.push({ method: request.method, path, body });
    if (mood === "down") throw new TypeError("no connection");
    if (typeof mood === "number") return this.#refusal(mood);
    const answer = this.#act(request.method, path, body);
    if (mood === "lost") throw new TypeError("connection lost");
    // Each waits by itself: a promise of one object may not be settled by another.
    // Whoever asked may be gone, and with them the signal: a test that goes on ends the silence.
    while (this.mood === "silent" && !signal?.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return answer;
  }

  #act(method: string, path: string, body: Record<string, unknown> | undefined): Response {
    if (path.endsWith("/retrieve-sessions")) {
      return Response.json([...this.resources].map(([id, each]) => this.#sessionOf(id, each)));
    }
    if (path.endsWith("/recommendation")) return Response.json(this.#recommendation());
    if (path.endsWith("/boost")) {
      const success = !this.#isBoosted;
      this.#isBoosted = true;
      return Response.json({ success });
    }
    const id = /\/([\da-f-]{36})$/.exec(path)?.[1];
    if (id === undefined) {
      return method === "POST" ? this.#create(path, body ?? {}) : Response.json(this.#list());
    }
    const known = this.resources.get(id);
    if (!known) return Response.json({ status: 404, code: "NOT_FOUND" }, { status: 404 });
    if (method === "DELETE") {
      this.resources.delete(id);
      return new Response(null, { status: 204 });
    }
    if (method === "PUT") this.resources.set(id, body ?? {});
    const shown = path.startsWith("/qod") ? this.#sessionOf(id, known) : selfOf(id, body ?? known);
    return Response.json(shown);
  }

  #create(path: string, body: Record<string, unknown>): Response {
    const wayOf = ({ device, applicationServer }: Record<string, unknown>): string =>
      JSON.stringify([device, applicationServer]);
    const isTaken = [...this.resources.values()].some((each) => wayOf(each) === wayOf(body));
    if (this.refusesOverlaps && isTaken) return this.#refusal(409);
    this.#ids += 1;
    const id = `00000000-0000-4000-8000-${String(this.#ids).padStart(12, "0")}`;
    this.resources.set(id, body);
    const more = path.includes("/network-assistance-sessions")
      ? { recommendedQoS: this.#recommendation() }
      : {};
    const shown = path.startsWith("/qod")
      ? this.#sessionOf(id, body)
      : { ...selfOf(id, body), ...more };
    const headers = { location: `${HOST}${path.replace(/\/$/, "")}/${id}` };
    return Response.json(shown, { status: 201, headers });
  }

  #refusal(status: number): Response {
    const { retryAfterSeconds: pause } = this;
    const headers = pause === undefined ? {} : { "retry-after": String(pause) };
    return Response.json({ status, code: "X" }, { status, headers });
  }

  /** What a network of CAMARA says of its first session, at the address that it was given. */
  tell(qosStatus: string, more: object = {}, headers?: object): Promise<Response> {
    const [[id, body] = []] = [...this.resources];
    this.statuses.set(id ?? "", qosStatus);
    const { accessToken } = (body?.sinkCredential ?? {}) as { accessToken?: string };
    const event = {
      id: "e1",
      source: "https://network.test",
      specversion: "1.0",
      type: "org.camaraproject.quality-on-demand.v1.qos-status-changed",
      time: new Date(Date.now()).toISOString(),
      data: { sessionId: id, qosStatus, ...more },
    };
    return callJson(
      new URL(String(body?.sink)).pathname,
      "POST",
      event,
      headers ?? { authorization: `Bearer ${accessToken}` },
    );
  }

  #recommendation(): object {
    const { uplinkBps, boostedBps } = this.recommends;
    const rates = (bps: number) => ({
      maximumRequestedBitRate: `${bps} bps`,
      minimumDesiredBitRate: `${bps} bps`,
      minimumRequestedBitRate: `${bps} bps`,
    });
    return {
      uplinkBitRates: rates(this.#isBoosted ? boostedBps : uplinkBps),
      downlinkBitRates: rates(boostedBps),
    };
  }

  #sessionOf(id: string, body: object): object {
    return {
      ...body,
      sessionId: id,
      qosStatus: this.statuses.get(id) ?? (this.grants ? "AVAILABLE" : "REQUESTED"),
    };
  }

  #list(): object[] {
    return [...this.resources].map(([id, body]) => selfOf(id, body));
  }
}

const selfOf = (id: string, body: object) => ({
  ...body,
  self: `${HOST}/nef/duplex/subscriptions/${id}`,
});
