/** What was sent not long ago, to send it again to who lost it. */
export class SendHistory<T> {
  readonly #size: number;
  readonly #slots: ({ readonly sequenceNumber: number; readonly sent: T } | undefined)[];

  constructor(size: number) {
    this.#size = size;
    this.#slots = new Array(size);
  }

  add(sequenceNumber: number, sent: T): void {
    this.#slots[sequenceNumber % this.#size] = { sequenceNumber, sent };
  }

  find(sequenceNumber: number): T | undefined {
    const slot = this.#slots[sequenceNumber % this.#size];
    return slot?.sequenceNumber === sequenceNumber ? slot.sent : undefined;
  }
}
