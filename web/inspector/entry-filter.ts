import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import { element, make, setText } from "../element.ts";
import { peersOf, wordsOf } from "./entry-words.ts";
import type { CallRecord } from "./record.ts";
import type { Scope } from "./scope.ts";
import { GROUP_OF, GROUPS, type Group, nameOf } from "./words.ts";

const TYPING_MS = 150;

/** Which entries are shown: by link and peer (the scope of the page), by kind, by a text. */
export class EntryFilter {
  readonly #record: CallRecord;
  readonly #scope: Scope;
  readonly #boxes = new Map<Group, HTMLInputElement>();
  readonly #counts = new Map<Group, HTMLElement>();
  readonly #search = element("entry-search", HTMLInputElement);
  /** `12 of 1540`, as the head of the diagram says it. */
  sum = "";

  constructor(record: CallRecord, scope: Scope, changed: () => void) {
    this.#record = record;
    this.#scope = scope;
    const chips = element("entry-kinds", HTMLElement);
    for (const group of Object.keys(GROUPS) as Group[]) chips.append(this.#chip(group, changed));
    let typing: ReturnType<typeof setTimeout> | undefined;
    this.#search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(changed, TYPING_MS);
    });
  }

  #chip(group: Group, changed: () => void): HTMLElement {
    const chip = make("label", "chip");
    const box = make("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", changed);
    const text = make("span", "", `${GROUPS[group].title} `);
    const count = make("b");
    text.append(count);
    chip.append(box, text);
    this.#boxes.set(group, box);
    this.#counts.set(group, count);
    return chip;
  }

  /** Takes every filter back, so that an entry can be shown. */
  clear(): void {
    for (const box of this.#boxes.values()) box.checked = true;
    this.#search.value = "";
  }

  /** The entries that are shown; counts per kind are brought up to date on the way. */
  apply(): readonly TimelineEntry[] {
    const within = this.#record.entries.filter((entry) => this.#isWithin(entry));
    const counts = new Map<Group, number>();
    for (const { type } of within) {
      const group = GROUP_OF.get(type) ?? "server";
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    for (const [group, label] of this.#counts) {
      setText(label, String(counts.get(group) ?? 0));
      label.closest(".chip")?.toggleAttribute("data-none", !counts.has(group));
    }
    const words = this.#search.value.trim().toLowerCase();
    const shown = within.filter(
      (entry) =>
        this.#boxes.get(GROUP_OF.get(entry.type) ?? "server")?.checked === true &&
        (words === "" || this.#textOf(entry).includes(words)),
    );
    const all = this.#record.entries.length;
    this.sum = shown.length === all ? `${all} entries` : `${shown.length} of ${all}`;
    return shown;
  }

  #isWithin(entry: TimelineEntry): boolean {
    const { link, peer } = this.#scope;
    if (link === "" && peer === "") return true;
    if (link !== "") {
      if ("link" in entry && entry.link !== undefined) return entry.link === link;
      const ends = this.#record.endsOf(link);
      return peersOf(this.#record, entry).some((one) => ends.includes(one));
    }
    return peersOf(this.#record, entry).includes(peer);
  }

  #textOf(entry: TimelineEntry): string {
    const { title, detail } = wordsOf(this.#record, entry);
    const names = peersOf(this.#record, entry).map((peer) => nameOf(this.#record, peer));
    return [title, detail, ...names, JSON.stringify(entry)].join(" ").toLowerCase();
  }
}
