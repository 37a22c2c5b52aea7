/** What was made of something, and how much of the room it takes; without a value when it had to go. */
interface Slot<V> {
  value: V | undefined;
  readonly size: number;
}

/**
 * What was made of objects, as long as there is room: a cache that can be rebuilt. What is too much goes in the order
 * in which it came.
 */
export class Readings<K extends object, V> {
  readonly #most: number;
  readonly #slots = new WeakMap<K, Slot<V>>();
  readonly #order = new Set<Slot<V>>();
  #size = 0;

  /** `most`: of the sizes of all that is remembered. */
  constructor(most: number) {
    this.#most = most;
  }

  get(key: K): V | undefined {
    return this.#slots.get(key)?.value;
  }

  /** Remembers the newest in any case. */
  set(key: K, size: number, value: V): void {
    for (const oldest of this.#order) {
      if (this.#size + size <= this.#most) break;
      oldest.value = undefined;
      this.#order.delete(oldest);
      this.#size -= oldest.size;
    }
    const slot = { value, size };
    this.#slots.set(key, slot);
    this.#order.add(slot);
    this.#size += size;
  }
}
