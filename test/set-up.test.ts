import { reset } from "cloudflare:test";
import { afterEach, expect, it } from "vitest";
import type { Candidate } from "../protocol/message-parts.ts";
import { pairOf } from "./flow-call.ts";
import { type LivePeer, LiveSession } from "./live-session.ts";

/** What a call takes on the wire, as the SDK sets it up: counts of messages and bytes, no times. */

afterEach(async () => {
  await reset();
});

/** Others must not have announced its CNAME: that would be a finding, and a frame more. */
const withOwnCname = (sdp: string, name: string): string =>
  sdp.replaceAll(/cname:\S+/g, `cname:of-${name}`);

const [OFFER, ANSWER] = pairOf("chromium.turn-all-candidates");

/** The candidates of a description, and the description without them. */
function trickled(sdp: string): { sdp: string; bursts: readonly Candidate[][] } {
  const found = sdp.split(/^(?=m=)/m).flatMap((section, index) =>
    [...section.matchAll(/^a=(candidate:.*?)\r?$/gm)].map(([, candidate = ""]) => ({
      candidate,
      sdpMid: String(index - 1),
      sdpMLineIndex: index - 1,
    })),
  );
  const isHost = ({ candidate }: Candidate) => candidate.includes(" typ host");
  const bursts = [found.filter(isHost), found.filter((one) => !isHost(one))];
  return { sdp: sdp.replaceAll(/^a=candidate:.*\r\n/gm, ""), bursts };
}

/** Asked by the test, not counted. */
const QUESTION = 9999;

const sizeOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/** A peer whose frames are counted, both ways. */
class Counted {
  readonly peer: LivePeer;
  messages = 0;
  bytes = 0;
  #ids = 0;

  constructor(peer: LivePeer) {
    this.peer = peer;
    peer.socket.addEventListener("message", ({ data }) => this.#count(String(data)));
  }

  static async join(session: LiveSession, query: string): Promise<Counted> {
    const peer = await session.connect(await session.invite(), query);
    return new Counted(peer);
  }

  async ask(message: object): Promise<{ exchange?: number }> {
    this.#ids += 1;
    const request = { ...message, id: this.#ids };
    this.#count(JSON.stringify(request));
    const reply = await this.peer.request(request);
    expect(reply).toMatchObject({ type: "ack" });
    return reply as { exchange?: number };
  }

  /** Waits until all that was told before has been done. */
  async settled(): Promise<void> {
    await this.peer.request({ type: "state", id: QUESTION } as { id: number });
  }

  async tell(message: object): Promise<void> {
    this.#count(JSON.stringify(message));
    await this.peer.send(message);
  }

  #count(text: string): void {
    if (text.startsWith(`{"type":"ack","re":${QUESTION}`)) return;
    this.messages += 1;
    this.bytes += new TextEncoder().encode(text).length;
  }
}

interface Cost {
  readonly messages: number;
  /** Besides descriptions and candidates, which have to go to the server and from it. */
  readonly overhead: number;
}

/** From the join of the second until both have everything, and from there until both have told that media run. */
async function setUp(query: string): Promise<{ call: Cost; reports: Cost }> {
  const session = await LiveSession.start("awake");
  const callee = await Counted.join(session, query);
  const caller = await Counted.join(session, query);
  const [one, other] = [caller.peer.id, callee.peer.id];
  const [offered, answered] = [
    trickled(withOwnCname(OFFER, caller.peer.id)),
    trickled(withOwnCname(ANSWER, callee.peer.id)),
  ];
  const { exchange } = await caller.ask({ type: "offer", to: other, sdp: offered.sdp });
  await callee.ask({ type: "answer", to: one, exchange, sdp: answered.sdp });
  for (const [from, to, { bursts }] of [
    [caller, other, offered],
    [callee, one, answered],
  ] as const) {
    for (const [index, candidates] of bursts.entries()) {
      const complete = index === bursts.length - 1 && { complete: true };
      await from.ask({ type: "candidates", to, exchange, candidates, ...complete });
    }
  }
  const payload = [offered, answered].reduce(
    (sum, { sdp, bursts }) =>
      sum + 2 * (sizeOf(sdp) + bursts.reduce((all, b) => all + sizeOf(b), 0)),
    0,
  );
  const read = async () => {
    for (const each of [caller, callee, caller]) await each.settled();
    return {
      messages: caller.messages + callee.messages,
      bytes: caller.bytes + callee.bytes,
    };
  };
  const call = await read();
  const end = (port: number) => ({
    ...{ candidateType: "host", address: "192.0.2.2", port, protocol: "udp" },
  });
  const pair = { local: end(50_001), remote: end(49_998) };
  for (const [from, to] of [
    [caller, other],
    [callee, one],
  ] as const) {
    await from.tell({ type: "transport", to, state: "checking" });
    await from.tell({ type: "transport", to, state: "connected", pair });
  }
  const all = await read();
  return {
    call: { messages: call.messages, overhead: call.bytes - payload },
    reports: { messages: all.messages - call.messages, overhead: all.bytes - call.bytes },
  };
}

it("[M20] a call of two takes few messages, and few bytes besides what the peers tell each other", async () => {
  const { call, reports } = await setUp("?flows=brief&defaults=omit");
  // Besides two welcomes: who came; an offer, an answer and two bursts of each, each with its reply and passed on.
  expect(call.messages).toBe(1 + 6 * 3);
  expect(call.overhead).toBeLessThan(1_200);
  // Two of each peer, and one to each when media run.
  expect(reports.messages).toBe(2 * 2 + 2);
  expect(reports.overhead).toBeLessThan(2_300);
});

it("[M4] whole records are told at every step", async () => {
  const { call, reports } = await setUp("");
  expect(call.messages).toBe(1 + 6 * 3 + 4);
  expect(call.overhead).toBeGreaterThan(20_000);
  expect(reports.messages).toBe(2 * 2 + 6);
});
