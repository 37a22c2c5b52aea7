import { pastedDescription } from "../protocol/pasted-description.ts";
import type { SdpFinding } from "../protocol/sdp/finding.ts";
import type { DescriptionRole } from "../protocol/sdp/rule.ts";
import { LEVELS, linesFor, worstOf } from "./check-lines.ts";
import type { LineTip } from "./check-tip.ts";
import { element, setText } from "./element.ts";

/** No description is that large, whatever is around it. */
const MAX_FILE_BYTES = 2_200_000;

/** More than any browser makes; from here on it counts how lines are laid out. */
const MANY_LINES = 2_000;

/** `whole`: the text is another one; `typed`: somebody is at it; `done`: they want to see what is wrong. */
export type PaneChange = "whole" | "typed" | "done";

/** What a pane tells the page around it. */
export interface PaneEvents {
  changed(how: PaneChange): void;
  /** JSON said that its text is of the other kind. */
  misplaced(text: string, role: DescriptionRole): boolean;
  refused(words: string): void;
}

/** One description: a text to edit, or its lines with what is wrong in each. */
export class Pane {
  readonly role: DescriptionRole;
  readonly #pane: HTMLElement;
  readonly #area: HTMLTextAreaElement;
  readonly #lines: HTMLOListElement;
  readonly #file: HTMLInputElement;
  readonly #tip: LineTip;
  readonly #events: PaneEvents;
  /** What was given, with its own line ends, until somebody edits it. */
  #given = "";
  #isWhole = false;
  #current = 1;

  constructor(role: DescriptionRole, tip: LineTip, events: PaneEvents) {
    this.role = role;
    this.#tip = tip;
    this.#events = events;
    this.#pane = element(`${role}-pane`, HTMLElement);
    this.#area = element(role, HTMLTextAreaElement);
    this.#lines = this.#part("ol.lines", HTMLOListElement);
    this.#file = this.#part("input[type=file]", HTMLInputElement);
    // What scrolls must be within reach of the keyboard.
    this.#lines.tabIndex = 0;
    this.#listen();
  }

  /** The text as it was given, or as it was edited: with the line ends of SDP, which editing loses. */
  get text(): string {
    const { value } = this.#area;
    if (value === withoutReturns(this.#given)) return this.#given;
    // Whoever copies a description from a page or a log mostly loses its last line end as well.
    return `${value.trimEnd()}\n`.replaceAll("\n", "\r\n");
  }

  get isEmpty(): boolean {
    return this.#area.value.trim() === "";
  }

  get isEditing(): boolean {
    return !this.#area.hidden;
  }

  /** Puts a text in place of what is there. */
  put(text: string): void {
    this.#given = text;
    this.#area.value = text;
    this.#lines.replaceChildren();
    if (this.isEmpty) this.edit();
    this.#settle("whole");
  }

  async load(file: File): Promise<void> {
    if (file.size > MAX_FILE_BYTES) {
      this.#events.refused(`${file.name} is too large to be a description.`);
      return;
    }
    this.put(await file.text());
  }

  /** Shows the lines with what was found in them. */
  annotate(findings: readonly SdpFinding[]): void {
    this.#tip.hide();
    const rows = linesFor(this.role, this.text, findings, this.#tip);
    this.#lines.toggleAttribute("data-long", rows.length > MANY_LINES);
    this.#lines.replaceChildren(...rows);
    const worst = worstOf(findings);
    if (worst === undefined) delete this.#pane.dataset.level;
    else this.#pane.dataset.level = worst;
  }

  showLines(): void {
    if (this.isEmpty) return;
    const wasEditing = this.isEditing;
    const hadFocus = document.activeElement === this.#area;
    this.#lines.hidden = false;
    this.#area.hidden = true;
    this.#showButtons();
    if (hadFocus) this.#lines.focus({ preventScroll: true });
    if (wasEditing) this.#showWorst();
  }

  /** What matters most is in view without a search. */
  #showWorst(): void {
    const level = LEVELS.find((one) => one === this.#pane.dataset.level);
    const row = this.#lines.querySelector<HTMLElement>(`[data-level=${level ?? "none"}]`);
    const isDeep = row !== null && row.offsetTop + row.offsetHeight > this.#bottom();
    if (isDeep && level !== "info") {
      this.#lines.scrollTop = row.offsetTop - this.#lines.offsetTop - this.#lines.clientHeight / 3;
    }
  }

  #bottom(): number {
    return this.#lines.offsetTop + this.#lines.clientHeight;
  }

  edit(): void {
    this.#tip.hide();
    this.#lines.hidden = true;
    this.#area.hidden = false;
    this.#showButtons();
  }

  /** Brings a line into view and the focus to it. */
  jump(line: number): void {
    this.showLines();
    const row = this.#lines.children[line - 1];
    if (!(row instanceof HTMLElement)) return;
    row.scrollIntoView({ block: "center" });
    const mark = row.querySelector("button");
    mark?.focus({ preventScroll: true });
  }

  #part<T extends HTMLElement>(selector: string, type: abstract new () => T): T {
    const found = this.#pane.querySelector(selector);
    if (found instanceof type) return found;
    throw new Error(`check.html has no ${selector} in its ${this.role}`);
  }

  #button(act: "open" | "clear" | "edit"): HTMLButtonElement {
    return this.#part(`[data-act=${act}]`, HTMLButtonElement);
  }

