import { randomUUID } from "node:crypto";
import { burstsOf, callScript, type Part } from "./setup-descriptions.ts";
import type { SetUp } from "./setup-plan.ts";
import { type Counts, Wire } from "./setup-wire.ts";

/**
 * A call over an object that answers frames and forwards them unread: what the platform itself takes for two upgrades and
 * the frames of a call. Nobody is told who is there, nothing is kept or checked.
 */

const isOf = (type: string) => (text: string) => text.startsWith(`{"type":"${type}"`);

class Peer {
  readonly #wire: Wire;

  constructor(baseUrl: string, room: string, end: "a" | "b", counts: Counts) {
    const url = new URL(`${room}/${end}?ack`, baseUrl);
    url.protocol = "ws:";
    this.#wire = new Wire(url, counts);
  }

  opened(): Promise<void> {
    return this.#wire.opened();
  }

  describe(type: "offer" | "answer", { sdp }: Part): void {
    this.#wire.send(JSON.stringify({ type, sdp }));
  }

  trickle(candidates: Part["candidates"]): void {
    this.#wire.send(JSON.stringify({ type: "candidates", candidates }));
  }

  next(type: string): Promise<string> {
    return this.#wire.next(type, isOf(type));
  }

  close(): void {
    this.#wire.close();
  }
}

/** Nothing is to be made beforehand. */
export function prepareForwarding(baseUrl: string, counts: Counts): SetUp {
  const { offerer, answerer } = callScript();
  const room = randomUUID();
  const peers: Peer[] = [];
  const enter = async (end: "a" | "b"): Promise<Peer> => {
    const peer = new Peer(baseUrl, room, end, counts);
    peers.push(peer);
    await peer.opened();
    return peer;
  };
  const run = async (): Promise<void> => {
    const callee = await enter("a");
    const caller = await enter("b");
    caller.describe("offer", offerer);
    for (const burst of burstsOf(offerer)) caller.trickle(burst);
    await callee.next("offer");
    callee.describe("answer", answerer);
    for (const burst of burstsOf(answerer)) callee.trickle(burst);
    await caller.next("answer");
    for (const peer of [callee, caller]) {
      await peer.next("candidates");
      await peer.next("candidates");
    }
  };
  const close = async (): Promise<void> => {
    for (const peer of peers) peer.close();
  };
  return { run, close };
}
