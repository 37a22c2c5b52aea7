import { element, setText } from "./element.ts";

const NAME_ITEM = "duplex-name";

/** The page before and after a call. */
export class Lobby {
  readonly #main = element("lobby", HTMLElement);
  readonly #title = element("lobby-title", HTMLElement);
  readonly #text = element("lobby-text", HTMLElement);
  readonly #form = element("entry", HTMLFormElement);
  readonly #name = element("name", HTMLInputElement);
  readonly #start = element("start", HTMLButtonElement);
  readonly #join = element("join", HTMLButtonElement);
  readonly #fresh = element("fresh", HTMLElement);

  /** What the person calls themselves; kept for the next time. */
  get name(): string {
    const name = this.#name.value.trim();
    localStorage.setItem(NAME_ITEM, name);
    return name || "Guest";
  }

  hide(): void {
    this.#main.hidden = true;
  }

  /** Shows how to start or, with a link, to join. `over` says why the call before it ended. */
  show(joining: boolean, over?: string): void {
    this.#main.hidden = false;
    this.#start.hidden = joining;
    this.#join.hidden = !joining;
    this.#fresh.hidden = !joining;
    this.#name.value = localStorage.getItem(NAME_ITEM) ?? "";
    setText(this.#join, over === undefined ? "Join the call" : "Join again");
    const [title, text] = wordsFor(joining, over);
    setText(this.#title, title);
    setText(this.#text, text);
    // The button that had the focus is gone with the call.
    if (over !== undefined) this.#title.focus();
  }

  onEnter(enter: () => void): void {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      enter();
    });
  }

  /** Keeps the buttons from being used twice while something is under way. */
  async busy(work: Promise<void>): Promise<void> {
    const buttons = [this.#start, this.#join];
    const focused = document.activeElement;
    const labels = buttons.map((button) => button.textContent);
    for (const button of buttons) {
      button.disabled = true;
      setText(button, "One moment…");
    }
    this.#form.setAttribute("aria-busy", "true");
    await work;
    this.#form.removeAttribute("aria-busy");
    buttons.forEach((button, index) => {
      button.disabled = false;
      if (button.textContent === "One moment…") setText(button, labels[index] ?? "");
      if (button === focused && document.activeElement === document.body) button.focus();
    });
  }
}

function wordsFor(joining: boolean, over: string | undefined): [string, string] {
  if (over !== undefined) return ["You are no longer in the call", over];
  if (joining) return ["You are invited to a call", "Join with your camera and microphone."];
  return [
    "A call, and every media flow in it",
    "Start a call, send the link to somebody, and watch who sends what to whom, over which path.",
  ];
}
