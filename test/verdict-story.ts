import { expect } from "vitest";
import type { QualityReport } from "../protocol/message-parts.ts";
import type { FromPeer } from "../protocol/messages.ts";
import { isProblem, type ProblemCode } from "../protocol/problem.ts";
import { newSession, type Session } from "../protocol/session.ts";
import { type Grant, type Role, SessionRequest } from "../protocol/session-config.ts";
import type { News, TimelineEntry } from "../protocol/timeline/entry.ts";
import { recordedNews, recordedRefusal } from "../protocol/timeline/record.ts";
import { append, NO_TIMELINE, ofLink } from "../protocol/timeline/timeline.ts";
import { CAUSES } from "../protocol/verdict/causes.ts";
import { Verdict, verdictsOf } from "../protocol/verdict/verdict.ts";
import { type Shape, sdpOf } from "./descriptions.ts";
import { PureSession } from "./pure-session.ts";

type Report = Omit<Extract<FromPeer, { type: "transport" }>, "type" | "to" | "id">;

/** What is asked about candidates: how many of each kind. */
export interface CandidateKinds {
  readonly host?: number;
  readonly mdns?: number;
  readonly global?: number;
  readonly srflx?: number;
  readonly prflx?: number;
  readonly relay?: number;
}

/** A session in which things go wrong, and what is said of it. */
export class Story extends PureSession {
  constructor(config: SessionRequest = {}) {
    super(config);
    this.session = newSession("s", SessionRequest.parse(config), this.at);
  }

  come(peer: string, role: Role = "peer", more: Partial<Grant> = {}): this {
    const result = this.join(peer, role, more);
    if (isProblem(result)) {
      const news = { type: "refused", by: peer, code: result.code } as const;
      this.session = recordedNews(this.session, news, this.at).session;
    }
    return this;
  }

  wait(seconds: number): this {
    this.at += seconds * 1000;
    this.do({ type: "alarm", at: this.at });
    return this;
  }

  /** As the shell does: a refusal is noted. */
  tell(peer: string, message: FromPeer): this {
    const before = this.session;
    const problem = this.send(peer, message);
    if (isProblem(problem) && this.session === before) {
      this.session = recordedRefusal(before, peer, { message, problem, at: this.at }).session;
    }
    return this;
  }

  offer(from: string, to: string, shape: Shape | string = {}): this {
    const sdp = typeof shape === "string" ? shape : sdpOf({ of: from, ...shape });
    return this.tell(from, { type: "offer", to, sdp });
  }

  answer(from: string, to: string, shape: Shape | string = {}): this {
    const text = typeof shape === "string" ? shape : sdpOf({ of: from, setup: "active", ...shape });
    return this.tell(from, { type: "answer", to, exchange: this.exchange, sdp: text });
  }

  get exchange(): number {
    return Math.max(1, ...[...this.session.links.values()].map(({ exchange }) => exchange));
  }

  agree(shape: Shape = {}, answered: Shape = shape): this {
    return this.come("alice")
      .come("bob")
      .offer("alice", "bob", shape)
      .answer("bob", "alice", answered);
  }

  candidates(from: string, to: string, kinds: CandidateKinds, complete = true): this {
    const { host = 0, mdns = 0, global = 0, srflx = 0, prflx = 0, relay = 0 } = kinds;
    const lines = [
      ...lined(host, "10.0.0.7", "host"),
      ...lined(mdns, "0b3b5a8a-1111-4a11-8a11-111111111111.local", "host"),
      ...lined(global, "8.8.4.4", "host"),
      ...lined(srflx, "8.8.4.5", "srflx"),
      ...lined(prflx, "8.8.4.6", "prflx"),
      ...lined(relay, "8.8.4.7", "relay"),
    ].map((candidate) => ({ candidate, sdpMid: "0" }));
    const { exchange } = this;
    return this.tell(from, { type: "candidates", to, exchange, candidates: lines, complete });
  }

  /** Both have something to try. */
  both(kinds: CandidateKinds): this {
    return this.candidates("alice", "bob", kinds).candidates("bob", "alice", kinds);
  }

