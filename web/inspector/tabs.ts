/** Tabs with one stop for the Tab key: arrows, Home and End move among them, and the one that has the focus is shown. */
export class Tabs {
  readonly #tabs: readonly HTMLButtonElement[];
  readonly #shown: (name: string) => void;

  constructor(list: HTMLElement, shown: (name: string) => void) {
    this.#tabs = [...list.querySelectorAll<HTMLButtonElement>("[role=tab]")];
    this.#shown = shown;
    for (const tab of this.#tabs) tab.addEventListener("click", () => this.#select(tab));
    list.addEventListener("keydown", (event) => this.#move(event));
  }

  /** Name of the tab that is shown. */
  get current(): string {
    return this.#tabs.find((tab) => tab.ariaSelected === "true")?.dataset.tab ?? "";
  }

  show(name: string): void {
    const tab = this.#tabs.find((one) => one.dataset.tab === name);
    if (tab !== undefined) this.#select(tab);
  }

  #select(chosen: HTMLButtonElement): void {
    for (const tab of this.#tabs) {
      const isChosen = tab === chosen;
      tab.ariaSelected = String(isChosen);
      tab.tabIndex = isChosen ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
      if (panel !== null) panel.hidden = !isChosen;
    }
    chosen.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.#shown(chosen.dataset.tab ?? "");
  }

  #move(event: KeyboardEvent): void {
    const focused = document.activeElement;
    const at = focused instanceof HTMLButtonElement ? this.#tabs.indexOf(focused) : -1;
    const { length } = this.#tabs;
    const next = {
      ArrowRight: (at + 1) % length,
      ArrowLeft: (at + length - 1) % length,
      Home: 0,
      End: length - 1,
    }[event.key];
    const tab = next === undefined || at < 0 ? undefined : this.#tabs[next];
    if (tab === undefined) return;
    event.preventDefault();
    this.#select(tab);
    tab.focus();
  }
}
