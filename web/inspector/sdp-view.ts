import type { DescriptionView } from "../../protocol/timeline/view.ts";
import { element, make, setText } from "../element.ts";
import { replaceKeepingFocus } from "./focus.ts";
import { Keyed } from "./keyed.ts";
import type { RecordedFinding } from "./known.ts";
import type { CallRecord } from "./record.ts";
import type { Scope } from "./scope.ts";
import { changesOf, textOf } from "./sdp-text.ts";
import { clock, counted, nameOf } from "./words.ts";

type How = "text" | "changes" | "pair";

/** Where a finding is: in whose description, in which line. */
export interface FindingPlace {
  readonly link: string;
  readonly from: string;
  readonly exchange?: number | undefined;
  readonly description?: RecordedFinding["description"] | undefined;
  readonly line?: number | undefined;
}

const keyOf = ({ link, exchange, type }: DescriptionView): string =>
  [link, exchange, type].join(" ");

const STATE_WORDS = { open: "waits for its answer", "in-force": "in force", past: "past" } as const;

/** Descriptions of the links that are looked at: their text, what changed, what was found in them. */
export class SdpView {
  readonly #record: CallRecord;
  readonly #scope: Scope;
  readonly #rows: Keyed<DescriptionView, HTMLElement>;
  readonly #none = element("no-sdp", HTMLElement);
  readonly #main = element("sdp-main", HTMLElement);
  readonly #title = element("sdp-title", HTMLElement);
  readonly #about = element("sdp-about", HTMLElement);
  readonly #body = element("sdp-body", HTMLElement);
  readonly #hows = element("sdp-how", HTMLElement);
  #chosen = "";
  #how: How = "text";
  #shown = "";

