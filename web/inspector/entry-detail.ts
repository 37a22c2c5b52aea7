import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import { element, make, setText } from "../element.ts";
import { wordsOf } from "./entry-words.ts";
import type { CallRecord } from "./record.ts";
import type { FindingPlace } from "./sdp-view.ts";
import { clock, linkName, nameOf } from "./words.ts";

export interface EntryActions {
  sdp(link: string, exchange: number, by: string): void;
  finding(place: FindingPlace): void;
  flow(id: string): void;
  link(id: string): void;
  /** The box is gone that had the focus. */
  left(): void;
}

/** All members of the chosen entry, and where to go on from it. */
export class EntryDetail {
  readonly #record: CallRecord;
  readonly #actions: EntryActions;
  readonly #box = element("entry", HTMLElement);
  readonly #title = element("entry-title", HTMLElement);
  readonly #list = element("entry-members", HTMLElement);
  readonly #buttons = element("entry-actions", HTMLElement);
  #shown: TimelineEntry | undefined;

  constructor(record: CallRecord, actions: EntryActions) {
    this.#record = record;
    this.#actions = actions;
    element("entry-close", HTMLButtonElement).addEventListener("click", () => this.hide());
    addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.hide();
    });
  }

  hide(): void {
    const hadFocus = this.#box.contains(document.activeElement);
    this.#box.hidden = true;
    this.#shown = undefined;
    if (hadFocus) this.#actions.left();
  }

  show(entry: TimelineEntry): void {
    this.#box.hidden = false;
    this.#fill(entry);
    this.#buttons.replaceChildren(...this.#goOn(entry));
  }

  /** What goes on is told as the same entry. */
  update(): void {
    const now = this.#shown && this.#record.entry(this.#shown.n);
    if (now && now !== this.#shown) this.#fill(now);
  }

  #fill(entry: TimelineEntry): void {
    const { title } = wordsOf(this.#record, entry);
    this.#shown = entry;
    setText(this.#title, `${title} at ${clock(entry.at)}`);
    const { sdp: _text, ...members } = entry as TimelineEntry & { sdp?: string };
    this.#list.replaceChildren(
      ...Object.entries(members).flatMap(([name, value]) => [
        make("dt", "", name),
        make("dd", "", this.#plain(name, value)),
      ]),
    );
  }

  #plain(name: string, value: unknown): string {
    if (name === "at" || name === "until") return `${value} ms`;
    if (name === "link") return `${linkName(this.#record, String(value))} (${value})`;
    if (name === "by" || name === "peer") {
      return `${nameOf(this.#record, String(value))} (${value})`;
    }
    return typeof value === "object" ? JSON.stringify(value, null, 1) : String(value);
  }

  #goOn(entry: TimelineEntry): HTMLButtonElement[] {
    const buttons: HTMLButtonElement[] = [];
    const add = (text: string, act: () => void): void => {
      const button = make("button", "jump", text);
      button.type = "button";
      button.addEventListener("click", act);
      buttons.push(button);
    };
    if (entry.type === "offer" || entry.type === "answer") {
      const { link, exchange, by } = entry;
      add("Show the SDP", () => this.#actions.sdp(link, exchange, by));
    }
    const place = entry.type === "finding" ? placeOf(entry) : undefined;
    if (place) add("Show the line", () => this.#actions.finding(place));
    if ("flow" in entry && this.#record.flows.has(entry.flow)) {
      const { flow } = entry;
      add("Show the flow", () => this.#actions.flow(flow));
    }
    if ("link" in entry && entry.link !== undefined) {
      const { link } = entry;
      add("Only this link", () => this.#actions.link(link));
    }
    return buttons;
  }
}

/** What was refused is kept by nobody: there is no line to show. */
function placeOf({
  by,
  link,
  exchange,
  description,
  line,
  refused,
}: Extract<TimelineEntry, { type: "finding" }>): FindingPlace | undefined {
  if (exchange === undefined || refused) return undefined;
  return { link, exchange, from: by, description, line };
}
