import { add16, add32, ahead16, ahead32 } from "./rtp-numbers.ts";

/** Where a packet stands in its stream. */
export interface RtpPosition {
  readonly sequenceNumber: number;
  readonly timestamp: number;
}

/**
 * Makes one unbroken stream out of several that take turns, such as the layers of a simulcast or one
 * publisher after another: a receiver sees one SSRC whose numbers go on (RFC 7667 s3.7).
 */
export class RtpRewriter {
  readonly #clockRate: number;
  #newest: RtpPosition;
  #newestAtMs: number | undefined;
  #sequenceOffset = 0;
  #timestampOffset = 0;
  #sourceStart = 0;

  /** `start` is where the outgoing stream begins; random, says RFC 3550 s5.1. */
  constructor(clockRate: number, start: RtpPosition) {
    this.#clockRate = clockRate;
    this.#newest = start;
  }

  /** From now on packets of another source come, of which `position` is the first one wanted. */
  change(position: RtpPosition, atMs: number): void {
    // The clocks of two sources say nothing of each other: the time that passed here stands for both.
    const passedMs = this.#newestAtMs === undefined ? 0 : atMs - this.#newestAtMs;
    const step = Math.max(1, Math.round((passedMs * this.#clockRate) / 1000));
    this.#sourceStart = position.sequenceNumber;
    this.#sequenceOffset = this.#newest.sequenceNumber + 1 - position.sequenceNumber;
    this.#timestampOffset = this.#newest.timestamp + step - position.timestamp;
  }

  /** The position of a packet in the outgoing stream; none for those from before the source was taken. */
  rewrite(position: RtpPosition, atMs: number): RtpPosition | undefined {
    if (ahead16(position.sequenceNumber, this.#sourceStart) < 0) return undefined;
    // Half of the numbers later, an old packet would look new, and a new one old.
    if (ahead16(position.sequenceNumber, this.#sourceStart) > 0x3fff) {
      this.#sourceStart = add16(position.sequenceNumber, -0x1fff);
    }
    const rewritten = {
      sequenceNumber: add16(position.sequenceNumber, this.#sequenceOffset),
      timestamp: this.timestamp(position.timestamp),
    };
    if (
      this.#newestAtMs === undefined ||
      ahead16(rewritten.sequenceNumber, this.#newest.sequenceNumber) > 0
    ) {
      this.#newest = {
        sequenceNumber: rewritten.sequenceNumber,
        timestamp:
          ahead32(rewritten.timestamp, this.#newest.timestamp) > 0
            ? rewritten.timestamp
            : this.#newest.timestamp,
      };
      this.#newestAtMs = atMs;
    }
    return rewritten;
  }

  /** What a timestamp of the source is in the outgoing stream: for sender reports. */
  timestamp(ofSource: number): number {
    return add32(ofSource, this.#timestampOffset);
  }
}
