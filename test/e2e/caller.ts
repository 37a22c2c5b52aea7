import type { FlowDetail, FlowReportOptions, Session } from "../../client/duplex.ts";
import type { Flow } from "../../protocol/flow.ts";
import type { Transport } from "../../protocol/transport.ts";
import type { Browser, BrowserName, Page } from "./browsers.ts";

/** A page in a call through the SDK, and what the server and the browser say of it. */

declare global {
  interface Window {
    /** What a page of the tests keeps. */
    call: {
      session: Session;
      tracks: Map<string, { unpublish: () => void }>;
      problems: string[];
      glares: number;
      offersSent: number;
      /** Frames sent, by the type of their message. */
      sent: Record<string, number>;
      longestGapMs: number;
    };
  }
}

export interface RtpStats {
  readonly kind: string;
  readonly mid: string;
  readonly ssrc: number;
  readonly mimeType: string;
  readonly payloadType: number;
  readonly packets: number;
  readonly frames: number;
}

export interface PairStats {
  readonly local: { address: string; port: number; candidateType: string };
  readonly remote: { address: string; port: number; candidateType: string };
}

export interface CallStats {
  readonly state: string;
  readonly signalingState: string;
  readonly outbound: RtpStats[];
  readonly inbound: RtpStats[];
  readonly pair: PairStats | null;
}

/** An entry of getStats. */
export type RawStat = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly type: string;
};

export interface FlowsAnswer {
  readonly revision: number;
  readonly flows: Flow[];
  readonly transports: Transport[];
}

export interface Invitation {
  readonly peer: { readonly id: string };
  readonly token: string;
  readonly signalling: { readonly url: string };
}

export interface CallerOptions {
  readonly kinds?: string[];
  readonly relay?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly flowReports?: FlowReportOptions;
  readonly flowRecords?: FlowDetail;
  /** One that was used before: this page takes the peer over. */
  readonly invitation?: Invitation;
  /** Runs in the page before the SDK is loaded. */
  readonly prepare?: () => void;
}

const KEY = { authorization: "Bearer dev-key", "content-type": "application/json" };

/** A session made by the back end, as an application makes one. */
export class Backend {
  readonly baseUrl: string;
  readonly id: string;

  constructor(baseUrl: string, id: string) {
    this.baseUrl = baseUrl;
    this.id = id;
  }

  static async start(baseUrl: string, config: object = {}): Promise<Backend> {
    const response = await fetch(new URL("v1/sessions", baseUrl), {
      method: "POST",
      headers: KEY,
      body: JSON.stringify(config),
    });
    if (response.status !== 201) throw new Error(await response.text());
    return new Backend(baseUrl, ((await response.json()) as { id: string }).id);
  }

  async read<T>(path: string): Promise<T> {
    const url = new URL(`v1/sessions/${this.id}${path}`, this.baseUrl);
    const response = await fetch(url, { headers: KEY });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  }

  flows(query = ""): Promise<FlowsAnswer> {
    return this.read<FlowsAnswer>(`/flows${query}`);
  }

  /** The newest record of a flow. */
  async flow(id: string): Promise<Flow> {
    return this.read<Flow>(`/flows/${encodeURIComponent(id)}`);
  }

