import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import { element, make, setText } from "../element.ts";
import { bitrate } from "../words.ts";
import { EntryDetail } from "./entry-detail.ts";
import { EntryFilter } from "./entry-filter.ts";
import { LOOKS, type Look, lastFlows } from "./flow-bundles.ts";
import { FlowMap } from "./flow-map.ts";
import { QualityTable } from "./quality-table.ts";
import { ndjson, RawTable, save } from "./raw-table.ts";
import type { CallRecord } from "./record.ts";
import { bitrateOf } from "./samples.ts";
import { Scope } from "./scope.ts";
import { type FindingPlace, SdpView } from "./sdp-view.ts";
import { Sequence } from "./sequence.ts";
import { svg } from "./svg.ts";
import { Tabs } from "./tabs.ts";
import { TransportCards } from "./transport-cards.ts";
import { VerdictCards } from "./verdict-cards.ts";
import { span } from "./words.ts";

const NOTHING_YET = "Nothing has happened yet: entries appear here as soon as a peer joins.";
const NONE_FITS = "No entry fits these filters.";
const TICK_MS = 1_000;
const COPIED_MS = 2_000;

/** The page of a session: it draws what changed, once per picture, and only what is seen. */
export class InspectorView {
  readonly #record: CallRecord;
  readonly #scope: Scope;
  readonly #filter: EntryFilter;
  readonly #tabs: Tabs;
  readonly #verdicts: VerdictCards;
  readonly #sequence: Sequence;
  readonly #map: FlowMap;
  readonly #sdp: SdpView;
  readonly #transports: TransportCards;
  readonly #quality: QualityTable;
  readonly #raw: RawTable;
  readonly #detail: EntryDetail;
  readonly #follow = element("follow", HTMLInputElement);
  readonly #pause = element("pause", HTMLButtonElement);
  readonly #facts = element("facts", HTMLElement);
  readonly #ticking: ReturnType<typeof setInterval>;
  #isPaused = false;
  #isDue = false;