  #showButtons(): void {
    const edit = this.#button("edit");
    this.#button("clear").hidden = this.isEmpty;
    edit.hidden = this.isEmpty;
    setText(edit, this.isEditing ? "Done" : "Edit");
    const count = this.isEmpty ? 0 : this.#area.value.trimEnd().split("\n").length;
    setText(this.#part(".size", HTMLElement), count === 0 ? "" : `${count} lines`);
  }

  /** What was pasted may be JSON, and of the other kind. */
  #settle(how: PaneChange): void {
    const { sdp, role } = pastedDescription(this.text);
    if (role !== undefined && role !== this.role && this.#events.misplaced(this.text, role)) {
      this.put("");
      return;
    }
    if (sdp !== this.text) {
      this.#given = sdp;
      this.#area.value = sdp;
    }
    this.#showButtons();
    this.#events.changed(how);
  }

  #listen(): void {
    const area = this.#area;
    area.addEventListener("paste", () => {
      const { selectionStart, selectionEnd, value } = area;
      this.#isWhole = selectionEnd - selectionStart === value.length;
    });
    area.addEventListener("input", () => {
      const how = this.#isWhole ? "whole" : "typed";
      this.#isWhole = false;
      this.#settle(how);
    });
    area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.#events.changed("done");
    });
    this.#lines.addEventListener("focusin", ({ target }) => {
      const row = target instanceof Element ? target.closest("li") : null;
      if (row !== null) this.#current = [...this.#lines.children].indexOf(row) + 1;
    });
    this.#button("edit").addEventListener("click", () => {
      if (this.isEditing) this.#events.changed("done");
      else this.#editAt(this.#current);
    });
    this.#button("clear").addEventListener("click", () => {
      this.put("");
      area.focus();
    });
    this.#button("open").addEventListener("click", () => this.#file.click());
    this.#file.addEventListener("change", () => {
      const file = this.#file.files?.[0];
      // The same file may be chosen again after it was changed.
      if (file !== undefined) this.load(file).catch(reportError);
      this.#file.value = "";
    });
  }

  #editAt(line: number): void {
    this.edit();
    const before = this.#area.value.split("\n").slice(0, line - 1);
    const at = before.join("\n").length + (before.length > 0 ? 1 : 0);
    this.#area.focus();
    this.#area.setSelectionRange(at, at);
    const rows = this.#area.value.split("\n").length;
    this.#area.scrollTop = ((line - 4) / rows) * this.#area.scrollHeight;
    this.#area.scrollLeft = 0;
  }
}

/** As a text area gives it. */
const withoutReturns = (text: string): string => text.replace(/\r\n?/g, "\n");
