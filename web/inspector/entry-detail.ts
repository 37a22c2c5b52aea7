import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import { element, make, setText } from "../element.ts";
import { wordsOf } from "./entry-words.ts";
import type { CallRecord } from "./record.ts";
import { clock, linkName, nameOf } from "./words.ts";

export interface EntryActions {
  sdp(link: string, exchange: number, by: string, line?: number): void;
  flow(id: string): void;
  link(id: string): void;
}

/** All members of the chosen entry, and where to go on from it. */
export class EntryDetail {
  readonly #record: CallRecord;
  readonly #actions: EntryActions;
  readonly #box = element("entry", HTMLElement);
  readonly #title = element("entry-title", HTMLElement);
  readonly #list = element("entry-members", HTMLElement);
  readonly #buttons = element("entry-actions", HTMLElement);

  constructor(record: CallRecord, actions: EntryActions) {
    this.#record = record;
    this.#actions = actions;
    element("entry-close", HTMLButtonElement).addEventListener("click", () => this.hide());
  }

  hide(): void {
    this.#box.hidden = true;
  }

  show(entry: TimelineEntry): void {
    const { title } = wordsOf(this.#record, entry);
    this.#box.hidden = false;
    setText(this.#title, `${title} at ${clock(entry.at)}`);
    const { sdp: _text, ...members } = entry as TimelineEntry & { sdp?: string };
    this.#list.replaceChildren(
      ...Object.entries(members).flatMap(([name, value]) => [
        make("dt", "", name),
        make("dd", "", this.#plain(name, value)),
      ]),
    );
    this.#buttons.replaceChildren(...this.#goOn(entry));
  }

  #plain(name: string, value: unknown): string {
    if (name === "at") return `${value} ms`;
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
    if (entry.type === "finding") {
      const { link, by, line, rule } = entry;
      const known = this.#record.findings.findLast(
        (finding) =>
          finding.link === link && finding.rule === rule && finding.exchange !== undefined,
      );
      const exchange = known?.exchange;
      if (exchange !== undefined)
        add("Show the line", () => this.#actions.sdp(link, exchange, by, line));
    }
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