  /** Asks for a change of a flow as the application; gives the record as it is then. */
  async change(id: string, change: object): Promise<Flow> {
    const path = `v1/sessions/${this.id}/flows/${encodeURIComponent(id)}`;
    const response = await fetch(new URL(path, this.baseUrl), {
      method: "PATCH",
      headers: KEY,
      body: JSON.stringify(change),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Flow;
  }

  async invite(request: object = {}) {
    const url = new URL(`v1/sessions/${this.id}/peers`, this.baseUrl);
    const response = await fetch(url, {
      method: "POST",
      headers: KEY,
      body: JSON.stringify(request),
    });
    if (response.status !== 201) throw new Error(await response.text());
    return (await response.json()) as Invitation;
  }
}

export class Caller {
  readonly id: string;
  readonly token: string;
  readonly page: Page;
  readonly browser: BrowserName;

  constructor(id: string, token: string, page: Page) {
    this.id = id;
    this.token = token;
    this.page = page;
    this.browser = page.browser;
  }

  /** Opens a page, joins and publishes fake microphone and camera (or only some of them). */
  static async join(
    browser: Browser,
    backend: Backend,
    { kinds = ["audio", "video"], relay = false, ...options }: CallerOptions = {},
  ): Promise<Caller> {
    const { width = 320, height = 240, flowReports = {}, flowRecords = "brief", prepare } = options;
    const { peer, token, signalling } =
      options.invitation ?? (await backend.invite({ name: browser.name }));
    const page = await browser.open(new URL("docs", backend.baseUrl).href);
    if (prepare !== undefined) await page.evaluate(prepare, null);
    await page.evaluate(
      async ({ url, token: bearer, wanted, policy, picture, reports, records }) => {
        const state = {
          tracks: new Map<string, { unpublish: () => void }>(),
          problems: [] as string[],
          glares: 0,
          offersSent: 0,
          sent: {} as Record<string, number>,
          longestGapMs: 0,
        };
        const Native = WebSocket;
        // Counts what goes over the wire, without touching it.
        window.WebSocket = class extends Native {
          constructor(address: string | URL, protocols?: string | string[]) {
            super(address, protocols);
            this.addEventListener("message", ({ data }) => {
              if (String(data).includes('"code":"glare"')) state.glares += 1;
            });
          }
          override send(data: string): void {
            if (data.startsWith('{"type":"offer"') || data.includes('"type":"offer"')) {
              state.offersSent += 1;
            }
            const [, type = "none"] = /"type":"([\w-]+)"/.exec(data) ?? [];
            state.sent[type] = (state.sent[type] ?? 0) + 1;
            super.send(data);
          }
        };
        // A script element, because the test runner rewrites `import()` in what it sends to the page.
        const script = document.createElement("script");
        script.type = "module";
        script.textContent = 'import * as duplex from "/duplex.js"; window.duplexLoaded(duplex);';
        const { join } = await new Promise<typeof import("../../client/duplex.ts")>((resolve) => {
          Object.assign(window, { duplexLoaded: resolve });
          document.body.append(script);
        });
        const session = await join({
          url,
          token: bearer,
          iceTransportPolicy: policy,
          flowReports: reports,
          flowRecords: records,
        });
        window.call = { session, ...state } as Window["call"];
        Object.defineProperty(window.call, "glares", { get: () => state.glares });
        Object.defineProperty(window.call, "offersSent", { get: () => state.offersSent });
        session.on("problem", ({ error }) => state.problems.push(error.code));
        if (wanted.length > 0) {
          const stream = await navigator.mediaDevices.getUserMedia({
            audio: wanted.includes("audio"),
            video: wanted.includes("video") && picture,
          });
          for (const track of stream.getTracks()) {
            window.call.tracks.set(track.kind, session.publish(track, stream));
          }
        }
        // Received video is decoded only where something shows it.
        session.on("track", ({ track }) => {
          const element = document.createElement(track.kind === "video" ? "video" : "audio");
          element.autoplay = true;
          element.muted = true;
          element.srcObject = new MediaStream([track]);
          document.body.append(element);
        });
      },
      {
        url: signalling.url,
        token,
        wanted: kinds,
        policy: (relay ? "relay" : "all") as RTCIceTransportPolicy,
        picture: { width, height },
        reports: flowReports,
        records: flowRecords,
      },
    );
    return new Caller(peer.id, token, page);
  }

  /** What getStats says of the connection to a peer. */
  stats(peer: string): Promise<CallStats> {
    return this.page.evaluate(readStats, peer);
  }

  /** All entries of getStats of the connection to a peer, as they are. */
  rawStats(peer: string): Promise<RawStat[]> {
    return this.page.evaluate(async (id) => {
      const report = (await window.call.session.connection(id)?.getStats()) as unknown as Map<
        string,
        RawStat
      >;
      // Copied: what the browser gives cannot leave the page everywhere.
      return JSON.parse(JSON.stringify([...report.values()])) as RawStat[];
    }, peer);
  }

  /** Bits per second that a section sends, headers included, measured over a while. */
  async sendingBps(peer: string, mid: string, ms = 2000): Promise<number> {
    const sent = async () => {
      const own = (await this.rawStats(peer)).filter(
        (stat) => stat.type === "outbound-rtp" && stat.mid === mid,
      );
      const bytes = own.reduce(
        (sum, stat) => sum + Number(stat.bytesSent) + Number(stat.headerBytesSent),
        0,
      );
      return { bytes, at: Number(own[0]?.timestamp) };
    };
    const before = await sent();
    await new Promise((resolve) => setTimeout(resolve, ms));
    const after = await sent();
    return ((after.bytes - before.bytes) * 8000) / (after.at - before.at);
  }

  /** Waits until the picture and the sound of a peer have moved on twice. */
  async receives(peer: string, kinds: readonly string[] = ["audio", "video"]): Promise<CallStats> {
    const progress = (stats: CallStats, kind: string): number =>
      stats.inbound
        .filter((rtp) => rtp.kind === kind)
        .reduce((sum, rtp) => sum + (kind === "video" ? rtp.frames : rtp.packets), 0);
    await until(`${this.browser} connected to ${peer}`, async () => {
      const { state } = await this.stats(peer);
      return state === "connected";
    });
    const first = await this.stats(peer);
    let latest = first;
    await until(`${this.browser} decoding ${kinds} of ${peer}`, async () => {
      latest = await this.stats(peer);
      return kinds.every((kind) => progress(latest, kind) > progress(first, kind) + 5);
    });
    return latest;
  }

  /** Publishes another video track, drawn by a canvas. */
  async publishCanvas(name: string): Promise<void> {
    await this.page.evaluate((label) => {
      const canvas = document.createElement("canvas");
      canvas.width = 160;
      canvas.height = 120;
      const context = canvas.getContext("2d");
      let n = 0;
      setInterval(() => {
        n += 1;
        if (!context) return;
        context.fillStyle = `hsl(${(n * 7) % 360} 80% 50%)`;
        context.fillRect(0, 0, 160, 120);
      }, 40);
      const stream = canvas.captureStream(25);
      const [track] = stream.getVideoTracks();
      if (track) window.call.tracks.set(label, window.call.session.publish(track, stream));
    }, name);
  }

  async unpublish(name: string): Promise<void> {
    await this.page.evaluate((label) => {
      window.call.tracks.get(label)?.unpublish();
      window.call.tracks.delete(label);
    }, name);
  }

  close(): Promise<void> {
    return this.page.close();
  }
}

/** Runs in the page. */
async function readStats(peer: string): Promise<CallStats> {
  const connection = window.call?.session.connection(peer);
  const none = { state: "none", signalingState: "none", outbound: [], inbound: [], pair: null };
  if (!connection) return none;
  const report = (await connection.getStats()) as unknown as Map<string, Record<string, unknown>>;
  const all = [...report.values()];
  const rtp = (type: string, frames: string, packets: string): RtpStats[] =>
    all
      .filter((stat) => stat.type === type && Number(stat[packets] ?? 0) > 0)
      .map((stat) => {
        const codec = report.get(String(stat.codecId));
        return {
          kind: String(stat.kind),
          mid: String(stat.mid ?? ""),
          ssrc: Number(stat.ssrc),
          mimeType: String(codec?.mimeType ?? ""),
          payloadType: Number(codec?.payloadType ?? -1),
          packets: Number(stat[packets] ?? 0),
          frames: Number(stat[frames] ?? 0),
        };
      });
  const transport = all.find((stat) => stat.type === "transport");
  const selected =
    report.get(String(transport?.selectedCandidatePairId)) ??
    all.find((stat) => stat.type === "candidate-pair" && stat.selected === true) ??
    all.find(
      (stat) =>
        stat.type === "candidate-pair" && stat.nominated === true && stat.state === "succeeded",
    );
  const end = (id: unknown) => {
    const candidate = report.get(String(id));
    return {
      address: String(candidate?.address ?? ""),
      port: Number(candidate?.port ?? 0),
      candidateType: String(candidate?.candidateType ?? ""),
    };
  };
  return {
    state: connection.connectionState,
    signalingState: connection.signalingState,
    outbound: rtp("outbound-rtp", "framesEncoded", "packetsSent"),
    inbound: rtp("inbound-rtp", "framesDecoded", "packetsReceived"),
    pair: selected
      ? { local: end(selected.localCandidateId), remote: end(selected.remoteCandidateId) }
      : null,
  };
}

/** Polls until it holds; bounded, because a call that never comes must end a test by name. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  limitMs = 45_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      if (await holds()) return;
      last = undefined;
    } catch (fault) {
      last = fault;
    }
    if (Date.now() > end)
      throw new Error(`not in time: ${what}${last ? ` (${String(last)})` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
