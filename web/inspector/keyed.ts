import { focusWithin } from "./focus.ts";

/** Children of one element, one per item: those whose key stays keep their element, and with it focus and selection. */
export class Keyed<T, E extends Element = HTMLElement> {
  readonly #parent: Element;
  readonly #make: (item: T) => E;
  readonly #update: (element: E, item: T) => void;
  /** What was there before stays in front. */
  readonly #head: Element | null;
  #elements = new Map<string, E>();

  constructor(parent: Element, make: (item: T) => E, update: (element: E, item: T) => void) {
    this.#parent = parent;
    this.#head = parent.lastElementChild;
    this.#make = make;
    this.#update = update;
  }

  get(key: string): E | undefined {
    return this.#elements.get(key);
  }

  /** Shows these items in this order. */
  show(items: readonly T[], keyOf: (item: T) => string): void {
    const kept = new Map<string, E>();
    for (const item of items) {
      const key = keyOf(item);
      const element = this.#elements.get(key) ?? this.#make(item);
      this.#update(element, item);
      kept.set(key, element);
    }
    const focused = document.activeElement;
    const lost = [...this.#elements].findIndex(
      ([key, element]) => !kept.has(key) && element.contains(focused),
    );
    for (const [key, element] of this.#elements) if (!kept.has(key)) element.remove();
    this.#elements = kept;
    let place = this.#head ? this.#head.nextElementSibling : this.#parent.firstElementChild;
    for (const element of kept.values()) {
      // What is moved loses the focus: the others are moved around the one that has it.
      if (element === place || element.contains(focused)) place = element.nextElementSibling;
      else this.#parent.insertBefore(element, place);
    }
    // Whoever reads on with the keyboard goes on where the one was that is gone.
    if (lost >= 0) focusWithin([...kept.values()][Math.min(lost, kept.size - 1)]);
  }
}
