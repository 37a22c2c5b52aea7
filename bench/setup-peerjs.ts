import { randomBytes } from "node:crypto";
import { callScript, type Part } from "./setup-descriptions.ts";
import type { SetUp } from "./setup-plan.ts";
import { type Counts, Wire } from "./setup-wire.ts";

/** A call by what the client of PeerJS sends (peerjs 1.5: lib/api.ts, lib/socket.ts, lib/negotiator.ts). */

const VERSION = "1.5.5";
const QUERY_OF_ID = `ts=${Date.now()}${Math.random()}&version=${VERSION}`;

const isOf = (type: string) => (text: string) => text.startsWith(`{"type":"${type}"`);

class PeerJsPeer {
  readonly id: string;
  readonly #wire: Wire;
  readonly #connection: string;

  private constructor(baseUrl: string, id: string, connection: string, counts: Counts) {
    this.id = id;
    this.#connection = connection;
    const token = randomBytes(8).toString("hex").slice(0, 11);
    const url = new URL(`peerjs?key=peerjs&id=${id}&token=${token}&version=${VERSION}`, baseUrl);
    url.protocol = "ws:";
    this.#wire = new Wire(url, counts);
  }

  static async open(baseUrl: string, connection: string, counts: Counts): Promise<PeerJsPeer> {
    const response = await fetch(new URL(`peerjs/id?${QUERY_OF_ID}`, baseUrl));
    const id = await response.text();
    counts.requests += 1;
    counts.receivedBytes += Buffer.byteLength(id);
    const peer = new PeerJsPeer(baseUrl, id, connection, counts);
    await peer.next("OPEN");
    return peer;
  }

  next(type: string): Promise<string> {
    return this.#wire.next(type, isOf(type));
  }

  describe(type: "offer" | "answer", sdp: string, to: PeerJsPeer): void {
    this.#send(type.toUpperCase(), { sdp: { type, sdp } }, to);
  }

  trickle({ candidates }: Part, to: PeerJsPeer): void {
    for (const candidate of candidates) this.#send("CANDIDATE", { candidate }, to);
  }

  async hears({ candidates }: Part): Promise<void> {
    for (const _each of candidates) await this.next("CANDIDATE");
  }

  close(): void {
    this.#wire.close();
  }

  #send(type: string, what: object, to: PeerJsPeer): void {
    const payload = { ...what, type: "media", connectionId: this.#connection };
    this.#wire.send(JSON.stringify({ type, payload, dst: to.id }));
  }
}

/** Nothing is to be made beforehand. */
export function preparePeerJs(baseUrl: string, counts: Counts): SetUp {
  const { offerer, answerer } = callScript();
  const connection = `mc_${randomBytes(8).toString("hex").slice(0, 11)}`;
  const peers: PeerJsPeer[] = [];
  const enter = async (): Promise<PeerJsPeer> => {
    const peer = await PeerJsPeer.open(baseUrl, connection, counts);
    peers.push(peer);
    return peer;
  };
  const run = async (): Promise<void> => {
    const callee = await enter();
    const caller = await enter();
    caller.describe("offer", offerer.sdp, callee);
    caller.trickle(offerer, callee);
    const answering = callee.next("OFFER").then(() => {
      callee.describe("answer", answerer.sdp, caller);
      callee.trickle(answerer, caller);
    });
    await Promise.all([
      answering,
      caller.next("ANSWER"),
      callee.hears(offerer),
      caller.hears(answerer),
    ]);
  };
  const close = async (): Promise<void> => {
    for (const peer of peers) peer.close();
  };
  return { run, close };
}
