import { expect } from "vitest";
import { Flow, type FlowsView } from "../protocol/flow.ts";
import type { FlowSummary } from "../protocol/flow-summary.ts";
import { isSummarised, summaryOf } from "../protocol/flows/summary.ts";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import { isConnected, type Link, linkIdOf, revisionOf, type Session } from "../protocol/session.ts";
import type { Role, SessionRequest } from "../protocol/session-config.ts";
import { nextDeadline } from "../protocol/session-deadline.ts";
import { type SelectedPair, Transport } from "../protocol/transport.ts";
import { viewFlows } from "../protocol/views.ts";
import { type Shape, sdpOf } from "./descriptions.ts";
import { PureSession } from "./pure-session.ts";

/** Any history of a session, and what is true of its flows after every event of it. */

/** An expectation that costs nothing where it is met: there are millions. */
function must(holds: unknown, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

type Section = NonNullable<Shape["sections"]>[number];

/** An event of a history: who, with whom, what, and numbers that choose among what there is. */
export interface Deed {
  readonly actor: number;
  readonly other: number;
  readonly act: Act;
  readonly n: number;
  readonly m: number;
}

export const ACTS = [
  "exchange",
  "offer",
  "answer",
  "reject",
  "rollback",
  "transport",
  "flow",
  "change-flow",
  "assistance",
  "applied",
  "sources",
  "quality",
  "join",
  "lose",
  "leave",
  "kick",
  "alarm",
] as const;
export type Act = (typeof ACTS)[number];

export interface Cast {
  readonly config: SessionRequest;
  readonly roles: Readonly<Record<string, Role>>;
  /** Who follows flows briefly. */
  readonly brief: readonly string[];
}

/** Two to four who talk, directly or by a media server, with and without somebody who watches. */
export const CASTS: readonly Cast[] = [
  { config: {}, roles: { a: "peer", b: "peer" }, brief: ["b"] },
  {
    config: { sdpPolicy: "report" },
    roles: { a: "peer", b: "peer", o: "observer" },
    brief: ["a"],
  },
  {
    config: { sdpPolicy: "report", maxUplinkBps: 700_000, maxDownlinkBps: 900_000 },
    roles: { a: "peer", b: "peer", c: "peer", o: "observer" },
    brief: ["b", "o"],
  },
  {
    config: { sdpPolicy: "report", topology: "central" },
    roles: { m: "media-server", a: "peer", b: "peer", o: "observer" },
    brief: ["m", "a"],
  },
  {
    config: { topology: "central", maxDownlinkBps: 500_000 },
    roles: { m: "media-server", a: "peer", b: "peer", c: "peer" },
    brief: ["c"],
  },
];

const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % list.length];

const texts = new Map<string, string>();

/** Texts are made once. */
function textOf(shape: Shape): string {
  const key = JSON.stringify(shape);
  const known = texts.get(key) ?? sdpOf(shape);
  texts.set(key, known);
  return known;
}

/** Every section has a transport of its own. */
const unbundled = (text: string): string => text.replace(/a=group:BUNDLE.*\r\n/, "");

const DIRECTIONS = ["sendrecv", "sendonly", "recvonly", "inactive"] as const;
const KINDS = ["audio", "video", "application"] as const;
const MOST_SECTIONS = 3;

/** The sections of the next offer: the same, one more, one switched, stopped or used again. */
function offeredSections(known: readonly Section[], n: number, m: number): readonly Section[] {
  const at = n % Math.max(1, known.length);
  const changed = (change: Partial<Section>): readonly Section[] =>
    known.map((section, index) => (index === at ? { ...section, ...change } : section));
  const kind = KINDS[m % KINDS.length]!;
  const mid = `${n % 10}${m % 10}`;
  const isFree = known[at]?.port === 0;
  if (known.length === 0) return [{ kind, mid, ssrc: 1 + m }];
  switch (m % 6) {
    case 0:
      return known;
    case 1:
    case 2:
      return changed({ direction: DIRECTIONS[n % 4]!, ssrc: 1 + (n % 3) });
    case 3:
      return changed({ port: 0 });
    case 4:
      return isFree ? changed({ port: 9, kind, mid: `r${mid}` }) : changed({ port: 9 });
    default:
      return known.length < MOST_SECTIONS ? [...known, { kind, mid: `n${mid}` }] : known;
  }
}