  constructor(record: CallRecord) {
    this.#record = record;
    this.#scope = new Scope(record, () => this.#soon());
    this.#filter = new EntryFilter(record, this.#scope, () => this.#soon());
    const chosen = (entry: TimelineEntry): void => this.#detail.show(entry);
    this.#sequence = new Sequence(record, this.#scope, chosen);
    this.#raw = new RawTable(chosen);
    this.#map = new FlowMap(record, this.#scope);
    this.#sdp = new SdpView(record, this.#scope);
    this.#transports = new TransportCards(record, this.#scope);
    this.#quality = new QualityTable(record, this.#scope);
    this.#tabs = new Tabs(element("tabs", HTMLElement), () => this.#draw());
    this.#detail = new EntryDetail(record, {
      sdp: (link, exchange, by) => {
        this.#open("sdp", link);
        this.#sdp.reveal(link, exchange, by);
      },
      finding: (place) => this.#showFinding(place),
      flow: (id) => this.#showFlow(id),
      link: (link) => this.#scope.choose({ link }),
      left: () => this.#focusPart(),
    });
    this.#verdicts = new VerdictCards(record, this.#scope, {
      entry: (n) => this.#showEntry(n),
      finding: (link, rule) => {
        const newest = record.findings.findLast(
          (finding) => finding.link === link && finding.rule === rule,
        );
        this.#showFinding(newest ?? { link, from: "" });
      },
      flow: (id) => this.#showFlow(id),
    });
    showLegend();
    this.#listen();
    this.#draw();
    this.#ticking = setInterval(() => this.#showFacts(), TICK_MS);
  }

  /** Something of the record is another. */
  changed(): void {
    if (!this.#isPaused) this.#soon();
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  #draw(): void {
    this.#scope.show();
    this.#showFacts();
    this.#verdicts.show();
    const { current } = this.#tabs;
    const isEntries = current === "sequence" || current === "timeline";
    element("entry-filter", HTMLElement).hidden = !isEntries;
    const noEntries = element("no-entries", HTMLElement);
    noEntries.hidden = true;
    if (!isEntries) this.#detail.hide();
    if (isEntries) {
      this.#detail.update();
      const entries = this.#filter.apply();
      noEntries.hidden = entries.length > 0;
      setText(noEntries, this.#record.entries.length === 0 ? NOTHING_YET : NONE_FITS);
      if (current === "sequence") this.#sequence.show(entries, this.#filter.sum);
      else this.#raw.show(entries);
    } else if (current === "map") this.#map.show();
    else if (current === "sdp") this.#sdp.show();
    else if (current === "transports") this.#transports.show();
    else if (current === "quality") this.#quality.show();
  }

  #open(tab: string, link: string | undefined): void {
    if (link !== undefined && this.#scope.link !== link) this.#scope.choose({ link });
    this.#tabs.show(tab);
    document.getElementById(`tab-${tab}`)?.scrollIntoView({ block: "nearest" });
  }

  #showFinding(place: FindingPlace): void {
    this.#open("sdp", place.link);
    this.#sdp.revealFinding(place);
  }

  /** Whoever closes something goes on where it was opened. */
  #focusPart(): void {
    const { current } = this.#tabs;
    if (current === "sequence") this.#sequence.focus();
    else if (current === "timeline") this.#raw.focus();
    else document.getElementById(`tab-${current}`)?.focus({ preventScroll: true });
  }

  #setFollow(follows: boolean): void {
    this.#follow.checked = follows;
    this.#sequence.follows = follows;
    this.#raw.follows = follows;
  }

  #showEntry(n: number): void {
    const entry = this.#record.entry(n);
    if (entry === undefined) return;
    if (!this.#filter.apply().includes(entry)) {
      this.#filter.clear();
      const link = "link" in entry ? entry.link : undefined;
      this.#scope.choose(link === undefined ? {} : { link });
    }
    this.#open("sequence", undefined);
    this.#setFollow(false);
    this.#sequence.reveal(n);
  }

  #showFlow(id: string): void {
    const flow = this.#record.flows.get(id);
    this.#open("map", this.#scope.link === "" ? undefined : flow?.link);
    this.#map.reveal(id);
  }

  #showFacts(): void {
    const { session, peers, gone, links, verdicts, transports, isOver } = this.#record;
    if (isOver) clearInterval(this.#ticking);
    if (session === undefined) return;
    const present = [...peers.values()].filter(
      ({ id, role }) => role !== "observer" && !gone.has(id),
    );
    const away = present.filter(({ state }) => state === "away").length;
    const live = lastFlows(this.#record);
    const active = live.filter(({ state }) => state === "active").length;
    const paths = [...transports.values()].filter(({ state }) => state !== "closed");
    const judged = verdicts.filter(({ link, state }) => link !== undefined && state !== "over");
    const facts: readonly (readonly [string, string])[] = [
      [isOver ? "Seen until" : "Running for", span(this.#record.elapsed)],
      ["Topology", session.topology],
      ["Peers", away === 0 ? `${present.length}` : `${present.length - away} of ${present.length}`],
      ["Links", String(judged.length || links.size)],
      ["Transports", String(paths.length)],
      ["Flows", active === live.length ? `${live.length}` : `${active} of ${live.length}`],
      ["Bit rate", bitrate(live.reduce((sum, flow) => sum + bitrateOf(flow), 0))],
    ];
    if (this.#facts.children.length !== facts.length) {
      this.#facts.replaceChildren(
        ...facts.map(([name]) => {
          const fact = make("div");
          fact.append(make("dt", "", name), make("dd"));
          return fact;
        }),
      );
    }
    facts.forEach((texts, index) => {
      const boxes = this.#facts.children[index]?.children;
      texts.forEach((text, place) => {
        const box = boxes?.[place];
        if (box) setText(box, text);
      });
    });
    setText(element("session-id", HTMLElement), session.id);
  }

  #listen(): void {
    this.#follow.addEventListener("change", () => this.#setFollow(this.#follow.checked));
    for (const list of [this.#sequence, this.#raw]) {
      list.onFollow(() => this.#setFollow(list.follows));
    }
    this.#pause.addEventListener("click", () => {
      this.#isPaused = !this.#isPaused;
      if (this.#isPaused) this.#record.hold();
      else this.#record.goOn();
      this.#draw();
      this.#pause.ariaPressed = String(this.#isPaused);
      setText(this.#pause, this.#isPaused ? "Go on" : "Pause");
    });
    element("save", HTMLButtonElement).addEventListener("click", () => {
      const { session, entries, verdicts } = this.#record;
      save(`duplex-${session?.id ?? "session"}.ndjson`, ndjson(entries, verdicts));
    });
    const copy = element("copy-id", HTMLButtonElement);
    copy.addEventListener("click", () => {
      navigator.clipboard
        .writeText(this.#record.session?.id ?? "")
        .then(() => {
          setText(copy, "Copied");
          setTimeout(() => setText(copy, "Copy"), COPIED_MS);
        })
        .catch(reportError);
    });
  }
}

/** A line of each look with its name: the map itself says no more than that. */
function showLegend(): void {
  const legend = element("legend", HTMLElement);
  for (const look of Object.keys(LOOKS) as Look[]) {
    const line = svg("svg", { class: "map", width: 30, height: 12, "aria-hidden": "true" });
    const group = svg("g", { class: "flow-line", "data-look": look });
    group.append(svg("path", { class: "line", d: "M1 6 H29", "stroke-width": 2.6 }));
    line.append(group);
    const item = make("li");
    item.append(
      line,
      ` ${LOOKS[look].word} `,
      make("span", "soft", look === "active" ? "" : LOOKS[look].sign),
    );
    legend.append(item);
  }
  const item = make("li", "soft", "wider: more bits per second · A audio, V video, D data");
  legend.append(item);
}
