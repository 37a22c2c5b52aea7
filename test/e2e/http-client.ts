import type { Browser, Page } from "./browsers.ts";
import { type Backend, until } from "./caller.ts";

/**
 * A page that publishes by WHIP or plays by WHEP with nothing but fetch and RTCPeerConnection, as RFC 9725 tells
 * clients to: it trickles, it restarts ICE, and it comes again when its media are gone.
 */

declare global {
  interface Window {
    http: {
      connection: RTCPeerConnection;
      /** Of the HTTP session now. */
      url: string;
      tag: string;
      /** Statuses of all POST and PATCH answers, in order. */
      statuses: number[];
      /** How many HTTP sessions there were. */
      sessions: number;
      restart(): Promise<number>;
      end(): Promise<number>;
    };
  }
}

export interface HttpClientOptions {
  readonly simulcast?: boolean;
  readonly query?: string;
  readonly width?: number;
  readonly height?: number;
  /** Uses nothing but relays, those that the answer's Link header names (RFC 9725 s4.6). */
  readonly relay?: boolean;
  /** What the token grants. */
  readonly grant?: object;
}

export interface InboundVideo {
  readonly framesDecoded: number;
  readonly frameWidth: number;
}

export class HttpClient {
  /** The peer of its token. */
  readonly id: string;
  readonly token: string;
  readonly page: Page;

  constructor(id: string, token: string, page: Page) {
    this.id = id;
    this.token = token;
    this.page = page;
  }

  static async open(
    browser: Browser,
    backend: Backend,
    door: "whip" | "whep",
    options: HttpClientOptions = {},
  ): Promise<HttpClient> {
    const { simulcast = false, query = "", width = 320, height = 240, relay = false } = options;
    const { grant = {} } = options;
    const { peer, token } = await backend.invite(grant);
    const page = await browser.open(new URL("docs", backend.baseUrl).href);
    const endpoint = new URL(`v1/sessions/${backend.id}/${door}${query}`, backend.baseUrl).href;
    await page.evaluate(run, { endpoint, token, door, simulcast, width, height, relay });
    return new HttpClient(peer.id, token, page);
  }

  state(): Promise<string> {
    return this.page.evaluate(() => window.http.connection?.connectionState ?? "none", null);
  }

  statuses(): Promise<number[]> {
    return this.page.evaluate(() => window.http.statuses, null);
  }

  sessions(): Promise<number> {
    return this.page.evaluate(() => window.http.sessions, null);
  }

  /** What comes in, by kind. */
  async received(): Promise<{ video: InboundVideo; audioPackets: number }> {
    return this.page.evaluate(async () => {
      const video = { framesDecoded: 0, frameWidth: 0 };
      let audioPackets = 0;
      const report = await window.http.connection?.getStats();
      report?.forEach((stat) => {
        if (stat.type !== "inbound-rtp") return;
        if (stat.kind === "video") {
          video.framesDecoded += stat.framesDecoded ?? 0;
          video.frameWidth = Math.max(video.frameWidth, stat.frameWidth ?? 0);
        } else audioPackets += stat.packetsReceived ?? 0;
      });
      return { video, audioPackets };
    }, null);
  }

  /** Waits until picture and sound move on. */
  async plays(limitMs?: number): Promise<InboundVideo> {
    let first = await this.received();
    let latest = first;
    await until(
      `${this.page.browser} ${this.id} plays`,
      async () => {
        latest = await this.received();
        // Another connection counts from zero.
        if (latest.video.framesDecoded < first.video.framesDecoded) first = latest;
        return (
          latest.video.framesDecoded > first.video.framesDecoded + 5 &&
          latest.audioPackets > first.audioPackets &&
          latest.video.frameWidth > 0
        );
      },
      limitMs,
    );
    return latest.video;
  }

  restart(): Promise<number> {
    return this.page.evaluate(() => window.http.restart(), null);
  }

  end(): Promise<number> {
    return this.page.evaluate(() => window.http.end(), null);
  }

  close(): Promise<void> {
    return this.page.close();
  }
}

interface Run {
  readonly endpoint: string;
  readonly token: string;
  readonly door: "whip" | "whep";
  readonly simulcast: boolean;
  readonly width: number;
  readonly height: number;
  readonly relay: boolean;
}

