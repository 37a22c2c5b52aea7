import { randomBytes } from "node:crypto";
import type { Candidate } from "../protocol/message-parts.ts";
import { callScript, type Part } from "./setup-descriptions.ts";
import type { SetUp } from "./setup-plan.ts";
import { type Counts, Wire } from "./setup-wire.ts";

/**
 * A call as samples for Socket.IO make it: a room, and events that go to whoever else is in it. Over WebSocket from
 * the start, without the long-polling that clients begin with unless told otherwise: that would cost more.
 */

/** Engine.IO 4 and Socket.IO 5 on the wire: `2` is a ping, `3` its answer, `40` connects, `42` is an event. */
const PATH = "socket.io/?EIO=4&transport=websocket";

class SocketIoPeer {
  readonly #wire: Wire;
  readonly #room: string;

  private constructor(baseUrl: string, room: string, counts: Counts) {
    const url = new URL(PATH, baseUrl);
    url.protocol = "ws:";
    this.#room = room;
    this.#wire = new Wire(url, counts, [], (text) => (text === "2" ? "3" : undefined));
  }

  static async open(baseUrl: string, room: string, counts: Counts): Promise<SocketIoPeer> {
    const peer = new SocketIoPeer(baseUrl, room, counts);
    await peer.#wire.next("open", (text) => text.startsWith("0{"));
    peer.#wire.send("40");
    await peer.#wire.next("connect", (text) => text.startsWith("40{"));
    peer.#wire.send(`42${JSON.stringify(["join", room])}`);
    await peer.next("joined");
    return peer;
  }

  next(event: string): Promise<string> {
    return this.#wire.next(event, (text) => text.startsWith(`42["${event}"`));
  }

  describe(type: "offer" | "answer", sdp: string): void {
    this.#emit(type, { sdp: { type, sdp }, room: this.#room });
  }

  trickle({ candidates }: Part): void {
    for (const candidate of candidates) {
      this.#emit("candidate", { candidate: candidate satisfies Candidate, room: this.#room });
    }
  }

  async hears({ candidates }: Part): Promise<void> {
    for (const _each of candidates) await this.next("candidate");
  }

  close(): void {
    this.#wire.close();
  }

  #emit(event: string, body: object): void {
    this.#wire.send(`42${JSON.stringify([event, body])}`);
  }
}

/** Nothing is to be made beforehand. */
export function prepareSocketIo(baseUrl: string, counts: Counts): SetUp {
  const { offerer, answerer } = callScript();
  const room = randomBytes(8).toString("hex");
  const peers: SocketIoPeer[] = [];
  const enter = async (): Promise<SocketIoPeer> => {
    const peer = await SocketIoPeer.open(baseUrl, room, counts);
    peers.push(peer);
    return peer;
  };
  const run = async (): Promise<void> => {
    const callee = await enter();
    const caller = await enter();
    await callee.next("ready");
    caller.describe("offer", offerer.sdp);
    caller.trickle(offerer);
    const answering = callee.next("offer").then(() => {
      callee.describe("answer", answerer.sdp);
      callee.trickle(answerer);
    });
    await Promise.all([
      answering,
      caller.next("answer"),
      callee.hears(offerer),
      caller.hears(answerer),
    ]);
  };
  const close = async (): Promise<void> => {
    for (const peer of peers) peer.close();
  };
  return { run, close };
}
