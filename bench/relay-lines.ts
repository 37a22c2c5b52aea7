import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { LoadBackend } from "./load-call.ts";
import type { Invitation } from "./load-peer.ts";
import { type Dialect, type FrameKind, frameOf, numberOf } from "./relay-frames.ts";

/** Two peers of one room, session or server: one sends, the other gets. */

const WAIT_MS = 20_000;

export const sdpOfChromium = JSON.parse(
  readFileSync(
    fileURLToPath(
      new URL("../test/fixtures/sdp-corpus/chromium.trickle-no-candidates.json", import.meta.url),
    ),
    "utf8",
  ),
) as { readonly offer: string; readonly answer: string };

/** The description after an ICE restart: other credentials, the next version (RFC 8839 s4.4.1.1.1, RFC 3264 s8). */
export const restarted = (sdp: string, ufrag: string, restarts: number): string =>
  sdp
    .replaceAll(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${ufrag}`)
    .replaceAll(/a=ice-pwd:\S+/g, `a=ice-pwd:${randomBytes(18).toString("base64")}`)
    .replace(
      /^(o=- \d+) (\d+)/m,
      (_line, origin, version) => `${origin} ${Number(version) + restarts}`,
    );

export const newUfrag = (): string => randomBytes(3).toString("base64").replaceAll("=", "");

export function opened(url: string, subprotocols: string[] = []): WebSocket {
  // Without compression: it would measure zlib.
  return new WebSocket(url, subprotocols, { perMessageDeflate: false });
}

/** The next frame for which this holds; frames before it are let go. */
export function next(socket: WebSocket, holds: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      socket.off("message", take).off("close", closed);
    };
    const take = (data: unknown): void => {
      const text = String(data);
      if (text.startsWith(`{"type":"problem"`)) {
        closed(text);
        return;
      }
      if (!holds(text)) return;
      end();
      resolve(text);
    };
    const closed = (why: unknown): void => {
      end();
      reject(new Error(`no frame: ${why}`));
    };
    const timer = setTimeout(() => closed("late"), WAIT_MS);
    socket.on("message", take).on("close", closed);
  });
}

export const ofType = (type: string) => (text: string) => text.startsWith(`{"type":"${type}"`);

export class Line {
  readonly #dialect: Dialect;
  readonly #sender: WebSocket;
  readonly #receiver: WebSocket;
  readonly #to: string;
  readonly #from: string;
  #ufrag = newUfrag();
  #exchange = 0;
  #exchanges = 0;
  #requests = 0;
  onReceived: (n: number) => void = () => undefined;
  onAck: () => void = () => undefined;

  private constructor(
    dialect: Dialect,
    sender: { id: string; socket: WebSocket },
    receiver: { id: string; socket: WebSocket },
  ) {
    this.#dialect = dialect;
    this.#sender = sender.socket;
    this.#from = sender.id;
    this.#receiver = receiver.socket;
    this.#to = receiver.id;
    this.#receiver.on("message", (data) => this.#receive(String(data)));
    this.#sender.on("message", (data) => this.#hear(String(data)));
    for (const socket of [this.#sender, this.#receiver]) {
      socket.on("close", (code) => {
        throw new Error(`a socket closed with ${code}`);
      });
    }
  }

  /** Two peers in a session of their own. */
  static async ofDuplex(baseUrl: string, key: string): Promise<Line> {
    const backend = new LoadBackend(baseUrl, key);
    const session = await backend.session({});
    const join = async () => {
      const path = `v1/sessions/${session}/peers`;
      const { peer, token, signalling } = await backend.call<Invitation>("POST", path, 201, {});
      const socket = opened(signalling.url, ["duplex.v1", `bearer.${token}`]);
      await next(socket, ofType("welcome"));
      return { id: peer.id, socket };
    };
    return new Line("duplex", await join(), await join());
  }

  static async of(dialect: Dialect, baseUrl: string, room: string): Promise<Line> {
    const base = baseUrl.replace(/^http/, "ws");
    const join = async (end: string) => {
      const peer = `${room}${end}`;
      const url: Record<string, string> = {
        peerjs: `peerjs?key=peerjs&id=${peer}&token=${room}&version=1.5.5`,
        partyserver: `parties/party/${room}?_pk=${end}`,
        "plain-acking": `${room}/${end}?ack`,
      };
      const socket = opened(`${base}${url[dialect] ?? `${room}/${end}`}`);
      const open = new Promise((resolve, reject) => {
        socket.once("open", resolve).once("error", reject);
      });
      // It may come with the end of the handshake.
      await Promise.all([open, dialect === "peerjs" && next(socket, ofType("OPEN"))]);
      return { id: peer, socket };
    };
    return new Line(dialect, await join("a"), await join("b"));
  }

  /** Begins an exchange, with candidates of its own; only Duplex asks for that. */
  async renew(): Promise<void> {
    if (this.#dialect !== "duplex") return;
    this.#ufrag = newUfrag();
    this.#exchanges += 1;
    const offer = restarted(sdpOfChromium.offer, this.#ufrag, this.#exchanges);
    const offered = next(this.#receiver, ofType("offer"));
    this.#sender.send(JSON.stringify({ type: "offer", to: this.#to, sdp: offer }));
    this.#exchange = (JSON.parse(await offered) as { exchange: number }).exchange;
    const answer = restarted(sdpOfChromium.answer, newUfrag(), this.#exchanges);
    const answered = next(this.#sender, ofType("answer"));
    const exchange = this.#exchange;
    this.#receiver.send(JSON.stringify({ type: "answer", to: this.#from, exchange, sdp: answer }));
    await answered;
  }

  send(kind: FrameKind, n: number, ack: boolean): void {
    if (ack) this.#requests += 1;
    const id = ack ? this.#requests : undefined;
    const parts = { to: this.#to, n, ufrag: this.#ufrag, exchange: this.#exchange, id };
    this.#sender.send(frameOf(this.#dialect, kind, parts));
  }

  #receive(text: string): void {
    const n = numberOf(text);
    if (n === undefined) this.#answerProbe(this.#receiver, text);
    else this.onReceived(n);
  }

  #hear(text: string): void {
    if (ofType("ack")(text)) this.onAck();
    else if (ofType("problem")(text)) throw new Error(text);
    else this.#answerProbe(this.#sender, text);
  }

  #answerProbe(socket: WebSocket, text: string): void {
    if (!ofType("probe")(text)) return;
    const { n } = JSON.parse(text) as { n: number };
    socket.send(JSON.stringify({ type: "alive", n }));
  }
}
