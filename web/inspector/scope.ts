import { element } from "../element.ts";
import type { CallRecord } from "./record.ts";
import { linkName, nameOf } from "./words.ts";

/** Which part of the session is looked at: everything, or what one link or one peer has to do with. */
export class Scope {
  readonly #record: CallRecord;
  readonly #changed: () => void;
  readonly #linkBox = element("scope-link", HTMLSelectElement);
  readonly #peerBox = element("scope-peer", HTMLSelectElement);
  readonly #reset = element("scope-reset", HTMLButtonElement);
  #link = "";
  #peer = "";
  #shown = "";

  constructor(record: CallRecord, changed: () => void) {
    this.#record = record;
    this.#changed = changed;
    this.#linkBox.addEventListener("change", () => this.choose({ link: this.#linkBox.value }));
    this.#peerBox.addEventListener("change", () => this.choose({ peer: this.#peerBox.value }));
    this.#reset.addEventListener("click", () => {
      this.choose({});
      this.#linkBox.focus();
    });
  }

  /** Id of the chosen link; empty: all. */
  get link(): string {
    return this.#link;
  }

  get peer(): string {
    return this.#peer;
  }

  /** Looks at one link, or at one peer, or at everything. */
  choose({ link = "", peer = "" }: { readonly link?: string; readonly peer?: string }): void {
    this.#link = link;
    this.#peer = peer;
    this.show();
    this.#changed();
  }

  has(link: string): boolean {
    if (this.#link !== "") return link === this.#link;
    return this.#peer === "" || this.#record.endsOf(link).includes(this.#peer);
  }

  /** Brings the boxes up to date. */
  show(): void {
    const links = [...this.#record.links.keys()]
      .map((id) => [id, linkName(this.#record, id)] as const)
      .toSorted(([, one], [, other]) => one.localeCompare(other));
    const peers = [...this.#record.peers.values()]
      .filter(({ role }) => role !== "observer")
      .map(({ id }) => [id, nameOf(this.#record, id)] as const);
    const text = JSON.stringify([links, peers]);
    if (text !== this.#shown) {
      this.#shown = text;
      fill(this.#linkBox, links.length > 1 ? `All ${links.length} links` : "All links", links);
      fill(this.#peerBox, peers.length > 1 ? `All ${peers.length} peers` : "All peers", peers);
    }
    this.#linkBox.value = this.#link;
    this.#peerBox.value = this.#peer;
    this.#reset.hidden = this.#link === "" && this.#peer === "";
  }
}

function fill(
  box: HTMLSelectElement,
  all: string,
  options: readonly (readonly [string, string])[],
): void {
  box.replaceChildren(
    new Option(all, ""),
    ...options.map(([value, text]) => new Option(text, value)),
  );
}