/** What may answer a direction (RFC 3264 s6.1). */
const ANSWERS: Readonly<Record<string, readonly NonNullable<Section["direction"]>[]>> = {
  sendrecv: ["sendrecv", "sendonly", "recvonly", "inactive"],
  sendonly: ["recvonly", "inactive"],
  recvonly: ["sendonly", "inactive"],
  inactive: ["inactive"],
};

/** A section of an answer, now and then rejected, or one that cannot be. */
function answered(offered: readonly Section[], n: number, m: number): readonly Section[] {
  return offered.map((section, index) => {
    if (section.port === 0 || (m % 7 === 0 && index === n % offered.length)) {
      return { ...section, port: 0 };
    }
    const fitting = ANSWERS[m % 17 === 0 ? "sendrecv" : (section.direction ?? "sendrecv")] ?? [];
    return { ...section, direction: fitting[m % 2 === 0 ? 0 : (n + index) % fitting.length]! };
  });
}

const PAIRS: readonly SelectedPair[] = [
  {
    local: { candidateType: "host", address: "192.0.2.1", port: 1000, protocol: "udp" },
    remote: { candidateType: "host", address: "192.0.2.2", port: 2000, protocol: "udp" },
  },
  {
    local: { candidateType: "relay", address: "198.51.100.1", port: 5000, protocol: "udp" },
    remote: { candidateType: "srflx", address: "203.0.113.2", port: 3000, protocol: "udp" },
  },
];

/** What a peer or observer knows of flows by nothing but what it was sent. */
class Follower {
  readonly flows = new Map<string, FlowSummary>();
  readonly transports = new Map<string, Transport>();
  readonly #isBrief: boolean;
  revision = 0;
  hasNews = false;

  constructor(isBrief: boolean) {
    this.#isBrief = isBrief;
  }

  hear(message: ToPeer, peer: string): void {
    if (message.type === "welcome") {
      this.flows.clear();
      this.transports.clear();
      for (const flow of message.flows.flows) this.flows.set(flow.id, flow);
      for (const each of message.flows.transports) this.transports.set(each.id, each);
      this.revision = message.flows.revision;
    }
    if (message.type !== "flows") return;
    must(message.changed.length + message.transports.length > 0, `${peer}: no news`);
    must(message.revision > this.revision, `${peer}: revision ${message.revision} once more`);
    if (this.#isBrief) for (const each of message.changed) this.#mustBeNews(each);
    take(this.flows, message.changed, this.revision);
    take(this.transports, message.transports, this.revision);
    this.revision = message.revision;
    this.hasNews = true;
  }

  #mustBeNews(summary: FlowSummary): void {
    const known = this.flows.get(summary.id);
    must(!known || !isSame(known, summary), `${summary.id}: nothing new`);
  }

  /** What it knows is what whoever reads finds. */
  check({ flows, transports }: FlowsView): void {
    if (!this.#isBrief) {
      expectSame(this.flows, flows);
      expectSame(this.transports, transports);
      return;
    }
    must(this.transports.size === 0, "a brief follower knows transports");
    const others = new Map(this.flows);
    for (const flow of flows.filter(isSummarised)) {
      const known = others.get(flow.id);
      must(known && isSame(known, summaryOf(flow)), `${flow.id} is known otherwise`);
      others.delete(flow.id);
    }
    // Of which something was asked, and is not any more: it is as good as not told.
    for (const { id, state } of others.values()) must(state === "negotiated", `${id} is ${state}`);
  }
}

/** Nothing comes that the follower has. */
function take<T extends { id: string; revision: number }>(
  known: Map<string, T>,
  changed: readonly T[],
  revision: number,
): void {
  for (const record of changed) {
    must(record.revision > revision, `${record.id} was known`);
    const before = known.get(record.id);
    must(!before || before.revision < record.revision, `${record.id} is older`);
    known.set(record.id, record);
  }
}

function expectSame<T extends { id: string }>(known: Map<string, T>, read: readonly T[]): void {
  const isAsRead = known.size === read.length && read.every((each) => known.get(each.id) === each);
  if (!isAsRead) expect(Object.fromEntries(known)).toEqual(byId(read));
}

const byId = <T extends { id: string }>(records: readonly T[]) =>
  Object.fromEntries(records.map((record) => [record.id, record]));

/** Plain JSON, which has no undefined. */
function hasUndefined(value: unknown): boolean {
  if (value === undefined) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUndefined);
}

