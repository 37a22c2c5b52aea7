import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import type { Verdict } from "../../protocol/verdict/verdict.ts";
import { element, make } from "../element.ts";
import { VirtualList } from "./virtual-list.ts";
import { clock, toneOf } from "./words.ts";

/** Entries as the server tells them: number, time, type, and the members of each kind. */
export class RawTable {
  readonly #scroller = element("raw", HTMLElement);
  readonly #list: VirtualList<TimelineEntry>;

  constructor(chosen: (entry: TimelineEntry) => void) {
    const scroller = this.#scroller;
    const head = make("div", "raw-head");
    for (const title of ["No.", "Time", "Type", "Members"]) head.append(make("span", "", title));
    head.ariaHidden = "true";
    scroller.append(head);
    this.#list = new VirtualList<TimelineEntry>(scroller, "Entries of the timeline, as recorded", {
      fill,
      keyOf: ({ n }) => String(n),
      chosen: (entry) => {
        if (entry !== undefined) chosen(entry);
      },
    });
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

  show(entries: readonly TimelineEntry[]): void {
    this.#scroller.hidden = entries.length === 0;
    this.#list.show(entries);
  }
}

function fill(row: HTMLElement, entry: TimelineEntry): void {
  const { n, at, type, ...members } = entry;
  row.append(
    make("span", "no", String(n)),
    make("span", "when", clock(at)),
    make("b", `tone-${toneOf(entry)}`, type),
    make("code", "soft", plain(members)),
  );
}

/** `by=alice link=a~b exchange=1 media=[…]`: easier to read than JSON, and as complete. */
function plain(members: object): string {
  return Object.entries(members)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

/** What `GET .../timeline?format=ndjson` downloads, of what this page has: also when the session is over. */
export function ndjson(entries: readonly TimelineEntry[], verdicts: readonly Verdict[]): string {
  const lines = [...entries, ...verdicts.map((verdict) => ({ type: "verdict", ...verdict }))];
  return `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/** Gives the reader a file. */
export function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  const anchor = make("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
