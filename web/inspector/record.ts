import type { ContextRecord } from "../../protocol/context-messages.ts";
import type { Flow, FlowsView } from "../../protocol/flow.ts";
import type { PeerView } from "../../protocol/message-parts.ts";
import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import type { DescriptionView, TimelineView } from "../../protocol/timeline/view.ts";
import type { Transport } from "../../protocol/transport.ts";
import type { Verdict } from "../../protocol/verdict/verdict.ts";
import { Known, type RecordedFinding, type SessionHead } from "./known.ts";
import { type Sample, Samples } from "./samples.ts";

/** More than a session keeps; a page that stays open for days has an end, too. */
const MOST_ENTRIES = 20_000;

const keyOf = ({ link, from, exchange, type }: DescriptionView): string =>
  [link, exchange, type, from].join(" ");

/** What an entry says of whether a peer is there. */
function presenceIn(
  entry: TimelineEntry,
): { readonly peer: string; readonly state: PeerView["state"] | "gone" } | undefined {
  switch (entry.type) {
    case "peer-joined":
    case "peer-resumed":
      return { peer: entry.peer, state: "connected" };
    case "peer-lost":
      return { peer: entry.peer, state: "away" };
    case "peer-left":
      return { peer: entry.peer, state: "gone" };
    default:
      return undefined;
  }
}

const timesOf = (entry: TimelineEntry): number => ("times" in entry ? (entry.times ?? 1) : 1);

/** What happens again and again is told as the entry that it was, with a number that grows. */
const isNews = (known: TimelineEntry | undefined, entry: TimelineEntry): boolean =>
  known === undefined || timesOf(known) < timesOf(entry);

/**
 * All that is known of one session. It only grows: what the server forgets stays here while the page is open. Readers
 * can be held: they see what was known then, while what comes is taken all the same.
 */
export class CallRecord {
  readonly #changed: () => void;
  readonly #samples = new Samples();
  readonly #byNumber = new Map<number, TimelineEntry>();
  /** By peer: the number of the entry that told last whether it is there. */
  readonly #presence = new Map<string, number>();
  readonly #now = new Known();
  #shown = this.#now;
  #heldAt: number | undefined;
  #readUpTo = 0;
  /** Clock of the server minus that of this page, in ms. */
  #skew = Number.NEGATIVE_INFINITY;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Now, in milliseconds from the start of the session. */
  get elapsed(): number {
    return this.#heldAt ?? this.#elapsedNow;
  }