const flowsOf = ({ links }: Session): readonly Flow[] =>
  [...links.values()].flatMap(({ flows }) => flows.flows);

const isLive = ({ state }: Flow): boolean => state !== "ended";

const StrictFlow = Flow.strict();
const StrictTransport = Transport.strict();

/** A change that was taken back in the same event is none. */
const isSame = (one: FlowSummary | Transport, other: FlowSummary | Transport): boolean =>
  JSON.stringify({ ...one, revision: 0 }) === JSON.stringify({ ...other, revision: 0 });

/** The session as it is read back after an eviction. */
const readBack = (session: Session): Session => ({
  ...session,
  links: new Map(
    [...session.links].map(([id, link]) => [id, JSON.parse(JSON.stringify(link)) as Link]),
  ),
});

export class History {
  readonly pure: PureSession;
  /** What flows came to: states with their reasons, and what qualified them. */
  readonly seen = new Set<string>();
  readonly #roles: Readonly<Record<string, Role>>;
  readonly #names: readonly string[];
  readonly #followers = new Map<string, Follower>();
  readonly #brief: readonly string[];
  /** What an id stands for. */
  readonly #meaning = new Map<string, string>();
  /** Sections of the open offer of a link, and of its pair in force. */
  readonly #offered = new Map<string, readonly Section[]>();
  readonly #sections = new Map<string, readonly Section[]>();
  readonly #generation = new Map<string, number>();
  readonly #certificate = new Map<string, number>();

  constructor({ config, roles, brief }: Cast) {
    this.#roles = roles;
    this.#brief = brief;
    this.#names = Object.keys(roles);
    this.pure = new PureSession({ resumeSeconds: 30, emptyTtlSeconds: 3000, ...config });
    for (const name of this.#names) this.#watched(() => this.#join(name));
  }

  #join(name: string): unknown {
    const flows = this.#brief.includes(name) ? "brief" : "full";
    return this.pure.join(name, this.#roles[name], {}, flows);
  }

  /** With `isEvicted`, nothing of the session but what is written outlives an event (R4). */
  do(deed: Deed, isEvicted = false): void {
    if (isEvicted) this.pure.session = readBack(this.pure.session);
    this.pure.at += 10;
    if (deed.act !== "exchange") {
      this.#watched(() => this.#perform(deed));
      return;
    }
    this.#watched(() => this.#perform({ ...deed, act: "offer" }));
    this.#watched(() => this.#perform({ ...deed, act: "answer" }));
  }

  /** The session ends: whoever follows learns how everything ended before it is closed. */
  end(): void {
    const { pure } = this;
    const there = this.#names.filter((name) => isConnected(pure.session.peers.get(name)));
    pure.do({ type: "end", at: pure.at });
    for (const name of there) {
      const follower = this.#followers.get(name);
      for (const message of pure.take(name)) follower?.hear(message, name);
      for (const flow of follower?.flows.values() ?? []) {
        must(flow.state === "ended", `${flow.id} outlives the session`);
        this.seen.add(`ended ${flow.reason}`);
      }
    }
  }

  #perform({ actor, other, act, n, m }: Deed): unknown {
    const { pure } = this;
    const peer = pick(this.#names, actor) ?? "a";
    switch (act) {
      case "join": {
        const { peers } = pure.session;
        const missing = this.#names.filter((name) => !isConnected(peers.get(name)));
        const comer = pick(missing, actor) ?? peer;
        return this.#join(comer);
      }
      case "lose":
        return pure.do({ type: "lost", peer, at: pure.at });
      case "kick":
        // Who is kicked never comes back: not everybody, or nothing would follow.
        return n % 5 === 0 ? pure.do({ type: "kick", peer, at: pure.at }) : undefined;
      case "alarm":
        return this.#wait(n);
      case "change-flow": {
        const flow = this.#flow(n, () => true);
        return pure.do({ type: "change-flow", flow, change: changeOf(n, m), at: pure.at });
      }
      case "assistance": {
        const [link = "a~b"] = [pick([...pure.session.links.keys()], other)];
        const end = link.split("~")[actor % 2] ?? "a";
        return pure.do({ ...assistanceOf(n, m), link, peer: end, at: pure.at });
      }
      default: {
        const [from, to] = this.#ways(act, actor, other, m) ?? this.#anyWay(actor, other);
        if (!isConnected(pure.session.peers.get(from))) return undefined;
        const message = this.#message(act, from, to, n, m);
        return message && pure.send(from, message);
      }
    }
  }

  /** Who sends to whom, so that it makes sense: seldom nobody cares whether it does. */
  #ways(act: Act, actor: number, other: number, m: number): readonly [string, string] | undefined {
    if (m % 13 === 0) return undefined;
    const links = [...this.pure.session.links.values()].filter(({ peers }) =>
      peers.every((id) => this.pure.session.peers.has(id)),
    );
    if (act === "answer" || act === "reject" || act === "rollback") {
      const link = pick(
        links.filter(({ open }) => open),
        actor,
      );
      if (!link?.open) return undefined;
      const { offerer } = link.open;
      const answerer = link.peers.find((id) => id !== offerer) ?? offerer;
      return act === "rollback" ? [offerer, answerer] : [answerer, offerer];
    }
    if (act !== "transport" && act !== "quality") return undefined;
    const link = pick(
      links.filter(({ inForce }) => inForce),
      actor,
    );
    if (!link) return undefined;
    const [one, two] = link.peers;
    return other % 2 === 0 ? [one, two] : [two, one];
  }

