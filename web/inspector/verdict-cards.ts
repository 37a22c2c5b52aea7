import type { Verdict } from "../../protocol/verdict/verdict.ts";
import { element, make, setText } from "../element.ts";
import { replaceKeepingFocus } from "./focus.ts";
import { Keyed } from "./keyed.ts";
import type { CallRecord } from "./record.ts";
import type { Scope } from "./scope.ts";
import { clock, linkName, VERDICT_STATES, WORST_FIRST, withNames } from "./words.ts";

/** Shown before somebody asks for all; what failed is always shown. */
const FEW = 12;

export interface VerdictActions {
  entry(n: number): void;
  finding(link: string, rule: string): void;
  flow(id: string): void;
}

type Evidence = Verdict["evidence"][number];

const keyOf = (verdict: Verdict): string => verdict.link ?? "session";

const STATES = {
  failed: "failed",
  disconnected: "degraded",
  connected: "working",
  checking: "connecting",
  new: "connecting",
  closed: "over",
} as const;

function stateOf(record: CallRecord, link: string, peers: readonly string[]): Verdict["state"] {
  if (peers.some((peer) => record.gone.has(peer))) return "over";
  const states = [...record.transports.values()]
    .filter((transport) => transport.link === link)
    .map(({ state }) => STATES[state]);
  return WORST_FIRST.find((state) => states.some((one) => one === state)) ?? "waiting";
}

const worstFirst = (verdicts: readonly Verdict[]): readonly Verdict[] =>
  verdicts.toSorted(
    (one, other) => WORST_FIRST.indexOf(one.state) - WORST_FIRST.indexOf(other.state),
  );

/** What became of each link, worst first. A card is also the way to look at its link alone. */
export class VerdictCards {
  readonly #record: CallRecord;
  readonly #scope: Scope;
  readonly #actions: VerdictActions;
  readonly #cards: Keyed<Verdict, HTMLElement>;
  readonly #sum = element("verdict-sum", HTMLElement);
  readonly #none = element("no-verdicts", HTMLElement);
  readonly #more = element("more-verdicts", HTMLButtonElement);
  readonly #shown = new WeakMap<HTMLElement, string>();
  #isWhole = false;

  constructor(record: CallRecord, scope: Scope, actions: VerdictActions) {
    this.#record = record;
    this.#scope = scope;
    this.#actions = actions;
    this.#cards = new Keyed<Verdict, HTMLElement>(
      element("verdicts", HTMLElement),
      (verdict) => this.#make(verdict),
      (card, verdict) => this.#update(card, verdict),
    );
    this.#more.addEventListener("click", () => {
      this.#isWhole = !this.#isWhole;
      this.show();
    });
  }

  show(): void {
    const all = worstFirst([...this.#record.verdicts, ...this.#unjudged()]);
    const bad = all.filter(({ state }) => state === "failed" || state === "degraded").length;
    const shown = this.#isWhole ? all : all.slice(0, Math.max(FEW, bad));
    this.#cards.show(shown, keyOf);
    this.#none.hidden = all.length > 0;
    this.#more.hidden = all.length <= Math.max(FEW, bad);
    setText(this.#more, this.#isWhole ? "Show fewer" : `Show all ${all.length} links`);
    const counts = WORST_FIRST.flatMap((state) => {
      const count = all.filter((verdict) => verdict.state === state).length;
      return count === 0 ? [] : [`${count} ${VERDICT_STATES[state].word}`];
    });
    setText(this.#sum, counts.join(", "));
  }

  /** Links that the server says nothing of: what their transports say. */
  #unjudged(): readonly Verdict[] {
    const judged = new Set(this.#record.verdicts.map(({ link }) => link));
    return [...this.#record.links]
      .filter(([link]) => !judged.has(link))
      .map(([link, peers]) => ({
        link,
        peers: [...peers],
        state: stateOf(this.#record, link, peers),
        says: "",
        evidence: [],
      }));
  }

  #make(verdict: Verdict): HTMLElement {
    const card = make("li", "verdict-card");
    const head = make("button", "verdict-head");
    head.type = "button";
    const sign = make("span", "sign");
    sign.ariaHidden = "true";
    head.append(sign, make("b", "who"), make("span", "word"));
    const { link } = verdict;
    if (link === undefined) head.disabled = true;
    else {
      head.addEventListener("click", () =>
        this.#scope.choose(this.#scope.link === link ? {} : { link }),
      );
    }
    card.append(head, make("div", "verdict-body"));
    return card;
  }

  #update(card: HTMLElement, verdict: Verdict): void {
    const isChosen = verdict.link !== undefined && verdict.link === this.#scope.link;
    const who = verdict.link === undefined ? "The session" : linkName(this.#record, verdict.link);
    const says = withNames(this.#record, verdict.says);
    const text = JSON.stringify([verdict, isChosen, who, says]);
    if (this.#shown.get(card) === text) return;
    this.#shown.set(card, text);
    const { sign, tone, word } = VERDICT_STATES[verdict.state];
    card.dataset.tone = tone;
    card.dataset.state = verdict.state;
    const [head, body] = card.children;
    if (head === undefined || body === undefined) return;
    const [signBox, whoBox, wordBox] = head.children;
    if (signBox) setText(signBox, sign);
    if (whoBox) setText(whoBox, who);
    if (wordBox) setText(wordBox, word);
    head.ariaPressed = verdict.link === undefined ? null : String(isChosen);
    replaceKeepingFocus(body, this.#body(verdict, isChosen), head);
  }

  /** What works says little until somebody asks. */
  #body(verdict: Verdict, isChosen: boolean): HTMLElement[] {
    const { state, cause, advice, evidence } = verdict;
    const says = withNames(this.#record, verdict.says);
    const isQuiet = (state === "working" || state === "over") && !isChosen;
    if (isQuiet) return [];
    const parts: HTMLElement[] = says === "" ? [] : [make("p", "says", says)];
    if (cause !== undefined) parts.push(make("p", "cause", cause));
    if (evidence.length > 0) {
      const list = make("ul", "evidence");
      list.ariaLabel = "Evidence";
      list.append(...evidence.map((each) => this.#evidence(verdict, each)));
      parts.push(list);
    }
    if (advice !== undefined) parts.push(make("p", "advice", advice));
    return parts;
  }

  #evidence(verdict: Verdict, { says, at, entry, finding, flow }: Evidence): HTMLElement {
    const item = make("li");
    const go = this.#wayTo(verdict, entry, finding, flow);
    const line = go === undefined ? make("span") : make("button", "evidence-link");
    if (go !== undefined) line.addEventListener("click", go);
    if (at !== undefined) line.append(make("span", "when", clock(at)), " ");
    line.append(withNames(this.#record, says));
    item.append(line);
    return item;
  }

  #wayTo(
    { link }: Verdict,
    entry: number | undefined,
    finding: string | undefined,
    flow: string | undefined,
  ): (() => void) | undefined {
    if (entry !== undefined) return () => this.#actions.entry(entry);
    if (finding !== undefined && link !== undefined) {
      return () => this.#actions.finding(link, finding);
    }
    return flow === undefined ? undefined : () => this.#actions.flow(flow);
  }
}