  constructor(record: CallRecord, scope: Scope) {
    this.#record = record;
    this.#scope = scope;
    this.#rows = new Keyed<DescriptionView, HTMLElement>(
      element("sdp-list", HTMLElement),
      (description) => this.#make(description),
      (row, description) => this.#update(row, description),
    );
    // What scrolls must be within reach of the keyboard.
    this.#body.tabIndex = 0;
    this.#hows.addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement) this.#how = target.value as How;
      this.show();
    });
  }

  /** Shows one description, and the line where that is asked for. */
  reveal(link: string, exchange: number, by: string, line?: number): void {
    const found = this.#record.descriptions.find(
      (one) => one.link === link && one.exchange === exchange && one.from === by,
    );
    if (found === undefined) return;
    this.#chosen = keyOf(found);
    this.#setHow("text");
    this.show();
    if (line !== undefined) this.#toLine(line);
  }

  /** Shows the line of a finding; what was refused never got a number, and has no text. */
  revealFinding(finding: FindingPlace | undefined): void {
    if (finding?.exchange === undefined) return;
    this.reveal(finding.link, finding.exchange, this.#authorOf(finding), finding.line);
  }

  show(): void {
    const within = this.#record.descriptions
      .filter(({ link }) => this.#scope.has(link))
      .toSorted(
        (one, other) =>
          one.link.localeCompare(other.link) ||
          one.exchange - other.exchange ||
          other.type.localeCompare(one.type),
      );
    let current = within.find((one) => keyOf(one) === this.#chosen);
    if (current === undefined) {
      current = within.findLast((one) => this.#findingsOf(one).length > 0) ?? within.at(0);
      this.#chosen = current === undefined ? "" : keyOf(current);
    }
    this.#rows.show(within, keyOf);
    this.#none.hidden = within.length > 0;
    this.#main.hidden = current === undefined;
    if (current !== undefined) this.#showText(current, within);
  }

  #setHow(how: How): void {
    this.#how = how;
    for (const box of this.#hows.querySelectorAll("input")) box.checked = box.value === how;
  }

  #name(peer: string): string {
    return nameOf(this.#record, peer);
  }

  #showText(current: DescriptionView, within: readonly DescriptionView[]): void {
    const findings = this.#findingsOf(current);
    const before = within.findLast(
      (one) =>
        one.link === current.link && one.from === current.from && one.exchange < current.exchange,
    );
    const other = within.find(
      (one) =>
        one.link === current.link && one.exchange === current.exchange && one.type !== current.type,
    );
    const look = JSON.stringify([this.#how, current, findings, before?.sdp, other?.sdp]);
    if (look === this.#shown) return;
    this.#shown = look;
    const { type, exchange, from, to } = current;
    setText(
      this.#title,
      `${type === "offer" ? "Offer" : "Answer"} ${exchange}, ${this.#name(from)} → ${this.#name(to)}`,
    );
    setText(this.#about, this.#aboutOf(current, findings));
    if (this.#how === "text") {
      const text = textOf(current.sdp, findings);
      replaceKeepingFocus(this.#body, [...this.#jumps(findings), text]);
    }
    if (this.#how === "changes") this.#showChanges(current, before);
    if (this.#how === "pair") this.#showPair(current, other);
  }

  /** What was found, before the text: each is the way to its line. */
  #jumps(findings: readonly RecordedFinding[]): HTMLElement[] {
    if (findings.length === 0) return [];
    const list = make("ul", "sdp-jumps");
    list.ariaLabel = "Findings";
    for (const { level, rule, line } of findings) {
      const item = make("li");
      const button = make("button", "jump");
      button.type = "button";
      button.dataset.level = level;
      button.append(make("b", "", level), ` ${rule}`, line === undefined ? "" : `, line ${line}`);
      button.addEventListener("click", () => this.#toLine(line ?? 1));
      item.append(button);
      list.append(item);
    }
    return [list];
  }

  #toLine(line: number): void {
    const row = this.#body.querySelector<HTMLElement>(`[data-line="${line}"]`);
    const section = row?.closest("details");
    if (section) section.open = true;
    row?.scrollIntoView({ block: "center" });
    row?.focus({ preventScroll: true });
  }

  #aboutOf(description: DescriptionView, findings: readonly unknown[]): string {
    const { state, sdp, withheld } = description;
    const at = this.#timeOf(description);
    const parts = [
      at === undefined ? "" : clock(at),
      STATE_WORDS[state],
      counted(sdp.trimEnd().split("\n").length, "line"),
      findings.length === 0 ? "nothing found" : counted(findings.length, "finding"),
      withheld === undefined ? "" : `${withheld} lines withheld`,
    ];
    return parts.filter((part) => part !== "").join(" · ");
  }

  #timeOf({ at, link, exchange, type }: DescriptionView): number | undefined {
    const entry = this.#record.entries.findLast(
      (one) => one.type === type && one.link === link && one.exchange === exchange,
    );
    return at ?? entry?.at;
  }

  #showChanges(current: DescriptionView, before: DescriptionView | undefined): void {
    if (before === undefined) {
      const words = `No earlier description of ${this.#name(current.from)} is known on this link. The inspector keeps those that it sees; a session created with debug: true keeps them from the start.`;
      this.#body.replaceChildren(make("p", "hint padded", words));
      return;
    }
    const head = `From ${before.type} ${before.exchange} to ${current.type} ${current.exchange}, both of ${this.#name(current.from)}`;
    this.#body.replaceChildren(make("p", "hint padded", head), changesOf(before.sdp, current.sdp));
  }

  #showPair(current: DescriptionView, other: DescriptionView | undefined): void {
    if (other === undefined) {
      this.#body.replaceChildren(make("p", "hint padded", "This offer has no answer yet."));
      return;
    }
    const [offer, answer] = current.type === "offer" ? [current, other] : [other, current];
    const head = `− in the offer of ${this.#name(offer.from)}, + in the answer of ${this.#name(answer.from)}`;
    this.#body.replaceChildren(make("p", "hint padded", head), changesOf(offer.sdp, answer.sdp));
  }

  /** Findings about a pair point into the answer. */
  #findingsOf({ link, exchange, from, type }: DescriptionView): readonly RecordedFinding[] {
    return this.#record.findings.filter(
      (finding) =>
        finding.link === link &&
        finding.exchange === exchange &&
        (finding.description === undefined
          ? finding.from === from
          : (finding.description === "offer") === (type === "offer")),
    );
  }

  #authorOf({ link, exchange, from, description }: FindingPlace): string {
    const type = description === "offer" ? "offer" : "answer";
    const found = this.#record.descriptions.find(
      (one) => one.link === link && one.exchange === exchange && one.type === type,
    );
    return description === undefined ? from : (found?.from ?? from);
  }

  #make(description: DescriptionView): HTMLElement {
    const row = make("li");
    const button = make("button", "sdp-item");
    button.type = "button";
    button.append(make("b"), make("span", "who"), make("span", "soft"), make("span", "marks"));
    const key = keyOf(description);
    button.addEventListener("click", () => {
      this.#chosen = key;
      this.show();
    });
    row.append(button);
    return row;
  }

  #update(row: HTMLElement, description: DescriptionView): void {
    const { type, exchange, from, to, state } = description;
    const findings = this.#findingsOf(description);
    const [button] = row.children;
    if (button === undefined) return;
    row.dataset.type = type;
    button.ariaPressed = String(keyOf(description) === this.#chosen);
    const [title, who, about, marks] = button.children;
    if (title) setText(title, `${type} ${exchange}`);
    if (who) setText(who, `${this.#name(from)} → ${this.#name(to)}`);
    if (about) setText(about, STATE_WORDS[state]);
    if (!(marks instanceof HTMLElement)) return;
    const count = findings.filter(({ level }) => level !== "info").length;
    setText(marks, count === 0 ? "" : counted(count, "finding"));
    marks.dataset.level = findings.some(({ level }) => level === "error") ? "error" : "warning";
  }
}
