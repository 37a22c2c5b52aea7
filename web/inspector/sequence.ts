import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import { element, make, setText } from "../element.ts";
import { wordsOf } from "./entry-words.ts";
import { type Lanes, laneHead, laneRow, lanesOf } from "./lanes.ts";
import type { CallRecord } from "./record.ts";
import type { Scope } from "./scope.ts";
import { VirtualList } from "./virtual-list.ts";
import { clock, span, toneOf } from "./words.ts";

/** Below this many pixels the words get two lines and the lanes less room. */
const NARROW = 620;
const LONG_MS = 1_000;

/** The sequence diagram: a lane per peer and one for the server, a row per entry, newest at the bottom. */
export class Sequence {
  readonly #record: CallRecord;
  readonly #scope: Scope;
  readonly #scroller = element("sequence", HTMLElement);
  readonly #head = make("div", "sequence-head");
  readonly #list: VirtualList<TimelineEntry>;
  readonly #sum = make("span", "when");
  #entries: readonly TimelineEntry[] = [];
  #before = new Map<number, number>();
  #lanes: Lanes = { lanes: [], width: 0, at: new Map() };
  #look = "";

  constructor(record: CallRecord, scope: Scope, chosen: (entry: TimelineEntry) => void) {
    this.#record = record;
    this.#scope = scope;
    this.#scroller.append(this.#head);
    this.#list = new VirtualList<TimelineEntry>(this.#scroller, "Entries of the sequence diagram", {
      fill: (row, entry) => this.#fill(row, entry),
      keyOf: ({ n }) => String(n),
      chosen: (entry) => {
        if (entry !== undefined) chosen(entry);
      },
    });
    new ResizeObserver(() => this.show(this.#entries)).observe(this.#scroller);
  }

  get follows(): boolean {
    return this.#list.follows;
  }

  set follows(follows: boolean) {
    this.#list.follows = follows;
  }

  onFollow(changed: () => void): void {
    this.#scroller.addEventListener("follow", changed);
  }

  focus(): void {
    this.#list.list.focus({ preventScroll: true });
  }

  reveal(n: number): boolean {
    return this.#list.reveal(String(n));
  }

  show(entries: readonly TimelineEntry[], sum = this.#sum.textContent): void {
    this.#entries = entries;
    setText(this.#sum, sum);
    const { link } = this.#scope;
    const ends = link === "" ? [] : this.#record.endsOf(link);
    const width = this.#scroller.parentElement?.clientWidth ?? 0;
    // Hidden: there is no room to divide.
    if (width === 0) return;
    const isNarrow = width < NARROW;
    this.#scroller.toggleAttribute("data-narrow", isNarrow);
    const room = isNarrow ? width - 220 : Math.min(width - 500, width * 0.55);
    const [least, most] = isNarrow ? [11, 48] : [24, 116];
    this.#lanes = lanesOf(this.#record, entries, ends, (count) =>
      Math.round(Math.max(least, Math.min(most, room / count))),
    );
    this.#before = new Map(entries.map(({ n }, index) => [n, entries[index - 1]?.at ?? 0]));
    // Who sends a flow is known when its record is there.
    const { flows } = this.#record;
    const { lanes, width: apart } = this.#lanes;
    const look = JSON.stringify([lanes, apart, entries[0]?.n, isNarrow, flows.size]);
    const isOther = look !== this.#look;
    this.#look = look;
    if (isOther) this.#head.replaceChildren(this.#sum, laneHead(this.#lanes));
    this.#scroller.hidden = entries.length === 0;
    this.#list.show(entries, isOther);
  }

  #fill(row: HTMLElement, entry: TimelineEntry): void {
    const { title, detail } = wordsOf(this.#record, entry);
    const height = this.#scroller.hasAttribute("data-narrow") ? 44 : 30;
    const when = make("span", "when", clock(entry.at));
    const since = entry.at - (this.#before.get(entry.n) ?? 0);
    if (since >= LONG_MS) when.append(make("small", "since", `+${span(since)}`));
    const words = make("span", "words");
    words.append(make("b", `tone-${toneOf(entry)}`, title), " ", make("span", "soft", detail));
    row.append(when, laneRow(this.#record, this.#lanes, entry, height), words);
  }
}