  /** Two who may talk to each other, in a central session by the media server. */
  #anyWay(actor: number, other: number): readonly [string, string] {
    const talking = this.#names.filter((name) => this.#roles[name] !== "observer");
    const server = talking.find((name) => this.#roles[name] === "media-server");
    const peer = pick(talking, actor) ?? "a";
    const others = talking.filter((name) => name !== peer);
    const to = server === undefined || server === peer ? pick(others, other) : server;
    return [peer, to ?? "b"];
  }

  /** To what is due next, or somewhat later. */
  #wait(n: number): void {
    const { pure } = this;
    const due = nextDeadline(pure.session) ?? pure.at;
    const later = n % 3 === 0 ? 31_000 : 0;
    // Tokens and the session itself are not to expire: nothing would follow.
    if (Math.max(pure.at, due) + later > 1_700_000_000_000 + 2_400_000) return;
    pure.at = Math.max(pure.at, due) + later;
    pure.do({ type: "alarm", at: pure.at });
    const next = nextDeadline(pure.session);
    // R5: what was due is done, or the alarm would never rest.
    must(next === null || next > pure.at, `due again at ${next}`);
  }

  #message(act: Act, peer: string, to: string, n: number, m: number): FromPeer | undefined {
    const link = this.pure.session.links.get(linkIdOf(peer, to));
    const exchange = m % 9 === 0 ? n : ((link?.open ?? link?.inForce)?.exchange ?? 1);
    switch (act) {
      case "offer":
        return this.#offer(peer, to, n, m);
      case "answer":
        return this.#answer(peer, to, exchange, n, m);
      case "reject":
      case "rollback":
        return { type: act, to, exchange };
      case "transport":
        return this.#report(link, to, n, m);
      case "flow":
        return { type: "flow", flow: this.#flow(n, isOf(peer)), ...changeOf(n, m) };
      case "applied":
        return {
          type: "applied",
          flow: this.#flow(n, ({ from }) => from === peer),
          revision: revisionOf(this.pure.session),
          held: n % 2 === 0,
          ...(m % 3 === 0 ? { problem: { code: "no-sender", detail: "it is gone" } } : {}),
        };
      case "sources": {
        const sourceFlows = [n, m, n + m]
          .slice(0, m % 3)
          .map((each) => this.#flow(each, (flow) => flow.to === peer));
        const flow = this.#flow(m, ({ from }) => from === peer);
        const more = n % 2 === 0 ? {} : { forwarding: m % 2 === 0 };
        return { type: "sources", flow, sourceFlows: [...new Set(sourceFlows)], ...more };
      }
      case "quality": {
        const flow = this.#flow(n, isOf(peer));
        const sources = n % 4 === 0 ? { sources: [{ ssrc: 1 + (m % 5) }] } : {};
        return {
          type: "quality",
          to,
          flows: [{ flow, bitrateBps: 1000 * (m % 4), packets: n, ...sources }],
        };
      }
      case "leave":
        return { type: "leave" };
      default:
        return undefined;
    }
  }

  #offer(peer: string, to: string, n: number, m: number): FromPeer {
    const id = linkIdOf(peer, to);
    const sections = offeredSections(this.#sections.get(id) ?? [], n, m);
    const isRestart = n % 5 === 4;
    if (isRestart) this.#more(this.#generation, peer);
    if (n % 20 === 14) this.#more(this.#certificate, peer);
    const text = textOf({ ...this.#ends(peer), version: 1 + (n % 9), sections });
    const sdp = m % 8 === 5 ? unbundled(text) : text;
    this.#offered.set(sdp, sections);
    const media = { [sections[0]?.mid ?? "0"]: { sourceId: `cam${m % 3}` } };
    return {
      type: "offer",
      to,
      sdp,
      ...(isRestart ? { restart: true } : {}),
      ...(m % 5 === 0 ? { media } : {}),
    };
  }

  #answer(peer: string, to: string, exchange: number, n: number, m: number): FromPeer | undefined {
    const open = this.pure.session.links.get(linkIdOf(peer, to))?.open;
    const offered = this.#offered.get(open?.offer.sdp ?? "") ?? [{ kind: "audio" as const }];
    const sections = answered(offered, n, m);
    // Who is asked to restart restarts, but for those who forget it.
    if (open?.restart && n % 9 !== 0) this.#more(this.#generation, peer);
    const setup = peer < to ? "active" : "passive";
    const text = textOf({ ...this.#ends(peer), setup, version: 1 + (n % 9), sections });
    const sdp = open?.offer.sdp.includes("a=group:") && n % 12 !== 0 ? text : unbundled(text);
    this.#offered.set(sdp, sections);
    return { type: "answer", to, exchange, sdp };
  }

  #more(counts: Map<string, number>, peer: string): void {
    counts.set(peer, (counts.get(peer) ?? 0) + 1);
  }

  #ends(peer: string): Pick<Shape, "of" | "ufrag"> {
    const certificate = this.#certificate.get(peer) ?? 0;
    return { of: `${peer}${certificate}`, ufrag: `uf${peer}${this.#generation.get(peer) ?? 0}` };
  }

  #report(link: Link | undefined, to: string, n: number, m: number): FromPeer {
    const states = ["connected", "connected", "disconnected", "failed", "checking", "new"] as const;
    const state = n % 23 === 0 ? "closed" : pick(states, n)!;
    const transport = pick(link?.flows.transports ?? [], m)?.id;
    return {
      type: "transport",
      to,
      state,
      ...(m % 4 === 0 || transport === undefined ? {} : { transport }),
      ...(m % 3 === 0 ? {} : { pair: pick(PAIRS, m)! }),
    };
  }

  /** The id of some flow, also of one that has ended or that is another's now and then. */
  #flow(n: number, wanted: (flow: Flow) => boolean): string {
    const all = flowsOf(this.pure.session);
    const fitting = all.filter((flow) => (isLive(flow) && wanted(flow)) || n % 11 === 0);
    return pick(fitting, n)?.id ?? "a~b:0.1:a";
  }

  /** An event, and everything that must be true after it. */
  #watched(event: () => unknown): void {
    const { pure } = this;
    const before = pure.session;
    const refused = event();
    const after = pure.session;
    if (isProblem(refused as object) && !("session" in (refused as object))) {
      // What the rules found in a refused description is kept, and nothing else.
      expect(flowsOf(after)).toEqual(flowsOf(before));
    }
    this.#learn(after);
    const hasChanged = this.#checkRecords(before, after);
    const revision = revisionOf(after);
    must(hasChanged === revision > revisionOf(before), `revision ${revision}, news: ${hasChanged}`);
    this.#checkLinks(after);
    this.#checkAssistance(after);
    this.#checkSources(after);
    this.#checkFollowers(after);
  }

  #learn({ links }: Session): void {
    for (const { id, open, inForce } of links.values()) {
      if (open) continue;
      const sections = inForce && this.#offered.get(inForce.answer.sdp);
      if (sections) this.#sections.set(id, sections);
      else this.#sections.delete(id);
    }
  }

  /** Whether any record changed; each that did is checked by itself. */
  #checkRecords(before: Session, after: Session): boolean {
    const floor = revisionOf(before);
    const ceiling = revisionOf(after);
    let hasChanged = false;
    for (const link of after.links.values()) {
      const formerly = before.links.get(link.id);
      if (link.flows === formerly?.flows) continue;
      const known = new Map<string, Flow | Transport>();
      for (const record of formerly?.flows.flows ?? []) known.set(record.id, record);
      for (const record of formerly?.flows.transports ?? []) known.set(record.id, record);
      for (const record of [...link.flows.flows, ...link.flows.transports]) {
        const former = known.get(record.id);
        known.delete(record.id);
        if (record === former) continue;
        hasChanged = true;
        must(former?.state !== "ended" && former?.state !== "closed", `${record.id} was over`);
        must(record.revision > floor && record.revision <= ceiling, `revision of ${record.id}`);
        must(!former || !isSame(former, record), `${record.id} says the same as before`);
        must(!hasUndefined(record), `undefined in ${record.id}`);
        this.#checkMeaning(record, former !== undefined);
        this.#see(record, former);
        const { success, error } =
          "kind" in record ? StrictFlow.safeParse(record) : StrictTransport.safeParse(record);
        must(success, `${record.id}: ${error?.message}`);
        if ("kind" in record) this.#checkTiming(record);
        must(
          record.state !== "ended" || Boolean(record.reason),
          `${record.id} ended without cause`,
        );
      }
      // Nothing is forgotten that soon.
      must(known.size === 0, `forgotten: ${[...known.keys()]}`);
      must(!hasUndefined({ ...link.flows, flows: [], transports: [] }), "undefined in the link");
    }
    return hasChanged;
  }

  /** Durations are of the past, and no longer than it. */
  #checkTiming({ id, since, timing: { createdAt, activeAt, activeMs, heldMs } }: Flow): void {
    const isOrdered = createdAt <= since && since <= this.pure.at && (activeAt ?? since) <= since;
    must(isOrdered && activeMs + heldMs <= since - createdAt, `timing of ${id}`);
  }

  #see(record: Flow | Transport, former: Flow | Transport | undefined): void {
    if (!("kind" in record)) {
      if (former && "iceGeneration" in former && record.iceGeneration > former.iceGeneration) {
        this.seen.add("ICE restart");
      }
      const [then, now] = [former, record].map(
        (each) => each && "dtls" in each && each.dtls.fingerprints,
      );
      if (then && JSON.stringify(then) !== JSON.stringify(now)) this.seen.add("DTLS association");
      this.seen.add(`transport ${record.state}`);
      this.seen.add(record.mids.length > 1 ? "bundled" : "unbundled");
      return;
    }
    this.seen.add([record.state, ...(record.reason ? [record.reason] : [])].join(" "));
    for (const [name, value] of Object.entries(record)) if (value === true) this.seen.add(name);
    for (const name of Object.keys(record.pending ?? {})) this.seen.add(`pending ${name}`);
    if (record.limits.source === "network") this.seen.add("limited by a network");
    for (const name of ["applied", "assistance", "quality", "requests", "sourceId"] as const) {
      if (record[name] !== undefined) this.seen.add(name);
    }
    if (record.sourceFlows.length > 0) this.seen.add("sourceFlows");
    if (former?.state === "held" && record.state === "active") this.seen.add("resumed");
    if (/\.[2-9]:/.test(record.id)) this.seen.add("recycled");
  }

  #checkMeaning(record: Flow | Transport, isKnown: boolean): void {
    const meaning =
      "kind" in record ? [record.link, record.kind, record.from, record.to].join(" ") : record.link;
    const known = this.#meaning.get(record.id);
    must(isKnown ? known === meaning : known === undefined, `${record.id}: ${known}, ${meaning}`);
    this.#meaning.set(record.id, meaning);
  }

  #checkLinks(session: Session): void {
    for (const link of session.links.values()) {
      const { open, inForce, flows } = link;
      const ends = link.peers.map((id) => session.peers.get(id));
      const isGone = ends.includes(undefined);
      const isAway = ends.some((peer) => peer && !isConnected(peer));
      for (const flow of flows.flows.filter(isLive)) {
        must(!isGone, `${flow.id} has lost a peer`);
        must((flow.stale === true) === isAway, `${flow.id}: stale ${flow.stale}, away ${isAway}`);
        must((flow.state === "proposed" ? open : inForce) !== null, `${flow.id} ${flow.state}`);
        must(!flow.pending || flow.pending.exchange === open?.exchange, `pending of ${flow.id}`);
        const carrier = flows.transports.find(({ id }) => id === flow.transport);
        must(flow.state !== "active" || carrier?.state !== "closed", `${flow.id} on nothing`);
      }
      if (!isGone) continue;
      for (const { id, state } of flows.transports) must(state === "closed", `${id} is open`);
    }
  }

  /** What networks do is on every live flow, and what they recommend is kept to. */
  #checkAssistance({ links }: Session): void {
    for (const { flows, peers } of links.values()) {
      const live = flows.flows.filter(isLive);
      const told = JSON.stringify(flows.assistance);
      for (const { id, assistance } of live) {
        must(JSON.stringify(assistance) === told, `${id}: ${JSON.stringify(assistance)}`);
      }
      const running = live.filter(
        ({ kind, state }) => kind !== "data" && state !== "held" && state !== "proposed",
      );
      for (const { id, from, to, limits } of live) {
        const isAdvised =
          flows.assistance?.[from]?.advised?.uplinkBps !== undefined ||
          flows.assistance?.[to]?.advised?.downlinkBps !== undefined;
        must(limits.source !== "network" || isAdvised, `${id} is limited by nobody`);
      }
      for (const peer of peers) {
        const { uplinkBps, downlinkBps } = flows.assistance?.[peer]?.advised ?? {};
        mustKeepTo(
          uplinkBps,
          running.filter(({ from }) => from === peer),
        );
        mustKeepTo(
          downlinkBps,
          running.filter(({ to }) => to === peer),
        );
      }
    }
  }

  /** F9: live flows that end where the flow begins, and no circle. */
  #checkSources(session: Session): void {
    const flows = new Map(flowsOf(session).map((flow) => [flow.id, flow]));
    for (const flow of flows.values()) {
      if (!isLive(flow)) continue;
      for (const id of flow.sourceFlows) {
        const source = flows.get(id);
        must(source && isLive(source) && source.to === flow.from, `${id} feeds ${flow.id}`);
      }
      const seen = new Set<string>();
      const front = [...flow.sourceFlows];
      for (let id = front.pop(); id !== undefined; id = front.pop()) {
        must(id !== flow.id, `${id} feeds itself`);
        if (seen.has(id)) continue;
        seen.add(id);
        front.push(...(flows.get(id)?.sourceFlows ?? []));
      }
    }
  }

  /** F4: events and reads agree, for everyone who is there. */
  #checkFollowers(session: Session): void {
    const revision = revisionOf(session);
    for (const name of this.#names) {
      const follower = this.#followers.get(name) ?? new Follower(this.#brief.includes(name));
      this.#followers.set(name, follower);
      follower.hasNews = false;
      const frames = this.pure.take(name);
      for (const message of frames) follower.hear(message, name);
      const peer = session.peers.get(name);
      if (!isConnected(peer)) continue;
      follower.check(viewFlows(session, peer));
      // Of what changes a brief one is told some.
      if (this.#brief.includes(name)) continue;
      const isTold = follower.hasNews || peer?.role === "observer";
      must(!isTold || follower.revision === revision, `${name} is at ${follower.revision}`);
    }
  }
}

