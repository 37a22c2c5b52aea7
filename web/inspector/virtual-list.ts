import { make } from "../element.ts";

/** Rows beyond what is seen, so that a quick scroll meets no gap. */
const SPARE = 12;

export interface Rows<T> {
  /** Fills a row; it is called again when the item of a row is another one. */
  readonly fill: (row: HTMLElement, item: T) => void;
  readonly keyOf: (item: T) => string;
  readonly chosen: (item: T | undefined) => void;
}

/**
 * A list of any length of which only what is seen is in the page. One stop for the Tab key; arrows, Page Up and Down,
 * Home and End choose a row.
 */
export class VirtualList<T extends object> {
  readonly list: HTMLElement;
  readonly #scroller: HTMLElement;
  readonly #rows: Rows<T>;
  readonly #shown = new Map<number, HTMLElement>();
  readonly #filled = new WeakMap<HTMLElement, T>();
  #items: readonly T[] = [];
  #chosen = -1;
  #chosenKey = "";
  #isDue = false;
  /** Keeps to the end while new items come. */
  #follows = true;
  /** Where this list itself has scrolled to: whoever scrolls elsewhere wants to read there. */
  #ownTop = 0;

  constructor(scroller: HTMLElement, label: string, rows: Rows<T>) {
    this.#scroller = scroller;
    this.#rows = rows;
    this.list = make("div", "rows");
    this.list.role = "listbox";
    this.list.tabIndex = 0;
    this.list.ariaLabel = label;
    scroller.append(this.list);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => {
      if (this.#follows) this.#toEnd();
      this.#renderSoon();
    }).observe(scroller);
    this.list.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("click", ({ target }) => {
      const row = target instanceof Element ? target.closest<HTMLElement>("[data-index]") : null;
      if (row !== null) this.#choose(Number(row.dataset.index));
    });
  }

  get follows(): boolean {
    return this.#follows;
  }

  set follows(follows: boolean) {
    this.#follows = follows;
    if (follows) this.#toEnd();
    this.#renderSoon();
  }

  /** Shows these items; `isOther`: rows are to be filled anew though their items are the same. */
  show(items: readonly T[], isOther = false): void {
    this.#items = items;
    this.list.hidden = items.length === 0;
    this.list.style.height = `calc(${items.length} * var(--row))`;
    if (this.#chosenKey !== "") this.#chosen = this.#indexOf(this.#chosenKey);
    if (isOther) this.#clear();
    if (this.#follows) this.#toEnd();
    this.#renderSoon();
  }

  /** Brings an item into view and chooses it; false where it is not among those shown. */
  reveal(key: string): boolean {
    const index = this.#indexOf(key);
    if (index < 0) return false;
    this.#follows = false;
    this.#choose(index, "center");
    return true;
  }

  #indexOf(key: string): number {
    return this.#items.findIndex((item) => this.#rows.keyOf(item) === key);
  }

  #clear(): void {
    for (const row of this.#shown.values()) row.remove();
    this.#shown.clear();
  }

  get #rowHeight(): number {
    return Number.parseFloat(getComputedStyle(this.list).getPropertyValue("--row")) || 30;
  }

  #toEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#ownTop = this.#scroller.scrollTop;
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    // What is hidden is scrolled by nobody.
    if (clientHeight === 0) return;
    if (Math.abs(scrollTop - this.#ownTop) > 2) {
      this.#follows = scrollTop + clientHeight >= scrollHeight - 4;
      this.#scroller.dispatchEvent(new CustomEvent("follow"));
    }
    this.#ownTop = scrollTop;
    this.#renderSoon();
  }

  #renderSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#render();
    });
  }

  #render(): void {
    const height = this.#rowHeight;
    const { scrollTop, clientHeight } = this.#scroller;
    const top = scrollTop - this.list.offsetTop;
    const first = Math.max(0, Math.floor(top / height) - SPARE);
    const last = Math.min(this.#items.length - 1, Math.ceil((top + clientHeight) / height) + SPARE);
    for (const [index, row] of this.#shown) {
      if ((index < first || index > last) && index !== this.#chosen) {
        row.remove();
        this.#shown.delete(index);
      }
    }
    for (let index = first; index <= last; index += 1) this.#place(index);
    if (this.#chosen >= 0) this.#place(this.#chosen);
  }

  #place(index: number): void {
    const item = this.#items[index];
    if (item === undefined) return;
    let row = this.#shown.get(index);
    if (row === undefined || this.#filled.get(row) !== item) {
      row?.remove();
      row = this.#row(index, this.#rows.keyOf(item), item);
      this.#shown.set(index, row);
      this.list.append(row);
    }
    const isChosen = index === this.#chosen;
    row.ariaSelected = String(isChosen);
    row.ariaSetSize = String(this.#items.length);
    if (isChosen) this.list.setAttribute("aria-activedescendant", row.id);
  }

  #row(index: number, key: string, item: T): HTMLElement {
    const row = make("div", "row");
    row.role = "option";
    row.id = `${this.#scroller.id}-${key}`;
    row.dataset.index = String(index);
    row.dataset.key = key;
    row.ariaPosInSet = String(index + 1);
    row.style.top = `calc(${index} * var(--row))`;
    this.#rows.fill(row, item);
    this.#filled.set(row, item);
    return row;
  }

  #choose(index: number, block: "nearest" | "center" = "nearest"): void {
    const item = this.#items[index];
    this.#chosen = item === undefined ? -1 : index;
    this.#chosenKey = item === undefined ? "" : this.#rows.keyOf(item);
    if (item !== undefined) this.#bringIntoView(index, block);
    this.#render();
    this.#rows.chosen(item);
  }

  #bringIntoView(index: number, block: "nearest" | "center"): void {
    const height = this.#rowHeight;
    const { scrollTop, clientHeight } = this.#scroller;
    const top = this.list.offsetTop + index * height;
    // The head of the list sticks to its top.
    const isAbove = top < scrollTop + this.list.offsetTop;
    const isBelow = top + height > scrollTop + clientHeight;
    if (!isAbove && !isBelow) return;
    if (block === "center") this.#scroller.scrollTop = top - clientHeight / 2;
    else if (isAbove) this.#scroller.scrollTop = top - this.list.offsetTop;
    else this.#scroller.scrollTop = top + height - clientHeight;
  }

  #key(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / this.#rowHeight) - 2);
    const { length } = this.#items;
    const from = this.#chosen < 0 ? (this.#follows ? length : -1) : this.#chosen;
    const to = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: length - 1,
    }[event.key];
    if (to === undefined || length === 0) return;
    event.preventDefault();
    this.#choose(Math.min(length - 1, Math.max(0, to)));
  }
}
