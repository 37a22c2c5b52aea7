import type { DuplexError, Flow, FlowChange, Session } from "../client/duplex.ts";
import { make, setText } from "./element.ts";
import { bitrate } from "./words.ts";

const LIMITS: Readonly<Record<Flow["kind"], readonly number[]>> = {
  audio: [64_000, 32_000, 16_000],
  video: [2_000_000, 1_000_000, 500_000, 200_000, 100_000],
  data: [],
};

const PRIORITIES = ["very-low", "low", "medium", "high"] as const;

/** Of the choice that asks for nothing. */
const NOTHING = "";

/** What this peer asks of one flow: hold, limit, priority. What others ask of it shows in the table. */
export class FlowControls {
  readonly element = make("div", "steer");
  readonly #limit = make("select");
  readonly #priority = make("select");
  readonly #hold = make("button", "button small");
  #peerName = "";

  /** `refused` hears of a change that the server did not allow. */
  constructor(session: Session<Flow>, id: string, refused: (problem: DuplexError) => void) {
    const change = (wanted: FlowChange) => {
      session
        .changeFlow(id, wanted)
        .catch(refused)
        // Refused, a control must not show what is not so.
        .finally(() => {
          const flow = session.flows.find((one) => one.id === id);
          if (flow !== undefined) this.show(flow, session.peer.id, this.#peerName, true);
        });
    };
    this.#hold.type = "button";
    this.#hold.addEventListener("click", () => {
      const flow = session.flows.find((one) => one.id === id);
      if (flow !== undefined) change({ held: !askedBy(flow, session.peer.id)?.held });
    });
    this.#limit.addEventListener("change", () => {
      const { value } = this.#limit;
      change({ maxBitrateBps: value === NOTHING ? null : Number(value) });
    });
    this.#priority.addEventListener("change", () => {
      const wanted = PRIORITIES.find((each) => each === this.#priority.value);
      change({ priority: wanted ?? null });
    });
    this.element.append(this.#limit, this.#priority, this.#hold);
  }

  /**
   * Shows what `self` asks of the flow to or from the peer of this name. A list that is open is left alone,
   * unless `always`.
   */
  show(flow: Flow, self: string, peerName: string, always = false): void {
    this.#peerName = peerName;
    const own = askedBy(flow, self);
    const about = `${flow.kind} ${flow.from === self ? "uplink to" : "downlink from"} ${peerName}`;
    this.element.hidden = flow.state === "ended";
    this.#hold.hidden = flow.kind === "data";
    this.#limit.hidden = flow.kind === "data";
    setText(this.#hold, own?.held ? "Resume" : "Hold");
    this.#hold.setAttribute("aria-label", `${this.#hold.textContent} ${about}`);
    const limits = [...new Set([...LIMITS[flow.kind], ...known(own?.maxBitrateBps)])];
    const isFree = (list: HTMLSelectElement) => always || document.activeElement !== list;
    if (isFree(this.#limit)) {
      choices(this.#limit, `Limit of ${about}`, [
        [NOTHING, "No limit"],
        ...limits.toSorted((a, b) => b - a).map((bps) => [String(bps), bitrate(bps)] as const),
      ]);
      this.#limit.value = String(own?.maxBitrateBps ?? NOTHING);
    }
    if (isFree(this.#priority)) {
      choices(this.#priority, `Priority of ${about}`, [
        [NOTHING, `Priority: ${wordsOf(flow.priority)}`],
        ...PRIORITIES.map((priority) => [priority, `${wordsOf(priority)} priority`] as const),
      ]);
      this.#priority.value = own?.priority ?? NOTHING;
    }
  }
}

const known = (value: number | undefined): readonly number[] =>
  value === undefined ? [] : [value];

const wordsOf = (priority: string): string => priority.replace("-", " ");

const askedBy = ({ requests = [] }: Flow, peer: string) => requests.find(({ by }) => by === peer);

/** Fills a list; one that has these choices already is not touched. */
function choices(
  list: HTMLSelectElement,
  label: string,
  wanted: readonly (readonly [value: string, text: string])[],
): void {
  list.setAttribute("aria-label", label);
  const isSame =
    list.options.length === wanted.length &&
    wanted.every(([value, text], at) => {
      const option = list.options[at];
      return option?.value === value && option.text === text;
    });
  if (!isSame) list.replaceChildren(...wanted.map(([value, text]) => new Option(text, value)));
}