function changeOf(n: number, m: number) {
  return {
    ...(n % 3 === 0 ? { held: m % 2 === 0 } : {}),
    ...(n % 3 === 1 ? { maxBitrateBps: m % 4 === 0 ? null : 100_000 * (1 + (m % 4)) } : {}),
    ...(n % 3 === 2 ? { priority: m % 3 === 0 ? ("high" as const) : ("low" as const) } : {}),
  };
}

/** What a network does: nothing now and then, and recommends something mostly. */
function assistanceOf(n: number, m: number) {
  const advised = {
    ...(m % 2 === 0 ? { uplinkBps: 40_000 * (m % 9) } : {}),
    ...(m % 3 === 0 ? { downlinkBps: 90_000 } : {}),
  };
  const assistance = {
    network: "alpha",
    api: "camara-qod",
    state: n % 2 === 0 ? "granted" : "impaired",
    since: n,
    ...(n % 5 === 0 ? {} : { advised }),
  } as const;
  return { type: "assistance", assistance: n % 7 === 0 ? null : assistance } as const;
}

/** All together take no more than is recommended. */
function mustKeepTo(bps: number | undefined, flows: readonly Flow[]): void {
  if (bps === undefined) return;
  const sum = flows.reduce((all, { limits }) => all + (limits.effectiveBps ?? Infinity), 0);
  must(sum <= bps, `${flows.map(({ id }) => id)} may take ${sum} of ${bps}`);
}

const isOf =
  (peer: string) =>
  ({ from, to }: Flow): boolean =>
    from === peer || to === peer;
