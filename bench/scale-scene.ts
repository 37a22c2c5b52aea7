import { randomBytes, randomUUID } from "node:crypto";
import type { WebSocket } from "ws";
import { LoadBackend } from "./load-call.ts";
import type { Invitation } from "./load-peer.ts";
import { type FrameKind, frameOf, numberOf } from "./relay-frames.ts";
import { newUfrag, next, ofType, opened, restarted, sdpOfChromium } from "./relay-lines.ts";
import { KEYS } from "./worker-bundle.ts";

/** Sessions full of peers, for bench/scale-generator.ts. */

export interface ScenePlan {
  readonly baseUrl: string;
  /** `plain` is the bare object: what comes in at one end goes out at the other. */
  readonly dialect: "duplex" | "plain";
  readonly topology: "mesh" | "central";
  readonly sessions: number;
  /** Per session; a central one has a media server besides. */
  readonly peers: number;
  /** Every link has its offer and its answer from the start. */
  readonly isNegotiated: boolean;
}

const AT_ONCE = 8;

type Described = (ufrag: string, restarts: number) => string;

const hex = (byte: number): string => byte.toString(16).padStart(2, "0").toUpperCase();

/** Descriptions of one end of one connection: its certificate, CNAME, sources and streams are its own. */
export function describing(sdp: string): Described {
  const fingerprint = [...randomBytes(32)].map(hex).join(":");
  const cname = randomBytes(12).toString("base64");
  const own = new Map<string, string>();
  const ownOf = (name: string, make: () => string): string => {
    const known = own.get(name) ?? make();
    own.set(name, known);
    return known;
  };
  const text = sdp
    .replaceAll(/a=fingerprint:sha-256 \S+/g, `a=fingerprint:sha-256 ${fingerprint}`)
    .replaceAll(/cname:\S+/g, `cname:${cname}`)
    .replaceAll(/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g, (id) => ownOf(id, randomUUID))
    .replaceAll(
      /(a=ssrc(?:-group:FID)?[: ])(\d+)(?: (\d+))?/g,
      (_all, name, ...ssrcs) =>
        name +
        ssrcs
          .slice(0, 2)
          .flatMap((ssrc) => (ssrc === undefined ? [] : [ownOf(ssrc, newSsrc)]))
          .join(" "),
    )
    .replace(/^o=- \d+/m, `o=- ${randomBytes(6).readUIntBE(0, 6)}`);
  return (ufrag, restarts) => restarted(text, ufrag, restarts);
}

const newSsrc = (): string => String(randomBytes(4).readUInt32BE() || 1);

interface End {
  readonly id: string;
  readonly socket: WebSocket;
}

/** Two peers of a session, one of which sends. */
export class Pair {
  readonly #dialect: ScenePlan["dialect"];
  readonly #from: End;
  readonly #to: End;
  readonly #offer = describing(sdpOfChromium.offer);
  readonly #answer = describing(sdpOfChromium.answer);
  #ufrag = newUfrag();
  #exchange = 0;
  #exchanges = 0;

  constructor(dialect: ScenePlan["dialect"], from: End, to: End) {
    this.#dialect = dialect;
    this.#from = from;
    this.#to = to;
  }

  send(kind: FrameKind, n: number): void {
    const parts = { to: this.#to.id, n, ufrag: this.#ufrag, exchange: this.#exchange };
    this.#from.socket.send(frameOf(this.#dialect, kind, parts));
  }

  /** Offer and answer, with credentials of their own: candidates come anew. */
  async renew(): Promise<void> {
    this.#ufrag = newUfrag();
    this.#exchanges += 1;
    const offer = this.#offer(this.#ufrag, this.#exchanges);
    const offered = next(this.#to.socket, ofType("offer"));
    this.#from.socket.send(JSON.stringify({ type: "offer", to: this.#to.id, sdp: offer }));
    this.#exchange = (JSON.parse(await offered) as { exchange: number }).exchange;
    const sdp = this.#answer(newUfrag(), this.#exchanges);
    const answered = next(this.#from.socket, ofType("answer"));
    const answer = { type: "answer", to: this.#from.id, exchange: this.#exchange, sdp };
    this.#to.socket.send(JSON.stringify(answer));
    await answered;
  }
}

/** Some sessions, and the pairs of each; `received` is told the number of each frame that came through. */
export class Scene {
  readonly #plan: ScenePlan;
  readonly #received: (n: number) => void;
  readonly sessions: (readonly Pair[])[] = [];

  private constructor(plan: ScenePlan, received: (n: number) => void) {
    this.#plan = plan;
    this.#received = received;
  }

  static async of(plan: ScenePlan, received: (n: number) => void): Promise<Scene> {
    const scene = new Scene(plan, received);
    let begun = 0;
    const worker = async (): Promise<void> => {
      while (begun < plan.sessions) await scene.#add(begun++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return scene;
  }

  async #add(n: number): Promise<void> {
    const { dialect, isNegotiated } = this.#plan;
    const links = dialect === "plain" ? await this.#plainLinks(n) : await this.#links(n);
    const pairs = links.map(([from, to]) => new Pair(dialect, from, to));
    if (isNegotiated) for (const pair of pairs) await pair.renew();
    this.sessions.push(pairs);
  }

  async #plainLinks(n: number): Promise<(readonly [End, End])[]> {
    const base = this.#plan.baseUrl.replace(/^http/, "ws");
    const join = async (end: string): Promise<End> => {
      const socket = opened(`${base}scale${process.pid}x${n}/${end}`);
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      return { id: `peer-${end}`, socket: this.#watched(socket) };
    };
    return [[await join("a"), await join("b")]];
  }

  async #links(n: number): Promise<(readonly [End, End])[]> {
    const { baseUrl, topology, peers } = this.#plan;
    const backend = new LoadBackend(baseUrl, KEYS[n % KEYS.length] ?? "");
    const session = await backend.session({ topology, maxPeers: peers + 1 });
    const join = async (role: string): Promise<End> => {
      const path = `v1/sessions/${session}/peers`;
      const { peer, token, signalling } = await backend.call<Invitation>("POST", path, 201, {
        role,
      });
      const socket = opened(signalling.url, ["duplex.v1", `bearer.${token}`]);
      await next(socket, ofType("welcome"));
      return { id: peer.id, socket: this.#watched(socket) };
    };
    const server = topology === "central" ? await join("media-server") : undefined;
    const ends: End[] = [];
    for (let peer = 0; peer < peers; peer++) ends.push(await join("peer"));
    return ends.flatMap((one, index) =>
      (server ? [server] : ends.slice(0, index)).map((other) => [one, other] as const),
    );
  }

  /** Frames are counted, probes answered; whatever else comes is of no interest, but for the end. */
  #watched(socket: WebSocket): WebSocket {
    // Each exchange waits for its frames on the same socket.
    socket.setMaxListeners(0);
    socket.on("message", (data) => {
      const text = String(data);
      const n = numberOf(text);
      if (n !== undefined) this.#received(n);
      else if (ofType("probe")(text)) {
        socket.send(JSON.stringify({ type: "alive", n: (JSON.parse(text) as { n: number }).n }));
      } else if (ofType("problem")(text)) throw new Error(text);
    });
    socket.on("close", (code) => {
      throw new Error(`a socket closed with ${code}`);
    });
    return socket;
  }
}
