/** A call that goes on while somebody attacks: nothing of it may be lost, doubled or out of order (S8). */

import { sdpOf } from "./descriptions.ts";

interface Frame {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** A peer on a socket of any kind; frames are only ever added to its inbox. */
export interface Speaker {
  readonly id: string;
  readonly inbox: readonly Frame[];
  readonly closed: { readonly code: number } | null;
  send(message: object): unknown;
}

const PATIENCE_MS = 60_000;
/** Every so many messages the call is negotiated anew. */
const NEGOTIATE_EVERY = 4;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What one end has read so far, and its request ids. */
class End {
  readonly peer: Speaker;
  #read = 0;
  #id = 0;

  constructor(peer: Speaker) {
    this.peer = peer;
    this.#read = peer.inbox.length;
  }

  /** The next frame of the call; it must be of this type, or something was lost or came that should not. */
  async next(type: string): Promise<Frame> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const frame = this.peer.inbox[this.#read];
      if (frame) this.#read += 1;
      if (frame && isOfTheCall(frame)) {
        if (frame.type === type) return frame;
        throw new Error(
          `${this.peer.id}: ${type} expected, had ${JSON.stringify(frame).slice(0, 300)}`,
        );
      }
      if (this.peer.closed)
        throw new Error(`${this.peer.id}: closed with ${this.peer.closed.code}`);
      if (performance.now() > until) throw new Error(`${this.peer.id}: no ${type}`);
      if (!frame) await pause(2);
    }
  }

  /** Sends a request and reads its ack, which must be the next frame. */
  async request(message: object): Promise<Frame> {
    this.#id += 1;
    await this.peer.send({ ...message, id: this.#id });
    const ack = await this.next("ack");
    if (ack.re !== this.#id) throw new Error(`${this.peer.id}: the ack of ${ack.re}`);
    return ack;
  }
}

/** Presence and flows of others are news of the session, not of the call; so is a question for a sign of life. */
const isOfTheCall = ({ type }: Frame): boolean =>
  !["peer-joined", "peer-left", "flows", "probe", "pong"].includes(type);

export interface Endured {
  readonly messages: number;
  readonly exchanges: number;
  /** From a message sent to its receipt and ack, in milliseconds; for information. */
  readonly medianMs: number;
  readonly worstMs: number;
}

/** Two peers that send each other numbered messages and negotiate, until they are told to stop. */
export class Bystanders {
  readonly #ends: readonly [End, End];
  readonly #gapMs: number;
  readonly #times: number[] = [];
  #exchanges = 0;
  #isOver = false;
  #going: Promise<void> | undefined;

  private constructor(one: Speaker, other: Speaker, gapMs: number) {
    this.#gapMs = gapMs;
    this.#ends = [new End(one), new End(other)];
  }

  /** Starts the call, with pauses between its messages; the peers are nobody else's until it is over. */
  static async call(one: Speaker, other: Speaker, gapMs = 20): Promise<Bystanders> {
    const bystanders = new Bystanders(one, other, gapMs);
    await bystanders.#negotiate(0);
    bystanders.#start();
    return bystanders;
  }

  #start(): void {
    this.#going = this.#goOn();
    // Looked at when it is over, not before.
    this.#going.catch(() => undefined);
  }

  /** Ends the call; throws when anything was lost, doubled or out of order, or a socket was closed. */
  async over(): Promise<Endured> {
    this.#isOver = true;
    await this.#going;
    const times = this.#times.toSorted((one, other) => one - other);
    return {
      messages: times.length,
      exchanges: this.#exchanges,
      medianMs: times[Math.floor(times.length / 2)] ?? 0,
      worstMs: times.at(-1) ?? 0,
    };
  }

  async #goOn(): Promise<void> {
    for (let round = 1; !this.#isOver; round++) {
      await this.#say(round);
      if (round % NEGOTIATE_EVERY === 0) await this.#negotiate(round);
      await pause(this.#gapMs);
    }
  }

  /** The ends take turns. */
  #turn(round: number): readonly [End, End] {
    const [one, other] = this.#ends;
    return round % 2 === 0 ? [one, other] : [other, one];
  }

  async #say(round: number): Promise<void> {
    const [from, to] = this.#turn(round);
    const since = performance.now();
    const said = from.request({ type: "message", to: to.peer.id, body: round });
    const [{ body, from: sender }] = await Promise.all([to.next("message"), said]);
    this.#times.push(performance.now() - since);
    if (body !== round || sender !== from.peer.id) throw new Error(`${body} instead of ${round}`);
  }

  async #negotiate(round: number): Promise<void> {
    const [offerer, answerer] = this.#ends;
    const offer = sdpOf({ version: round + 1 });
    const { exchange } = await offerer.request({ type: "offer", to: answerer.peer.id, sdp: offer });
    this.#exchanges += 1;
    if (exchange !== this.#exchanges) throw new Error(`exchange ${exchange} of ${this.#exchanges}`);
    const offered = await answerer.next("offer");
    const answer = sdpOf({ setup: "active", version: round + 1 });
    await answerer.request({ type: "answer", to: offerer.peer.id, exchange, sdp: answer });
    const answered = await offerer.next("answer");
    if (offered.sdp !== offer || answered.sdp !== answer) throw new Error("another description");
  }
}