  get #elapsedNow(): number {
    const { overAt, session } = this.#now;
    const now = Date.now() + (Number.isFinite(this.#skew) ? this.#skew : 0);
    return overAt ?? Math.max(0, now - (session?.createdAt ?? now));
  }

  /** Nothing is told of the session any more. */
  get isOver(): boolean {
    return this.#shown.overAt !== undefined;
  }

  get session(): SessionHead | undefined {
    return this.#shown.session;
  }

  get peers(): ReadonlyMap<string, PeerView> {
    return this.#shown.peers;
  }

  get gone(): ReadonlySet<string> {
    return this.#shown.gone;
  }

  get flows(): ReadonlyMap<string, Flow> {
    return this.#shown.flows;
  }

  get transports(): ReadonlyMap<string, Transport> {
    return this.#shown.transports;
  }

  /** Links by id, with the two peers of each. */
  get links(): ReadonlyMap<string, readonly [string, string]> {
    return this.#shown.links;
  }

  get entries(): readonly TimelineEntry[] {
    return this.#shown.entries;
  }

  get verdicts(): readonly Verdict[] {
    return this.#shown.verdicts;
  }

  get findings(): readonly RecordedFinding[] {
    return this.#shown.findings;
  }

  get contexts(): readonly ContextRecord[] {
    return this.#shown.contexts;
  }

  /** Oldest first. */
  get descriptions(): readonly DescriptionView[] {
    return [...this.#shown.descriptions.values()];
  }

  /** Number up to which the timeline was read; a socket tells of single entries, whatever it missed before. */
  get readUpTo(): number {
    return this.#readUpTo;
  }

  entry(n: number): TimelineEntry | undefined {
    return this.entries.find((entry) => entry.n === n);
  }

  samplesOf(flow: string): readonly Sample[] {
    const samples = this.#samples.of(flow);
    const until = this.#heldAt;
    return until === undefined ? samples : samples.filter(({ at }) => at <= until);
  }

  /** The two ends of a link. */
  endsOf(link: string): readonly [string, string] {
    const known = this.#shown.links.get(link);
    if (known !== undefined) return known;
    const [one = link, other = ""] = link.split("~");
    return [one, other];
  }

  otherEnd(link: string, peer: string): string {
    const [one, other] = this.endsOf(link);
    return one === peer ? other : one;
  }

  /** Lets readers see what is known now, until they go on. */
  hold(): void {
    this.#heldAt = this.#elapsedNow;
    this.#shown = this.#now.copy();
  }

  goOn(): void {
    this.#heldAt = undefined;
    this.#shown = this.#now;
    this.#changed();
  }

  /** Nothing comes any more; with the session its flows are over, whoever was told of it. */
  end(isSessionOver: boolean): void {
    const { flows } = this.#now;
    this.#now.overAt = this.#elapsedNow;
    for (const flow of isSessionOver ? [...flows.values()] : []) {
      if (flow.state === "ended") continue;
      flows.set(flow.id, { ...flow, state: "ended", reason: "session-ended" });
    }
    this.#changed();
  }

  takeSession(session: SessionHead): void {
    this.#now.session = session;
    for (const { id, peers } of session.links) this.#now.links.set(id, peers);
    this.takePeers(session.peers);
  }

  /** All peers that are in the session now. */
  takePeers(peers: readonly PeerView[]): void {
    const present = new Set(peers.map(({ id }) => id));
    for (const id of this.#now.peers.keys()) if (!present.has(id)) this.#now.gone.add(id);
    for (const peer of peers) this.takePeer(peer);
    this.#changed();
  }

  takePeer(peer: PeerView): void {
    this.#now.peers.set(peer.id, peer);
    this.#now.gone.delete(peer.id);
    this.#changed();
  }

  lose(peer: string): void {
    this.#now.gone.add(peer);
    this.#changed();
  }

  /** What was read of the timeline; gives the entries that are news. */
  takeTimeline({ at, newest, entries, verdicts }: TimelineView): readonly TimelineEntry[] {
    const createdAt = this.#now.session?.createdAt;
    // The answer that was fastest on its way tells best.
    if (createdAt !== undefined) this.#skew = Math.max(this.#skew, createdAt + at - Date.now());
    this.#readUpTo = Math.max(this.#readUpTo, newest);
    const fresh = this.takeEntries(entries);
    this.#takeVerdicts(verdicts);
    return fresh;
  }

  /** Gives those that are news. */
  takeEntries(entries: readonly TimelineEntry[]): readonly TimelineEntry[] {
    const known = this.#byNumber;
    const fresh = entries
      .filter((entry) => isNews(known.get(entry.n), entry))
      .toSorted((one, other) => one.n - other.n);
    if (fresh.length === 0) return fresh;
    for (const entry of fresh) {
      known.set(entry.n, entry);
      this.#learn(entry);
    }
    const all = [...known.values()].toSorted((one, other) => one.n - other.n);
    for (const { n } of all.slice(0, -MOST_ENTRIES)) known.delete(n);
    this.#now.entries = all.slice(-MOST_ENTRIES);
    this.#changed();
    return fresh;
  }

  #learn(entry: TimelineEntry): void {
    const { links, peers, gone } = this.#now;
    if ("link" in entry && entry.link !== undefined && !links.has(entry.link)) {
      links.set(entry.link, this.endsOf(entry.link));
    }
    const presence = presenceIn(entry);
    if (presence === undefined) return;
    const { peer, state } = presence;
    // What was read late tells of the past.
    if (entry.n < (this.#presence.get(peer) ?? 0)) return;
    this.#presence.set(peer, entry.n);
    if (state === "gone") {
      gone.add(peer);
      return;
    }
    gone.delete(peer);
    const known = peers.get(peer);
    if (known !== undefined && known.state !== state) peers.set(peer, { ...known, state });
  }

  #takeVerdicts(verdicts: readonly Verdict[]): void {
    for (const { link, peers } of verdicts) {
      if (link !== undefined && peers !== undefined) this.#now.links.set(link, peers);
    }
    if (JSON.stringify(verdicts) === JSON.stringify(this.#now.verdicts)) return;
    this.#now.verdicts = verdicts;
    this.#changed();
  }

  takeFlows({ flows, transports }: Pick<FlowsView, "flows" | "transports">): void {
    const now = this.#now;
    // An answer that was on its way when the session ended.
    if (now.overAt !== undefined) return;
    for (const flow of flows) {
      const known = now.flows.get(flow.id);
      if (known !== undefined && known.revision > flow.revision) continue;
      now.flows.set(flow.id, flow);
      now.links.set(flow.link, now.links.get(flow.link) ?? [flow.from, flow.to]);
      this.#samples.take(flow, this.#elapsedNow);
    }
    for (const transport of transports) now.transports.set(transport.id, transport);
    if (flows.length + transports.length > 0) this.#changed();
  }

  /** What the server has now; what it had before is past. */
  takeDescriptions(all: readonly DescriptionView[]): void {
    const { descriptions } = this.#now;
    const present = new Set(all.map(keyOf));
    for (const [key, description] of descriptions) {
      if (!present.has(key)) descriptions.set(key, { ...description, state: "past" });
    }
    for (const description of all) descriptions.set(keyOf(description), description);
    this.#changed();
  }

  takeFindings(findings: readonly RecordedFinding[]): void {
    this.#now.findings = findings;
    this.#changed();
  }

  takeContexts(contexts: readonly ContextRecord[]): void {
    this.#now.contexts = contexts;
    this.#changed();
  }
}
