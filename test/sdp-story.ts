import { describe, expect, it } from "vitest";
import { isProblem } from "../protocol/problem.ts";
import type { SdpFinding } from "../protocol/sdp/finding.ts";
import type { RuleFacts } from "../protocol/sdp/rule.ts";
import type { RecordedFinding } from "../protocol/session.ts";
import type { SessionRequest } from "../protocol/session-config.ts";
import type { Door } from "../protocol/whip/http-session.ts";
import { recordOf } from "./corpus.ts";
import { accepted, PureSession } from "./pure-session.ts";
import type { Mutation } from "./sdp-examples.ts";

/** Exchanges of real descriptions, one after the other, and what the rules find in the last of them. */
export class Story {
  readonly pure: PureSession;
  #last: readonly RecordedFinding[] = [];

  /** The policy is to report: whatever is found, the story goes on. */
  constructor(config: SessionRequest = {}) {
    this.pure = new PureSession({ sdpPolicy: "report", ...config });
  }

  join(...peers: string[]): this {
    for (const peer of peers) accepted(this.pure.join(peer));
    return this;
  }

  /** Joins by SWAP. */
  seat(peer: string): this {
    const { at } = this.pure;
    const endpoint = { realm: "home", source: `source-of-${peer}` };
    const grant = this.pure.grant(peer);
    accepted(this.pure.do({ type: "join", grant, endpoint, ice: { iceServers: [] }, at }));
    return this;
  }

  serve(server: string): this {
    accepted(this.pure.join(server, "media-server"));
    return this;
  }

  /** Comes by WHIP or WHEP, with its offer for `to`. */
  post(door: Door, peer: string, to: string, offer: string): this {
    const { at } = this.pure;
    const grant = this.pure.grant(peer);
    accepted(this.pure.do({ type: "open-http", door, grant, resource: peer, offer, at }));
    this.#look(peer, to);
    return this;
  }

  leave(peer: string): this {
    accepted(this.pure.send(peer, { type: "leave" }));
    return this;
  }

  later(ms: number): this {
    this.pure.at += ms;
    return this;
  }

  #link(one: string, other: string) {
    const link = this.pure.session.links.get([one, other].sort().join("~"));
    if (!link) throw new Error(`no link of ${one} and ${other}`);
    return link;
  }

  offer(from: string, to: string, sdp: string): this {
    this.pure.at += 1;
    accepted(this.pure.send(from, { type: "offer", to, sdp }));
    this.#look(from, to);
    return this;
  }

  answer(from: string, to: string, sdp: string): this {
    this.pure.at += 1;
    const { exchange } = this.#link(from, to);
    accepted(this.pure.send(from, { type: "answer", to, exchange, sdp }));
    this.#look(from, to);
    return this;
  }

  rollback(from: string, to: string): this {
    const { exchange } = this.#link(from, to);
    accepted(this.pure.send(from, { type: "rollback", to, exchange }));
    return this;
  }

  candidates(from: string, to: string, candidates: object[], complete?: boolean): this {
    this.pure.at += 1;
    const { exchange } = this.#link(from, to);
    const result = this.pure.send(from, {
      type: "candidates",
      to,
      exchange,
      candidates: candidates as never,
      ...(complete === undefined ? {} : { complete }),
    });
    this.#look(from, to);
    // Some are said by the problem alone.
    if (isProblem(result)) this.#last = [...this.#last, result.finding as RecordedFinding];
    return this;
  }

  #look(from: string, to: string): void {
    this.#last = this.#link(from, to).findings.filter(
      (finding) => finding.at === this.pure.at && finding.from === from,
    );
  }

  /** Findings of the last description or candidates. */
  get found(): readonly SdpFinding[] {
    return this.#last;
  }
}

/** What is said again with a new version, as a browser would, but for these changes. */
export function again(sdp: string, ...mutations: Mutation[]): string {
  const next = sdp.replace(
    /^(o=\S+ \S+ )(\d+)/m,
    (_all, head: string, version: string) => `${head}${BigInt(version) + 1n}`,
  );
  return mutations.reduce((text, mutate, index) => {
    const changed = mutate(text);
    if (changed === text) throw new Error(`mutation ${index} changes nothing`);
    return changed;
  }, next);
}

/** New ICE credentials everywhere, other ones for every side. */
export const restart: Mutation = (sdp) =>
  sdp.replaceAll(
    /^(a=ice-(?:ufrag|pwd):)(.*)$/gm,
    (_line, name: string, value: string) => `${name}${[...value].reverse().join("")}R`,
  );

/** Another certificate everywhere. */
export const otherCertificate: Mutation = (sdp) =>
  sdp.replaceAll(
    /^(a=fingerprint:sha-256 )(..)/gm,
    (_all, head: string, octet: string) => `${head}${octet === "00" ? "11" : "00"}`,
  );

/** alice and bob after the exchange of a record: she offered. */
export function called(record: string, config: SessionRequest = {}): Story {
  const { offer, answer } = recordOf(record);
  return new Story(config)
    .join("alice", "bob")
    .offer("alice", "bob", offer)
    .answer("bob", "alice", answer!);
}

/** alice offers again what she had offered, changed. */
export function reoffered(record: string, ...mutations: Mutation[]): Story {
  return called(record).offer("alice", "bob", again(recordOf(record).offer, ...mutations));
}

/** bob answers that: what he had answered, changed. */
export function reanswered(
  record: string,
  offer: readonly Mutation[],
  answer: readonly Mutation[],
): Story {
  return reoffered(record, ...offer).answer(
    "bob",
    "alice",
    again(recordOf(record).answer!, ...answer),
  );
}

/** The exchanges of several records of one connection. */
export function sequence(...records: string[]): Story {
  const [first = "", ...rest] = records;
  const story = called(first);
  for (const record of rest) {
    const { offer, answer } = recordOf(record);
    story.offer("alice", "bob", offer).answer("bob", "alice", answer!);
  }
  return story;
}

export interface Scene {
  readonly name: string;
  readonly story: () => Story;
}

export const scene = (name: string, story: () => Story): Scene => ({ name, story });

export type Scenes = Readonly<
  Record<string, { readonly accepted: readonly Scene[]; readonly refused: readonly Scene[] }>
>;

/** Every rule has scenes without and with a finding of it. */
export function proveScenes(rules: readonly RuleFacts[], scenes: Scenes): void {
  it("[D2] every rule has an accepted and a refused example", () => {
    const lacking = rules.filter(({ id }) => {
      const own = scenes[id];
      return !own || own.accepted.length === 0 || own.refused.length === 0;
    });
    expect(lacking.map(({ id }) => id)).toEqual([]);
    expect(Object.keys(scenes).filter((id) => !rules.some((rule) => rule.id === id))).toEqual([]);
  });

  describe.each(rules.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
    const own = scenes[id];
    it.each((own?.accepted ?? []).map((each) => [each.name, each] as const))(
      `[D2] ${id} has nothing against: %s`,
      (_name, { story }) => {
        expect(story().found.filter((found) => found.rule === id)).toEqual([]);
      },
    );
    it.each((own?.refused ?? []).map((each) => [each.name, each] as const))(
      `[D2] ${id} is found: %s`,
      (_name, { story }) => {
        const [found] = story().found.filter((each) => each.rule === id);
        expect(found).toMatchObject({ rule: id, level: rule.level, source: rule.source });
      },
    );
  });
}