  report(from: string, state: Report["state"], more: Partial<Report> = {}): this {
    const to = from === "alice" ? "bob" : "alice";
    return this.tell(from, { type: "transport", to, state, ...more });
  }

  measure(from: string, ...flows: QualityReport[]): this {
    return this.tell(from, { type: "quality", to: from === "alice" ? "bob" : "alice", flows });
  }

  flow(from: string, kind = "audio"): string {
    const all = [...this.session.links.values()].flatMap(({ flows }) => flows.flows);
    return all.find((flow) => flow.from === from && flow.kind === kind)?.id ?? "none";
  }

  lose(peer: string): this {
    this.do({ type: "lost", peer, at: this.at });
    return this;
  }

  /** Comes by WHIP, with its offer. */
  publish(peer: string): this {
    const sdp = sdpOf({ of: peer, sections: [{ kind: "audio", direction: "sendonly" }] });
    this.do({
      type: "open-http",
      door: "whip",
      grant: this.grant(peer),
      resource: `${peer}-resource-0123456789`,
      offer: sdp,
      at: this.at,
    });
    return this;
  }

  /** Messages that no correct client sends. */
  badger(peer: string, times: number): this {
    for (let n = 0; n < times; n += 1) this.tell(peer, { type: "message", to: peer, body: n });
    return this;
  }

  /** As the shell does when a peer goes on. */
  closeFor(peer: string, code: ProblemCode): this {
    this.do({ type: "lost", peer, code, at: this.at });
    return this;
  }

  leave(peer: string): this {
    return this.tell(peer, { type: "leave" });
  }

  get verdicts(): readonly Verdict[] {
    return judged(this.session, this.at);
  }

  get verdict(): Verdict {
    return first(this.verdicts);
  }

  /** The timeline has lost what it had of these. */
  without(...types: TimelineEntry["type"][]): this {
    const rings = [...this.session.timeline.rings].map(
      ([subject, ring]) => [subject, ring.filter(({ type }) => !types.includes(type))] as const,
    );
    const timeline = { ...this.session.timeline, rings: new Map(rings) };
    this.session = { ...this.session, timeline };
    return this;
  }

  /** What was said of a link in another way than these tests can bring about. */
  note(link: string, news: News): this {
    const at = this.at - this.session.createdAt;
    const timeline = append(this.session.timeline, [[ofLink(link), news]], at);
    this.session = { ...this.session, timeline };
    return this;
  }

  /** What is said when the timeline has lost all of it. */
  get forgetful(): Verdict {
    return first(judged({ ...this.session, timeline: NO_TIMELINE }, this.at));
  }
}

const lined = (count: number, address: string, type: string): string[] =>
  Array.from(
    { length: count },
    (_none, index) =>
      `candidate:${index} 1 udp 2113937151 ${address} ${40_000 + index} typ ${type}`,
  );

function first([verdict, ...others]: readonly Verdict[]): Verdict {
  expect(others).toEqual([]);
  if (!verdict) throw new Error("nothing is said");
  return verdict;
}

/** Every verdict is as the table has it, and its evidence is in the timeline. */
function judged(session: Session, at: number): readonly Verdict[] {
  const verdicts = verdictsOf(session, at);
  expect(verdictsOf(session, at)).toEqual(verdicts);
  const entries = new Map(
    [...session.timeline.rings.values()].flat().map((entry) => [entry.n, entry]),
  );
  for (const verdict of verdicts) {
    expect(Verdict.strict().parse(verdict)).toEqual(verdict);
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
    expect(verdict.advice).toBe(verdict.cause && CAUSES[verdict.cause].advice);
    expect(verdict.says).not.toMatch(/[{}]|undefined|NaN/);
    expect(verdict.says).toMatch(/\.$/);
    for (const each of verdict.evidence) {
      expect(each.says).not.toMatch(/undefined|NaN|\d+\.\d+\.\d+\.\d+/);
      if (each.entry !== undefined) expect(entries.get(each.entry)?.at).toBe(each.at);
    }
  }
  return verdicts;
}

export const brief = ({ state, cause }: Verdict): string => (cause ? `${state}: ${cause}` : state);
