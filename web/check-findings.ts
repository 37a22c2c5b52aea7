import { type FindingGroup, findingGroups } from "../protocol/finding-groups.ts";
import type { Level, SdpFinding } from "../protocol/sdp/finding.ts";
import { LEVELS, roleOf } from "./check-lines.ts";
import { element, make, setText } from "./element.ts";

/** Leads to the line of a finding. */
export type Jump = (finding: SdpFinding) => void;

/** The findings as a list, by level as chosen. */
export class FindingList {
  readonly #section = element("findings", HTMLElement);
  readonly #list = this.#section.querySelector("ol");
  readonly #empty = this.#section.querySelector<HTMLElement>("[data-empty]");
  readonly #jump: Jump;

  constructor(jump: Jump) {
    this.#jump = jump;
    for (const level of LEVELS)
      this.#choice(level)?.addEventListener("change", () => this.#filter());
  }

  show(findings: readonly SdpFinding[]): void {
    this.#section.hidden = false;
    const groups = findingGroups(findings).toSorted(
      ([one], [other]) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level),
    );
    this.#list?.replaceChildren(...groups.map((group) => entryOf(group, this.#jump)));
    for (const level of LEVELS) {
      const count = findings.filter((finding) => finding.level === level).length;
      const shown = this.#choice(level)?.parentElement?.querySelector("b");
      if (shown) setText(shown, String(count));
    }
    this.#filter();
  }

  hide(): void {
    this.#section.hidden = true;
  }

  #choice(level: Level): HTMLInputElement | null {
    return this.#section.querySelector(`input[value=${level}]`);
  }

  #filter(): void {
    const wanted = LEVELS.filter((level) => this.#choice(level)?.checked);
    const entries = [...(this.#list?.children ?? [])] as HTMLElement[];
    for (const entry of entries) {
      entry.hidden = !wanted.some((level) => level === entry.dataset.level);
    }
    if (this.#empty === null) return;
    this.#empty.hidden = entries.some(({ hidden }) => !hidden);
    setText(this.#empty, entries.length === 0 ? "Nothing was found." : "None of these levels.");
  }
}

function entryOf(group: FindingGroup, jump: Jump): HTMLElement {
  const [{ level, rule, message, source, description = "offer" }] = group;
  const entry = make("li");
  entry.dataset.level = level;
  const words = make("div", "words");
  const fine = make("p", "hint");
  fine.append(make("code", "", rule), ` ${source}`);
  words.append(make("p", "", message), fine);
  const places = make("div", "places");
  places.append(
    make("span", "hint", description === "pair" ? "offer and answer" : description),
    ...group.flatMap((finding) => placeOf(finding, jump)),
  );
  entry.append(make("span", "badge", level), words, places);
  return entry;
}

function placeOf(finding: SdpFinding, jump: Jump): readonly HTMLElement[] {
  const { line, mid, mLine } = finding;
  if (line === undefined) return [];
  const button = make("button", "jump", `line ${line}`);
  button.type = "button";
  button.setAttribute(
    "aria-label",
    `Go to line ${line} of the ${roleOf(finding)}: ${finding.rule}`,
  );
  if (mLine !== undefined)
    button.title = `m-section ${mLine}${mid === undefined ? "" : `, mid ${mid}`}`;
  button.addEventListener("click", () => jump(finding));
  return [button];
}
