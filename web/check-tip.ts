import type { SdpFinding } from "../protocol/sdp/finding.ts";
import { element, make } from "./element.ts";

const GAP = 6;
/** Long enough to move the pointer from the line to what it says. */
const LEAVE_MS = 200;

/** Says what is wrong with a line, while the pointer or the focus is on it. */
export class LineTip {
  readonly #tip = element("tip", HTMLElement);
  #anchor: HTMLElement | undefined;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#tip.addEventListener("pointerenter", () => clearTimeout(this.#leaving));
    this.#tip.addEventListener("pointerleave", () => this.leave());
    addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.hide();
    });
    addEventListener("pointerdown", ({ target }) => {
      const isInside = target instanceof Node && this.#tip.contains(target);
      if (!isInside) this.hide();
    });
    // It would stay where its line no longer is.
    for (const event of ["scroll", "resize"]) {
      addEventListener(event, () => this.#place(), { capture: true, passive: true });
    }
  }

  /** Shows findings beside a line; `describes` is the control that has the focus in it. */
  show(anchor: HTMLElement, findings: readonly SdpFinding[], describes?: HTMLElement): void {
    clearTimeout(this.#leaving);
    this.#anchor = anchor;
    this.#tip.replaceChildren(...findings.map(entryOf));
    describes?.setAttribute("aria-describedby", this.#tip.id);
    if (!this.#tip.matches(":popover-open")) this.#tip.showPopover();
    this.#place();
  }

  /** Hides soon, unless the pointer comes back. */
  leave(): void {
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => this.hide(), LEAVE_MS);
  }

  hide(): void {
    clearTimeout(this.#leaving);
    this.#anchor = undefined;
    if (this.#tip.matches(":popover-open")) this.#tip.hidePopover();
  }

  /** Under its line, or above it where there is no room; the style sheet decides on small screens. */
  #place(): void {
    if (this.#anchor === undefined) return;
    const line = this.#anchor.getBoundingClientRect();
    const pane = this.#anchor.parentElement?.getBoundingClientRect() ?? line;
    if (line.bottom < pane.top || line.top > pane.bottom) {
      this.hide();
      return;
    }
    const { offsetWidth: width, offsetHeight: height } = this.#tip;
    const isRoomBelow = line.bottom + GAP + height < innerHeight;
    const top = isRoomBelow ? line.bottom + GAP : Math.max(GAP, line.top - GAP - height);
    const left = Math.min(line.left + 56, innerWidth - width - GAP);
    this.#tip.style.setProperty("--top", `${top}px`);
    this.#tip.style.setProperty("--left", `${Math.max(GAP, left)}px`);
  }
}

function entryOf({ level, rule, message, source, description }: SdpFinding): HTMLElement {
  const entry = make("div", "tip-entry");
  entry.dataset.level = level;
  const head = make("p", "tip-head");
  head.append(make("span", "badge", level), make("code", "", rule));
  if (description === "pair") head.append(make("span", "hint", "offer and answer"));
  entry.append(head, make("p", "", message), make("p", "hint", source));
  return entry;
}
