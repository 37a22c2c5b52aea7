import { make } from "./element.ts";

const IN_CALL_MS = 12_000;

/** What people are told besides what the page shows. */
export class Notices {
  readonly #container: HTMLElement;

  constructor(container: HTMLElement) {
    this.#container = container;
  }

  /** Shows a text until it is dismissed, or for a while only. The same text is not shown twice. */
  show(text: string, { passing }: { readonly passing: boolean }): void {
    const shown = [...this.#container.children].some((one) => one.firstChild?.textContent === text);
    if (shown) return;
    const line = make("div", "notice");
    const dismiss = make("button", "dismiss", "✕");
    dismiss.type = "button";
    dismiss.setAttribute("aria-label", "Dismiss");
    dismiss.addEventListener("click", () => line.remove());
    line.append(make("p", "", text), dismiss);
    this.#container.append(line);
    if (passing) setTimeout(() => line.remove(), IN_CALL_MS);
  }

  clear(): void {
    this.#container.replaceChildren();
  }
}