/** Runs in the page. */
async function run({ endpoint, token, door, simulcast, width, height, relay }: Run): Promise<void> {
  const authorization = `Bearer ${token}`;
  const stream =
    door === "whip"
      ? await navigator.mediaDevices.getUserMedia({ audio: true, video: { width, height } })
      : undefined;
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const state: Window["http"] = {
    connection: new RTCPeerConnection(),
    url: "",
    tag: "",
    statuses: [],
    sessions: 0,
    restart: async () => 0,
    end: async () => 0,
  };
  window.http = state;
  const element = document.createElement("video");
  element.autoplay = true;
  element.muted = true;
  document.body.append(element);

  const connect = async (): Promise<boolean> => {
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    state.connection.close();
    state.connection = connection;
    /** Of candidates that have nowhere to go before the answer, or before that to a restart. */
    let waiting: string[] | undefined = [];
    let url = "";
    let tag = "";
    const patch = (lines: readonly string[]) => {
      const { sdp = "" } = connection.localDescription ?? {};
      const [, ufrag = ""] = /^a=ice-ufrag:(.*)$/m.exec(sdp) ?? [];
      const [, pwd = ""] = /^a=ice-pwd:(.*)$/m.exec(sdp) ?? [];
      const [, mLine = ""] = /^(m=.*)$/m.exec(sdp) ?? [];
      const [, mid = ""] = /^(a=mid:.*)$/m.exec(sdp) ?? [];
      const head = [`a=ice-ufrag:${ufrag.trim()}`, `a=ice-pwd:${pwd.trim()}`];
      return fetch(url, {
        method: "PATCH",
        headers: {
          authorization,
          "content-type": "application/trickle-ice-sdpfrag",
          "if-match": tag,
        },
        body: [...head, mLine.trim(), mid.trim(), ...lines, ""].join("\r\n"),
      });
    };
    connection.onicecandidate = ({ candidate }) => {
      const line = candidate?.candidate ? `a=${candidate.candidate}` : "a=end-of-candidates";
      if (waiting) waiting.push(line);
      else void patch([line]).then(({ status }) => state.statuses.push(status));
    };
    if (stream) {
      for (const track of stream.getTracks()) {
        const layers = [
          { rid: "q", scaleResolutionDownBy: 4 },
          { rid: "h", scaleResolutionDownBy: 2 },
          { rid: "f" },
        ];
        const isLayered = simulcast && track.kind === "video";
        connection.addTransceiver(track, {
          direction: "sendonly",
          streams: [stream],
          ...(isLayered && { sendEncodings: layers }),
        });
      }
    } else {
      const incoming = new MediaStream();
      element.srcObject = incoming;
      connection.ontrack = ({ track }) => incoming.addTrack(track);
      for (const kind of ["audio", "video"])
        connection.addTransceiver(kind, { direction: "recvonly" });
    }
    const offer = await connection.createOffer();
    // Gathering begins with the local description, and is to use what the answer names.
    if (!relay) await connection.setLocalDescription(offer);
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { authorization, "content-type": "application/sdp" },
      body: connection.localDescription?.sdp ?? offer.sdp ?? "",
    });
    state.statuses.push(response.status);
    if (response.status !== 201) {
      await wait(1000 * Math.min(2, Number(response.headers.get("retry-after") ?? 1)));
      return false;
    }
    url = new URL(response.headers.get("location") ?? "", endpoint).href;
    tag = response.headers.get("etag") ?? "";
    if (relay) {
      const links = response.headers.get("link") ?? "";
      const iceServers = [
        ...links.matchAll(/<(turn:[^>]+)>[^<]*username="([^"]*)"; credential="([^"]*)"/g),
      ].map(([, urls = "", username = "", credential = ""]) => ({ urls, username, credential }));
      connection.setConfiguration({
        ...connection.getConfiguration(),
        iceServers,
        iceTransportPolicy: "relay",
      });
      await connection.setLocalDescription(offer);
    }
    await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
    const release = async () => {
      const lines = waiting ?? [];
      waiting = undefined;
      if (lines.length > 0) state.statuses.push((await patch(lines)).status);
    };
    await release();
    state.url = url;
    state.tag = tag;
    state.sessions += 1;
    state.restart = async () => {
      waiting = [];
      connection.restartIce();
      await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
      const answered = await patch([]);
      if (answered.status !== 200) return answered.status;
      tag = answered.headers.get("etag") ?? "";
      state.tag = tag;
      const fragment = await answered.text();
      const [, ufrag = ""] = /^a=ice-ufrag:(.*)$/m.exec(fragment) ?? [];
      const [, pwd = ""] = /^a=ice-pwd:(.*)$/m.exec(fragment) ?? [];
      const candidates = fragment.match(/^a=candidate:.*$/gm) ?? [];
      const former = connection.remoteDescription?.sdp ?? "";
      const [head = "", first = "", ...rest] = former
        .replace(/^a=(?:candidate|end-of-candidates).*\r\n/gm, "")
        .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${ufrag.trim()}`)
        .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${pwd.trim()}`)
        .split(/^(?=m=)/m);
      const lines = candidates.map((line) => `${line.trim()}\r\n`).join("");
      await connection.setRemoteDescription({
        type: "answer",
        sdp: [head, first + lines, ...rest].join(""),
      });
      await release();
      return 200;
    };
    state.end = async () => {
      state.sessions = -1;
      connection.close();
      return (await fetch(url, { method: "DELETE", headers: { authorization } })).status;
    };
    return true;
  };

  const live = async (): Promise<void> => {
    while (state.sessions >= 0) {
      const isOpen = await connect().catch(() => false);
      let downSince = 0;
      while (isOpen && state.sessions > 0) {
        await wait(250);
        const { connectionState } = state.connection;
        if (
          connectionState === "connected" ||
          connectionState === "connecting" ||
          connectionState === "new"
        )
          downSince = 0;
        else downSince ||= Date.now();
        if (connectionState === "failed" || (downSince > 0 && Date.now() - downSince > 3000)) break;
      }
      if (!isOpen) await wait(250);
    }
  };
  void live();
}
