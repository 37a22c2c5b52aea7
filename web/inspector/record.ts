import type { Flow, FlowsView } from "../../protocol/flow.ts";
import type { PeerView } from "../../protocol/message-parts.ts";
import type { SdpFinding } from "../../protocol/sdp/finding.ts";
import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import type { DescriptionView, TimelineView } from "../../protocol/timeline/view.ts";
import type { Transport } from "../../protocol/transport.ts";
import type { Verdict } from "../../protocol/verdict/verdict.ts";
import { Samples } from "./samples.ts";

/** What GET /v1/sessions/{id} answers, as far as it is shown. */
export interface SessionHead {
  readonly id: string;
  readonly createdAt: number;
  readonly topology: "mesh" | "central";
  readonly sdpPolicy?: string;
  readonly iceTransportPolicy?: string;
  readonly debug?: boolean;
  readonly peers: readonly PeerView[];
  readonly links: readonly { readonly id: string; readonly peers: readonly [string, string] }[];
}

/** An entry of GET .../findings. */
export interface RecordedFinding extends SdpFinding {
  readonly link: string;
  readonly from: string;
  readonly at: number;
  readonly exchange?: number;
  readonly refused?: true;
}

export type Part =
  | "session"
  | "peers"
  | "entries"
  | "verdicts"
  | "flows"
  | "descriptions"
  | "findings";

/** More than a session keeps; a page that stays open for days has an end, too. */
const MOST_ENTRIES = 20_000;

const keyOf = ({ link, from, exchange, type }: DescriptionView): string =>
  [link, exchange, type, from].join(" ");

/** All that is known of one session. It only grows: what the server forgets stays here while the page is open. */
export class CallRecord {
  readonly samples = new Samples();
  readonly peers = new Map<string, PeerView>();
  /** Peers that left; their names are still wanted. */
  readonly gone = new Set<string>();
  readonly flows = new Map<string, Flow>();
  readonly transports = new Map<string, Transport>();
  readonly #links = new Map<string, readonly [string, string]>();
  readonly #descriptions = new Map<string, DescriptionView>();
  readonly #changed: (part: Part) => void;
  session: SessionHead | undefined;
  entries: readonly TimelineEntry[] = [];
  verdicts: readonly Verdict[] = [];
  findings: readonly RecordedFinding[] = [];
  newest = 0;
  dropped = 0;
  /** Clock of the server minus that of this page, in ms. */
  #skew = Number.NEGATIVE_INFINITY;

  constructor(changed: (part: Part) => void) {
    this.#changed = changed;
  }

  /** Now, in milliseconds from the start of the session. */
  get elapsed(): number {
    const now = Date.now() + (Number.isFinite(this.#skew) ? this.#skew : 0);
    return Math.max(0, now - (this.session?.createdAt ?? now));
  }

  /** Links by id, with the two peers of each. */
  get links(): ReadonlyMap<string, readonly [string, string]> {
    return this.#links;
  }

  /** Oldest first. */
  get descriptions(): readonly DescriptionView[] {
    return [...this.#descriptions.values()];
  }

  /** The two ends of a link. */
  endsOf(link: string): readonly [string, string] {
    const known = this.#links.get(link);
    if (known !== undefined) return known;
    const [one = link, other = ""] = link.split("~");
    return [one, other];
  }

  otherEnd(link: string, peer: string): string {
    const [one, other] = this.endsOf(link);
    return one === peer ? other : one;
  }

  takeSession(session: SessionHead): void {
    this.session = session;
    for (const { id, peers } of session.links) this.#links.set(id, peers);
    this.takePeers(session.peers);
    this.#changed("session");
  }

  /** All peers that are in the session now. */
  takePeers(peers: readonly PeerView[]): void {
    const present = new Set(peers.map(({ id }) => id));
    for (const id of this.peers.keys()) if (!present.has(id)) this.gone.add(id);
    for (const peer of peers) this.takePeer(peer);
    this.#changed("peers");
  }

  takePeer(peer: PeerView): void {
    this.peers.set(peer.id, peer);
    this.gone.delete(peer.id);
    this.#changed("peers");
  }

  lose(peer: string): void {
    this.gone.add(peer);
    this.#changed("peers");
  }

  takeTimeline({ at, newest, dropped, entries, verdicts }: TimelineView): void {
    const createdAt = this.session?.createdAt;
    // The answer that was fastest on its way tells best.
    if (createdAt !== undefined) this.#skew = Math.max(this.#skew, createdAt + at - Date.now());
    this.dropped = dropped;
    this.takeEntries(entries, newest);
    this.#takeVerdicts(verdicts);
  }

  takeEntries(entries: readonly TimelineEntry[], newest: number): void {
    this.newest = Math.max(this.newest, newest);
    const known = new Set(this.entries.slice(-MOST_ENTRIES).map(({ n }) => n));
    const fresh = entries.filter(({ n }) => !known.has(n));
    if (fresh.length === 0) return;
    for (const entry of fresh) this.#learn(entry);
    this.entries = [...this.entries, ...fresh]
      .toSorted((one, other) => one.n - other.n)
      .slice(-MOST_ENTRIES);
    this.#changed("entries");
  }

  #learn(entry: TimelineEntry): void {
    if (!("link" in entry) || entry.link === undefined || this.#links.has(entry.link)) return;
    this.#links.set(entry.link, this.endsOf(entry.link));
  }

  #takeVerdicts(verdicts: readonly Verdict[]): void {
    for (const { link, peers } of verdicts) {
      if (link !== undefined && peers !== undefined) this.#links.set(link, peers);
    }
    if (JSON.stringify(verdicts) === JSON.stringify(this.verdicts)) return;
    this.verdicts = verdicts;
    this.#changed("verdicts");
  }

  takeFlows({ flows, transports }: Pick<FlowsView, "flows" | "transports">): void {
    for (const flow of flows) {
      const known = this.flows.get(flow.id);
      if (known !== undefined && known.revision > flow.revision) continue;
      this.flows.set(flow.id, flow);
      this.#links.set(flow.link, this.#links.get(flow.link) ?? [flow.from, flow.to]);
      this.samples.take(flow, this.elapsed);
    }
    for (const transport of transports) this.transports.set(transport.id, transport);
    if (flows.length + transports.length > 0) this.#changed("flows");
  }

  /** What the server has now; what it had before is past. */
  takeDescriptions(descriptions: readonly DescriptionView[]): void {
    const present = new Set(descriptions.map(keyOf));
    for (const [key, description] of this.#descriptions) {
      if (!present.has(key)) this.#descriptions.set(key, { ...description, state: "past" });
    }
    for (const description of descriptions) this.#descriptions.set(keyOf(description), description);
    this.#changed("descriptions");
  }

  takeFindings(findings: readonly RecordedFinding[]): void {
    this.findings = findings;
    this.#changed("findings");
  }
}
