const SLOT_MS = 100;
const SLOTS = 10;

/** Bits per second over the last second. */
export class BitrateMeter {
  readonly #slots: { number: number; bytes: number }[] = [];

  add(bytes: number, atMs: number): void {
    const number = Math.floor(atMs / SLOT_MS);
    const newest = this.#slots.at(-1);
    if (newest?.number === number) newest.bytes += bytes;
    else this.#slots.push({ number, bytes });
    if (this.#slots.length > SLOTS + 1) this.#slots.shift();
  }

  bitrateBps(nowMs: number): number {
    const oldest = Math.floor(nowMs / SLOT_MS) - SLOTS;
    const counted = this.#slots.filter(({ number }) => number >= oldest);
    const bytes = counted.reduce((sum, slot) => sum + slot.bytes, 0);
    return Math.round((bytes * 8 * 1000) / (SLOTS * SLOT_MS));
  }
}
