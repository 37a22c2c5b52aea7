import { readFileSync } from "node:fs";
import { LoadBackend } from "../../bench/load-call.ts";
import { type Invitation, LoadPeer } from "../../bench/load-peer.ts";
import { newUfrag, sdpOfChromium } from "../../bench/relay-lines.ts";
import { describing } from "../../bench/scale-scene.ts";
import { connectedReport } from "../../bench/transport-report.ts";
import type { Flow } from "../../protocol/flow.ts";

/** Sessions whose peers are sockets without media: what pages show of many peers, and of what goes wrong. */

const NAMES = ["Ada", "Grace", "Lin", "Max", "Noor", "Ola", "Pia", "Raj", "Sam", "Tove"];

const MEASURE_MS = 1_000;

interface Link {
  readonly offerer: LoadPeer;
  readonly answerer: LoadPeer;
  readonly exchange: number;
}

const TYPES = {
  host: { priority: 2122260223, address: "10.0.0", related: "" },
  srflx: { priority: 1686052607, address: "203.0.113", related: " raddr 0.0.0.0 rport 0" },
} as const;

function candidates(ufrag: string, host: number, types: readonly (keyof typeof TYPES)[]) {
  return types.map((type) => {
    const { priority, address, related } = TYPES[type];
    const where = `${address}.${host} ${50_000 + host} typ ${type}${related}`;
    return {
      candidate: `candidate:1 1 udp ${priority} ${where} generation 0 ufrag ${ufrag}`,
      sdpMid: "0",
      sdpMLineIndex: 0,
      usernameFragment: ufrag,
    };
  });
}

export class StagedSession {
  readonly id: string;
  readonly #backend: LoadBackend;
  readonly #peers: LoadPeer[] = [];
  #measuring: NodeJS.Timeout | undefined;

  private constructor(id: string, backend: LoadBackend) {
    this.id = id;
    this.#backend = backend;
  }

  static async start(baseUrl: string, config: object = {}): Promise<StagedSession> {
    const backend = new LoadBackend(baseUrl, "dev-key");
    return new StagedSession(await backend.session(config), backend);
  }

  async #join(name: string): Promise<LoadPeer> {
    const path = `v1/sessions/${this.id}/peers`;
    const invitation = await this.#backend.call<Invitation>("POST", path, 201, { name });
    const peer = await LoadPeer.join(invitation);
    this.#peers.push(peer);
    return peer;
  }

  async #link(
    offerer: LoadPeer,
    answerer: LoadPeer,
    types: readonly (keyof typeof TYPES)[],
  ): Promise<Link> {
    const [ofOfferer, ofAnswerer] = [newUfrag(), newUfrag()];
    const sdp = describing(sdpOfChromium.offer)(ofOfferer, 0);
    const { exchange = 0 } = await offerer.request({ type: "offer", to: answerer.id, sdp });
    const answer = describing(sdpOfChromium.answer)(ofAnswerer, 0);
    await answerer.request({ type: "answer", to: offerer.id, exchange, sdp: answer });
    for (const [from, to, ufrag] of [
      [offerer, answerer, ofOfferer],
      [answerer, offerer, ofAnswerer],
    ] as const) {
      const found = candidates(ufrag, this.#peers.indexOf(from) + 1, types);
      const message = { type: "candidates", to: to.id, exchange, candidates: found } as const;
      await from.request({ ...message, complete: true });
    }
    return { offerer, answerer, exchange };
  }

  /** Ten peers, each connected with five others: 25 links of four flows. Their figures change each second. */
  async fill(): Promise<void> {
    for (const name of NAMES) await this.#join(name);
    const links: Link[] = [];
    for (const [index, offerer] of this.#peers.entries()) {
      for (const step of index < NAMES.length / 2 ? [1, 2, 5] : [1, 2]) {
        const answerer = this.#peers[(index + step) % NAMES.length];
        if (answerer) links.push(await this.#link(offerer, answerer, ["host", "srflx"]));
      }
    }
    for (const [n, { offerer, answerer }] of links.entries()) {
      await offerer.request(connectedReport(answerer.id, 50_001 + n));
      await answerer.request(connectedReport(offerer.id, 49_998 - n));
    }
    await this.#measure(0);
    let round = 0;
    this.#measuring = setInterval(() => {
      round += 1;
      // The session may be over by now.
      this.#measure(round).catch(() => undefined);
    }, MEASURE_MS);
  }

  /** Each sender tells the rates of its flows: an audio flow is thin, those of video differ. */
  async #measure(round: number): Promise<void> {
    const path = `v1/sessions/${this.id}/flows?state=active`;
    const { flows } = await this.#backend.call<{ flows: Flow[] }>("GET", path, 200);
    for (const [index, peer] of this.#peers.entries()) {
      const sent = flows.filter(({ from }) => from === peer.id);
      for (const to of new Set(sent.map((flow) => flow.to))) {
        const own = sent.filter((flow) => flow.to === to);
        peer.send({ type: "quality", to, flows: own.map((flow) => figures(flow, index, round)) });
      }
    }
  }

  /** Two peers, connected; gives their ids. */
  async connect(): Promise<readonly [string, string]> {
    const offerer = await this.#join("Ada");
    const answerer = await this.#join("Grace");
    await this.#link(offerer, answerer, ["host", "srflx"]);
    await offerer.request(connectedReport(answerer.id, 50_001));
    await answerer.request(connectedReport(offerer.id, 49_998));
    await this.#measure(0);
    return [offerer.id, answerer.id];
  }

  /** Two peers that agree and find no path: both are behind private addresses, and there is no relay. */
  async failOnPath(): Promise<void> {
    const offerer = await this.#join("Ada");
    const answerer = await this.#join("Grace");
    await this.#link(offerer, answerer, ["host"]);
    for (const state of ["checking", "failed"] as const) {
      await offerer.request({ type: "transport", to: answerer.id, state });
      await answerer.request({ type: "transport", to: offerer.id, state });
    }
    const third = await this.#join("Lin");
    const broken = readFileSync(new URL("../../web/check-example.sdp", import.meta.url), "utf8");
    await third.request({ type: "offer", to: offerer.id, sdp: broken }).catch(() => undefined);
  }

  close(): void {
    clearInterval(this.#measuring);
    for (const peer of this.#peers) peer.close();
  }
}

/** Peers differ by what their uplink has, and all go up and down. */
function figures({ id, kind }: Flow, index: number, round: number) {
  const share = (0.25 + index / NAMES.length) * (1 + Math.sin(round + index) / 5);
  const bitrateBps = Math.round((kind === "audio" ? 32_000 : 1_500_000) * share);
  return { flow: id, bitrateBps, packetsLost: index % 3, roundTripMs: 20 + ((round + index) % 7) };
}
