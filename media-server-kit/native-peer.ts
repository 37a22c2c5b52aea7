import { MediaStreamTrack } from "werift";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import type { CentralSession, Invitation } from "./application.ts";
import { Connection } from "./connection.ts";
import { within } from "./judgement.ts";

type Sent = FromPeer extends infer M ? (M extends unknown ? Omit<M, "id"> : never) : never;
type Ack = Extract<ToPeer, { type: "ack" }>;
type Problem = Extract<ToPeer, { type: "problem" }>;

const REPLY_MS = 10_000;

/** A peer of the native protocol: it answers the media server's offers, and offers sound of its own. */
export class NativePeer {
  readonly id: string;
  readonly connection = new Connection();
  readonly #socket: WebSocket;
  readonly #replies = new Map<number, Ack | Problem>();
  readonly #server: string;
  #welcomed = false;
  #nextId = 1;
  #chain: Promise<void> = Promise.resolve();
  /** Answered offers of the media server, and answers of it. */
  answered = 0;
  published = 0;
  #offering = false;

  private constructor(id: string, server: string, socket: WebSocket) {
    this.id = id;
    this.#server = server;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#read(JSON.parse(String(data))));
  }

  static async start(session: CentralSession, mediaServer: string): Promise<NativePeer> {
    const { peer, token, signalling }: Invitation = await session.invite({});
    const url = new URL(signalling.url);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, ["duplex.v1", `bearer.${token}`]);
    const native = new NativePeer(peer.id, mediaServer, socket);
    await within(REPLY_MS, "the native peer to be let in", () => native.#welcomed || undefined);
    return native;
  }

  /** Offers a section of sound; settles once the server has taken the offer. */
  async publishSound(): Promise<void> {
    const { pc } = this.connection;
    this.#offering = true;
    pc.addTransceiver(new MediaStreamTrack({ kind: "audio" }), { direction: "sendonly" });
    await pc.setLocalDescription(await pc.createOffer());
    const id = this.#send({ type: "offer", to: this.#server, sdp: this.connection.localSdp });
    const reply = await within(REPLY_MS, "a reply to the native peer's offer", () =>
      this.#replies.get(id),
    );
    if (reply.type === "problem") throw new Error(`offer of the native peer: ${reply.detail}`);
    if (reply.exchange !== undefined) this.#complete(reply.exchange);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.connection.close();
  }

  #read(message: ToPeer): void {
    switch (message.type) {
      case "welcome":
        this.#welcomed = true;
        return;
      case "probe":
        this.#send({ type: "alive", n: message.n });
        return;
      case "ack":
      case "problem":
        if (message.re !== undefined) this.#replies.set(message.re, message);
        return;
      case "offer":
        this.#add(() => this.#answer(message.exchange, message.sdp));
        return;
      case "answer":
        this.#add(() => this.#accept(message.sdp));
        return;
      case "candidates":
        this.#add(async () => {
          for (const candidate of message.candidates) {
            if (candidate.candidate === "") continue;
            const { sdpMid, sdpMLineIndex } = candidate;
            await this.connection.pc
              .addIceCandidate({
                candidate: candidate.candidate,
                ...(sdpMid ? { sdpMid } : { sdpMLineIndex: sdpMLineIndex ?? 0 }),
              })
              .catch(() => {});
          }
        });
        return;
      default:
      // The rest is for applications.
    }
  }

  async #answer(exchange: number, sdp: string): Promise<void> {
    if (this.#offering) return;
    const { pc } = this.connection;
    await pc.setRemoteDescription({ type: "offer", sdp });
    await pc.setLocalDescription(await pc.createAnswer());
    this.connection.agreed();
    this.#send({ type: "answer", to: this.#server, exchange, sdp: this.connection.localSdp });
    this.#complete(exchange);
    this.answered += 1;
  }

  async #accept(sdp: string): Promise<void> {
    this.#offering = false;
    await this.connection.pc.setRemoteDescription({ type: "answer", sdp });
    this.connection.agreed();
    this.published += 1;
  }

  // The descriptions have all of them already.
  #complete(exchange: number): void {
    this.#send({ type: "candidates", to: this.#server, exchange, candidates: [], complete: true });
  }

  #send(message: Sent): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#socket.send(JSON.stringify({ ...message, id }));
    return id;
  }

  #add(step: () => Promise<void>): void {
    this.#chain = this.#chain.then(step).catch(() => {});
  }
}
