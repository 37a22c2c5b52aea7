import { ahead16 } from "./rtp-numbers.ts";

/** What a receiver report says of a stream (RFC 3550 s6.4.1). */
export interface ReceptionReport {
  readonly fractionLost: number;
  readonly packetsLost: number;
  readonly highestSequence: number;
  readonly jitter: number;
}

interface Missing {
  asked: number;
  askAtMs: number;
}

/** Packets that are only out of order need no asking. */
const REORDERING_MS = 20;
const ASK_AGAIN_MS = 80;
const MOST_ASKED = 8;
/** A gap wider than this is no loss that asking could mend: the source stopped, or began anew. */
const WIDEST_GAP = 300;

/** What came and what is missing of one stream of packets, told by sequence numbers. */
export class Reception {
  readonly #clockRate: number;
  readonly #missing = new Map<number, Missing>();
  #first: number | undefined;
  /** With the cycles in the upper bits. */
  #highest = 0;
  #received = 0;
  #bytes = 0;
  #priorExpected = 0;
  #priorReceived = 0;
  #jitter = 0;
  #transit: number | undefined;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  get packets(): number {
    return this.#received;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get packetsLost(): number {
    return this.#first === undefined ? 0 : this.#expected - this.#received;
  }

  get jitterMs(): number {
    return (this.#jitter * 1000) / this.#clockRate;
  }

  /** Counts a packet. Tells whether it is the first of its number: false for one that came already. */
  receive(
    { sequenceNumber, timestamp }: { sequenceNumber: number; timestamp: number },
    bytes: number,
    atMs: number,
  ): boolean {
    this.#received += 1;
    this.#bytes += bytes;
    if (this.#first === undefined) {
      this.#first = sequenceNumber;
      this.#highest = sequenceNumber;
      return true;
    }
    const step = ahead16(sequenceNumber, this.#highest & 0xffff);
    if (step <= 0) return this.#missing.delete(sequenceNumber);
    this.#sway(timestamp, atMs);
    this.#miss(step, atMs);
    this.#highest += step;
    return true;
  }

  /** The sequence numbers to ask the sender for, now (RFC 4585 s6.2.1). */
  lost(nowMs: number): readonly number[] {
    const asking: number[] = [];
    for (const [sequenceNumber, missing] of this.#missing) {
      if (missing.askAtMs > nowMs) continue;
      if (missing.asked === MOST_ASKED) {
        this.#missing.delete(sequenceNumber);
        continue;
      }
      missing.asked += 1;
      missing.askAtMs = nowMs + ASK_AGAIN_MS;
      asking.push(sequenceNumber);
    }
    return asking;
  }

  /** The block of the next receiver report; the lost fraction is that since the last one. */
  report(): ReceptionReport {
    const expected = this.#expected;
    const expectedSince = expected - this.#priorExpected;
    const lostSince = expectedSince - (this.#received - this.#priorReceived);
    this.#priorExpected = expected;
    this.#priorReceived = this.#received;
    return {
      fractionLost:
        expectedSince <= 0 || lostSince <= 0
          ? 0
          : Math.min(255, Math.floor((lostSince * 256) / expectedSince)),
      packetsLost: Math.max(0, Math.min(0x7fffff, expected - this.#received)),
      highestSequence: this.#highest >>> 0,
      jitter: Math.round(this.#jitter),
    };
  }

  get #expected(): number {
    return this.#first === undefined ? 0 : this.#highest - this.#first + 1;
  }

  #miss(step: number, atMs: number): void {
    if (step > WIDEST_GAP) {
      this.#missing.clear();
      return;
    }
    for (let back = step - 1; back > 0; back -= 1) {
      const sequenceNumber = (this.#highest + step - back) & 0xffff;
      this.#missing.set(sequenceNumber, { asked: 0, askAtMs: atMs + REORDERING_MS });
    }
  }

  // RFC 3550 s6.4.1: the mean deviation of the transit times of neighbouring packets.
  #sway(timestamp: number, atMs: number): void {
    const transit = Math.round((atMs * this.#clockRate) / 1000) - timestamp;
    if (this.#transit !== undefined) {
      const deviation = Math.abs((transit - this.#transit) | 0);
      this.#jitter += (deviation - this.#jitter) / 16;
    }
    this.#transit = transit;
  }
}
