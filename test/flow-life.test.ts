import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Flow } from "../protocol/flow.ts";
import { commit } from "../protocol/flows/commit.ts";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import type { Link } from "../protocol/session.ts";
import type { Role, SessionRequest } from "../protocol/session-config.ts";
import { nextDeadline } from "../protocol/session-deadline.ts";
import type { SelectedPair, Transport, TransportState } from "../protocol/transport.ts";
import { recordOf } from "./corpus.ts";
import { sdpOf } from "./descriptions.ts";
import { Negotiation, read } from "./link-negotiation.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";
import {
  dropSection,
  inSection,
  insertAfter,
  type Mutation,
  remove,
  replace,
} from "./sdp-examples.ts";
import { again, otherCertificate, restart } from "./sdp-story.ts";
import { wholeFlows } from "./whole-flows.ts";

const SECOND = 1000;

type Report = Omit<Extract<FromPeer, { type: "transport" }>, "type" | "to">;

/** alice and bob in a session, by real descriptions; an observer follows them. */
class Call {
  readonly pure: PureSession;

  constructor(config: SessionRequest = {}, roles: { bob?: Role } = {}) {
    this.pure = new PureSession({ sdpPolicy: "report", ...config });
    accepted(this.pure.join("alice"));
    accepted(this.pure.join("bob", roles.bob));
    accepted(this.pure.join("olivia", "observer"));
  }

  get link(): Link {
    const link = this.pure.session.links.get("alice~bob");
    if (!link) throw new Error("nothing was offered");
    return link;
  }

  send(from: string, message: FromPeer): this {
    accepted(this.pure.send(from, message));
    return this;
  }

  later(ms: number): this {
    this.pure.at += ms;
    return this;
  }

  /** The alarm that is set goes off, if one is; whatever it leaves is due later. */
  alarm(): this {
    const due = nextDeadline(this.pure.session);
    if (due === null) throw new Error("no alarm is set");
    this.pure.at = Math.max(this.pure.at, due);
    accepted(this.pure.do({ type: "alarm", at: this.pure.at }));
    const next = nextDeadline(this.pure.session);
    if (next !== null) expect(next).toBeGreaterThan(this.pure.at);
    return this;
  }

  offer(sdp: string, from = "alice"): this {
    return this.later(SECOND).send(from, { type: "offer", to: otherOf(from), sdp });
  }

  answer(sdp: string, from = "bob"): this {
    const { exchange } = this.link;
    return this.later(SECOND).send(from, { type: "answer", to: otherOf(from), exchange, sdp });
  }

  /** The offer of a record, and its answer. */
  exchange(name: string, offerer = "alice"): this {
    const { offer, answer } = recordOf(name);
    return this.offer(offer, offerer).answer(answer!, otherOf(offerer));
  }

  /** What was agreed is agreed again, with changes on both sides. */
  again(offered: readonly Mutation[] = [], answered: readonly Mutation[] = []): this {
    return this.reoffer("alice", ...offered).answer(again(this.#said("bob"), ...answered));
  }

  /** Who has made the open offer. */
  get offerer(): string {
    return this.link.open?.offerer ?? "";
  }

  /** Somebody offers what it has said last, with changes. */
  reoffer(from: string, ...mutations: Mutation[]): this {
    return this.offer(again(this.#said(from), ...mutations), from);
  }

  #said(peer: string): string {
    const { inForce } = this.link;
    const said = inForce?.offerer === peer ? inForce.offer : inForce?.answer;
    return said?.sdp ?? "";
  }

  report(state: TransportState, more: Partial<Report> = {}, from = "alice"): this {
    this.later(SECOND);
    return this.send(from, { type: "transport", to: otherOf(from), state, ...more });
  }

  /** Connected, with a pair. */
  connected(from = "alice"): this {
    return this.report("connected", { pair: PAIR }, from);
  }

  take(type: "reject" | "rollback", from: string): this {
    const { exchange } = this.link;
    return this.later(SECOND).send(from, { type, to: otherOf(from), exchange });
  }

  /** `0.1:alice active`, and so on. */
  get live(): string[] {
    return this.link.flows.flows.filter(({ state }) => state !== "ended").map(words);
  }

  get ended(): string[] {
    return this.link.flows.flows.filter(({ state }) => state === "ended").map(words);
  }

  flow(id: string): Flow {
    const flow = this.link.flows.flows.find((each) => each.id === `alice~bob:${id}`);
    if (!flow) throw new Error(`no flow ${id} in ${this.link.flows.flows.map(words)}`);
    return flow;
  }

  get transport(): Transport {
    const [transport, ...others] = this.link.flows.transports.filter(
      ({ state }) => state !== "closed",
    );
    if (!transport || others.length > 0) throw new Error("not one open transport");
    return transport;
  }

  /** What is pending, by flow: of codecs, sources and layers what names them. */
  get pending(): Record<string, unknown> {
    const flows = this.link.flows.flows.flatMap(({ id, pending }) => {
      if (!pending) return [];
      const { exchange, codecs, sources, layers, ...rest } = pending;
      expect(exchange).toBe(this.link.open?.exchange);
      const changes = {
        ...rest,
        ...(codecs ? { codecs: codecs.map(({ pt }) => pt) } : {}),
        ...(sources ? { sources: sources.map(({ ssrc }) => ssrc) } : {}),
        ...(layers ? { layers: layers.map(({ rid }) => rid) } : {}),
      };
      return [[id.replace("alice~bob:", ""), changes] as const];
    });
    return Object.fromEntries(flows);
  }
}

const otherOf = (peer: string): string => (peer === "alice" ? "bob" : "alice");

const words = ({ id, state, reason }: Flow): string =>
  [id.replace("alice~bob:", ""), state, ...(reason ? [reason] : [])].join(" ");

const END = { candidateType: "host", address: "192.0.2.1", port: 4000, protocol: "udp" } as const;
const PAIR: SelectedPair = { local: END, remote: { ...END, address: "192.0.2.2", port: 5000 } };

/** Records without what every change changes. */
const bare = ({ link }: Call) =>
  link.flows.flows.filter(({ state }) => state !== "ended").map(({ revision: _, ...flow }) => flow);

const AV = ["0.1:alice", "0.1:bob", "1.1:alice", "1.1:bob"];
const all = (state: string): string[] => AV.map((id) => `${id} ${state}`);

const FIREFOX = "firefox.hold-resume.1-initial";
const CHROMIUM = "chromium.max-bundle";

/** A Firefox call that runs: audio and video both ways, in one bundle. */
const running = (config: SessionRequest = {}): Call =>
  new Call(config).exchange(FIREFOX).connected();

/** The open offer goes without an answer. */
const GONE: readonly (readonly [string, (call: Call) => Call])[] = [
  ["rejected", (call) => call.take("reject", otherOf(call.offerer))],
  ["rolled-back", (call) => call.take("rollback", call.offerer)],
  ["expired", (call) => call.alarm()],
];

describe("an offer", () => {
  it("[F1] proposes what it wants, data both ways; it has run no time", () => {
    const call = new Call().offer(recordOf(CHROMIUM).offer);
    expect(call.live).toEqual([...AV, "2.1:alice", "2.1:bob"].map((id) => `${id} proposed`));
    const { at } = call.pure;
    expect(call.flow("2.1:bob")).toMatchObject({
      since: at,
      timing: { createdAt: at, activeMs: 0, heldMs: 0 },
      history: [],
    });
    expect(call.link.flows.transports).toEqual([]);
  });

  it.each(GONE)("[F4] ends what it proposed when it is gone: %s", (cause, gone) => {
    const call = gone(new Call().offer(recordOf(FIREFOX).offer));
    expect(call.live).toEqual([]);
    expect(call.ended).toEqual(all(`ended ${cause}`));
    expect(call.flow("0.1:bob").history).toMatchObject([{ state: "proposed" }]);
  });

  it("[F4] that replaces one proposes anew, under other ids", () => {
    const { offer } = recordOf(FIREFOX);
    const call = new Call().offer(offer).offer(again(offer));
    expect(call.ended).toEqual(all("ended superseded"));
    expect(call.live).toEqual(all("proposed").map((each) => each.replace(".1:", ".2:")));
  });

  it("[N3] that meets glare changes no flow: the loser answers", () => {
    const { offer, answer } = recordOf("firefox.glare.2-polite-answer");
    const call = new Call().offer(offer);
    const before = call.link;
    const { offer: sdp } = recordOf(FIREFOX);
    expect(outcome(call.pure.send("bob", { type: "offer", to: "alice", sdp }))).toBe("glare");
    expect(call.link).toBe(before);
    call.answer(answer!);
    expect(call.live).toEqual(["0.1:alice negotiated"]);
    expect(call.ended).toEqual(["0.1:bob ended not-accepted"]);
  });

  it("[N3] that meets glare over a running call leaves it and what is pending", () => {
    const call = running().reoffer("alice", (sdp) => sdp.replaceAll("a=sendrecv", "a=sendonly"));
    const before = call.link;
    const { offer: sdp } = recordOf(FIREFOX);
    expect(outcome(call.pure.send("bob", { type: "offer", to: "alice", sdp }))).toBe("glare");
    expect(call.link).toBe(before);
  });
});

describe("an answer", () => {
  it("[F4] agrees, declines a direction on a section that lives, rejects a section", () => {
    const call = new Call().exchange("firefox.rejected-m-line.video");
    expect(call.live).toEqual(["0.1:alice negotiated", "0.1:bob negotiated"]);
    expect(call.ended).toEqual(["1.1:alice ended not-accepted", "1.1:bob ended not-accepted"]);
    const other = new Call().exchange("chromium.rejected-no-common-codec");
    expect(other.live.map((each) => each.slice(0, 2))).toEqual(["0.", "0.", "2.", "2."]);
    expect(other.ended).toEqual(["1.1:alice ended rejected", "1.1:bob ended rejected"]);
  });

  it("[D1] that cannot be read ends what waited for it, and leaves what runs", () => {
    const call = new Call();
    call.offer(recordOf(FIREFOX).offer).answer("nonsense");
    expect(call.ended).toEqual(all("ended not-accepted"));
    const later = running().reoffer("alice", (sdp) => sdp.replaceAll("a=sendrecv", "a=sendonly"));
    later.answer("nonsense");
    expect(later.live).toEqual(all("active"));
    expect(later.pending).toEqual({});
  });
});

const everywhere =
  (from: string, to: string): Mutation =>
  (sdp) =>
    sdp.replaceAll(from, to);
const sendonly = everywhere("a=sendrecv", "a=sendonly");
const recvonly = everywhere("a=sendrecv", "a=recvonly");
const sendonlyVideo = inSection(1, replace("a=sendrecv", "a=sendonly"));
const unbundled = remove(/^a=group:BUNDLE/);
const stopped = inSection(1, replace(/^m=video 9/, "m=video 0"));
/** As the answerer of before offers. */
const offering: Mutation = (sdp) =>
  sdp.replaceAll(/a=setup:\w+/g, "a=setup:actpass").replace("a=mid:0", "a=mid:0\r\na=ptime:20");

const held = { held: true };
const back = { held: false };
const ends = { ends: true };

/** A re-offer on a running call: what is pending, and what an answer makes of it. */
const REOFFERS: Record<
  string,
  {
    readonly call: () => Call;
    readonly offer: (call: Call) => Call;
    readonly pending: Record<string, unknown>;
    readonly answer: (call: Call) => Call;
    readonly live: readonly string[];
    readonly ended?: readonly string[];
  }
> = {
  "local hold, sendonly": {
    call: running,
    offer: (call) => call.offer(recordOf("firefox.hold-resume.2-hold-sendonly").offer),
    pending: { "0.1:bob": held, "1.1:bob": held },
    answer: (call) => call.answer(recordOf("firefox.hold-resume.2-hold-sendonly").answer!),
    live: [
      ...["0.1:alice active", "0.1:bob held direction"],
      ...["1.1:alice active", "1.1:bob held direction"],
    ],
  },
  "local hold, inactive": {
    call: () => new Call().exchange("chromium.hold-resume.1-initial").connected(),
    offer: (call) => call.offer(recordOf("chromium.hold-resume.3-hold-inactive").offer),
    pending: Object.fromEntries(AV.map((id) => [id, held])),
    answer: (call) => call.answer(recordOf("chromium.hold-resume.3-hold-inactive").answer!),
    live: all("held direction"),
  },
  "remote hold: the answerer of before offers": {
    call: running,
    offer: (call) => call.offer(recordOf("firefox.hold-resume.5-peer-video-off").offer, "bob"),
    pending: { "1.1:bob": held },
    answer: (call) =>
      call.answer(recordOf("firefox.hold-resume.5-peer-video-off").answer!, "alice"),
    live: ["0.1:alice active", "0.1:bob active", "1.1:alice active", "1.1:bob held direction"],
  },
  resume: {
    call: () => running().exchange("firefox.hold-resume.2-hold-sendonly"),
    offer: (call) => call.offer(recordOf("firefox.hold-resume.4-resume").offer),
    pending: { "0.1:bob": back, "1.1:bob": back },
    answer: (call) => call.answer(recordOf("firefox.hold-resume.4-resume").answer!),
    live: all("active"),
  },
  "resume that the other end does not go along with": {
    call: () => running().exchange("firefox.hold-resume.2-hold-sendonly"),
    offer: (call) => call.offer(recordOf("firefox.hold-resume.4-resume").offer),
    pending: { "0.1:bob": back, "1.1:bob": back },
    answer: (call) => call.answer(recvonly(recordOf("firefox.hold-resume.4-resume").answer!)),
    live: [
      ...["0.1:alice active", "0.1:bob held direction"],
      ...["1.1:alice active", "1.1:bob held direction"],
    ],
  },
  "what the other end holds is wanted as before: nothing is pending, an answer may let it go": {
    call: () => running().again([], [inSection(1, replace("a=sendrecv", "a=recvonly"))]),
    offer: (call) => call.reoffer("alice", offering),
    pending: {},
    answer: (call) => call.answer(recordOf(FIREFOX).answer!),
    live: all("active"),
  },
  "a track is removed": {
    call: () => running(),
    offer: (call) =>
      call.reoffer("alice", inSection(1, replace("a=sendrecv", "a=recvonly"), remove(/^a=msid:/))),
    pending: { "1.1:alice": held },
    answer: (call) => call.answer(sendonlyVideo(recordOf(FIREFOX).answer!)),
    live: ["0.1:alice active", "0.1:bob active", "1.1:alice held direction", "1.1:bob active"],
  },
  "a transceiver is stopped by the offerer": {
    call: () =>
      new Call()
        .exchange("chromium.add-remove-track.3-remove-video")
        .exchange("chromium.add-remove-track.4-readd-video")
        .connected(),
    offer: (call) => call.offer(recordOf("chromium.add-remove-track.5-stop-video").offer),
    pending: { "1.1:bob": ends },
    answer: (call) => call.answer(recordOf("chromium.add-remove-track.5-stop-video").answer!),
    live: ["0.1:alice active", "0.1:bob active", "2.1:alice active"],
    ended: ["1.1:bob ended stopped", "2.1:bob ended not-accepted"],
  },
  "a transceiver that the answerer stopped: inactive first, port 0 with its own offer": {
    call: () => running().again([], [inSection(1, replace("a=sendrecv", "a=inactive"))]),
    offer: (call) => call.offer(again(recordOf(FIREFOX).answer!, offering, stopped), "bob"),
    pending: { "1.1:alice": ends, "1.1:bob": ends },
    answer: (call) => call.answer(stopped(recordOf(FIREFOX).offer), "alice"),
    live: ["0.1:alice active", "0.1:bob active"],
    ended: ["1.1:alice ended stopped", "1.1:bob ended stopped"],
  },
  "an m-line is recycled with a new mid, without a step in between": {
    call: () =>
      new Call()
        .exchange("firefox.add-remove-track.1-audio")
        .exchange("firefox.add-remove-track.3-remove-video")
        .connected(),
    offer: (call) => call.offer(recordOf("firefox.add-remove-track.6-recycle-mline").offer),
    pending: { "1.1:bob": ends },
    answer: (call) => call.answer(recordOf("firefox.add-remove-track.6-recycle-mline").answer!),
    live: ["0.1:alice active", "0.1:bob active", "3.2:alice active", "2.1:alice active"],
    ended: [
      ...["1.1:bob ended stopped", "3.2:bob ended not-accepted", "2.1:bob ended not-accepted"],
    ],
  },
  "a section is gone": {
    call: running,
    offer: (call) => call.reoffer("alice", dropSection(1), replace("BUNDLE 0 1", "BUNDLE 0")),
    pending: { "1.1:alice": ends, "1.1:bob": ends },
    answer: (call) => call.answer(dropSection(1)(recordOf(FIREFOX).answer!)),
    live: ["0.1:alice active", "0.1:bob active"],
    ended: ["1.1:alice ended stopped", "1.1:bob ended stopped"],
  },
  "the offerer receives less: it binds the other end": {
    call: running,
    offer: (call) => call.reoffer("alice", inSection(1, insertAfter(/^c=/, "b=TIAS:300000"))),
    pending: {
      "1.1:bob": { limits: expect.objectContaining({ effectiveBps: 300_000, source: "tias" }) },
    },
    answer: (call) => call.answer(recordOf(FIREFOX).answer!),
    live: all("active"),
  },
  "other codecs: the order of the receiver, without what the sender lacks": {
    call: running,
    offer: (call) =>
      call.reoffer("alice", replace("109 9 0 8 101", "9 109 0 101"), remove(/^a=rtpmap:8 /)),
    pending: {
      "0.1:alice": { codecs: [109, 9, 0, 101] },
      "0.1:bob": { codecs: [9, 109, 0, 101] },
    },
    answer: (call) => call.answer(recordOf(FIREFOX).answer!),
    live: all("active"),
  },
  "another source and another track in another stream": {
    call: running,
    offer: (call) =>
      call.reoffer(
        "alice",
        everywhere("a=ssrc:310762100 ", "a=ssrc:77 "),
        inSection(0, replace(/^a=msid:.*$/m, "a=msid:other microphone")),
      ),
    pending: { "0.1:alice": { sources: [77], streams: ["other"], track: "microphone" } },
    answer: (call) => call.answer(recordOf(FIREFOX).answer!),
    live: all("active"),
  },
  "fewer layers": {
    call: () => new Call().exchange("chromium-to-janus.videoroom-publish-simulcast").connected(),
    offer: (call) => call.reoffer("alice", replace("send h;m;l", "send h;l")),
    pending: { "1.1:alice": { layers: ["h", "l"] } },
    answer: (call) =>
      call.answer(recordOf("chromium-to-janus.videoroom-publish-simulcast").answer!),
    live: ["0.1:alice active", "1.1:alice active"],
  },
  "no bundle any more": {
    call: running,
    offer: (call) => call.reoffer("alice", unbundled),
    pending: {
      "1.1:alice": { transport: "alice~bob:t.1.1" },
      "1.1:bob": { transport: "alice~bob:t.1.1" },
    },
    answer: (call) => call.answer(unbundled(recordOf(FIREFOX).answer!)),
    live: ["0.1:alice active", "0.1:bob active", "1.1:alice negotiated", "1.1:bob negotiated"],
  },
  "a bundle that the answerer had declined is offered as before": {
    call: () =>
      new Call()
        .offer(recordOf(FIREFOX).offer)
        .answer(unbundled(recordOf(FIREFOX).answer!))
        .report("connected"),
    offer: (call) => call.reoffer("alice", insertAfter(/^a=mid:0/, "a=ptime:20")),
    pending: {},
    answer: (call) => call.answer(unbundled(recordOf(FIREFOX).answer!)),
    live: all("active"),
  },
  "a direction that was never wanted is proposed": {
    call: () =>
      new Call()
        .offer(sendonly(recordOf(FIREFOX).offer))
        .answer(recvonly(recordOf(FIREFOX).answer!))
        .connected(),
    offer: (call) => call.offer(recordOf("firefox.hold-resume.4-resume").offer),
    pending: {},
    answer: (call) => call.answer(recordOf("firefox.hold-resume.4-resume").answer!),
    live: ["0.1:alice active", "1.1:alice active", "0.1:bob active", "1.1:bob active"],
  },
  "data has no direction and no terms that change": {
    call: () => new Call().exchange(CHROMIUM).connected(),
    offer: (call) => call.reoffer("alice", everywhere("a=sendrecv", "a=inactive")),
    pending: Object.fromEntries(AV.map((id) => [id, held])),
    answer: (call) =>
      call.answer(everywhere("a=sendrecv", "a=inactive")(recordOf(CHROMIUM).answer!)),
    live: [...all("held direction"), "2.1:alice active", "2.1:bob active"],
  },
};

describe("a re-offer", () => {
  it.each(Object.entries(REOFFERS))("[N4] %s: pending, then applied", (_name, example) => {
    const call = example.call();
    const before = call.live;
    example.offer(call);
    expect(call.live.filter((each) => !each.endsWith(" proposed"))).toEqual(before);
    expect(call.pending).toEqual(example.pending);
    example.answer(call);
    expect(call.live).toEqual(example.live);
    expect(call.ended).toEqual(example.ended ?? []);
    expect(call.pending).toEqual({});
  });

  const gone = [
    ...GONE,
    // By the same as was said before, so that nothing is wanted.
    ["superseded", (call: Call) => call.reoffer(call.offerer, offering)] as const,
  ];
  const cases = Object.entries(REOFFERS).flatMap(([name, example]) =>
    gone.map(([cause, goes]) => ({ name, cause, goes, example })),
  );

  it.each(cases)("[N4] $cause: as before $name", ({ cause, goes, example }) => {
    const call = example.call();
    const before = bare(call);
    const over = call.ended;
    example.offer(call);
    goes(call);
    expect(bare(call)).toEqual(before);
    expect(call.ended.slice(over.length).filter((each) => !each.endsWith(` ${cause}`))).toEqual([]);
  });

  it("[N4] that says the same again leaves every record the very same, also for the answer", () => {
    for (const record of [FIREFOX, CHROMIUM, "chromium-to-janus.videoroom-publish-simulcast"]) {
      const call = new Call().exchange(record).connected();
      const { flows, transports } = call.link.flows;
      call.reoffer("alice");
      expect(call.link.flows.flows).toBe(flows);
      call.answer(recordOf(record).answer!);
      expect(call.link.flows.flows).toBe(flows);
      expect(call.link.flows.transports).toBe(transports);
    }
  });

  it("[N4] that repeats a wish the other end has declined asks for nothing", () => {
    const { offer, answer } = recordOf(FIREFOX);
    const call = new Call().offer(offer).answer(recvonly(answer!)).connected();
    const before = call.link.flows;
    call.reoffer("alice");
    expect(call.link.flows).toBe(before);
    // What is wanted anew is proposed.
    call.take("rollback", "alice").again([recvonly], [everywhere("a=recvonly", "a=inactive")]);
    expect(call.live).toEqual(["0.1:alice held direction", "1.1:alice held direction"]);
    call.reoffer("alice", everywhere("a=recvonly", "a=sendrecv"));
    expect(call.pending).toEqual({ "0.1:alice": back, "1.1:alice": back });
    expect(call.live).toHaveLength(2);
  });

  it("[N4] on a link whose pair in force lacks the section says only that it goes on", () => {
    const link = new Negotiation();
    const { offer, answer } = recordOf(FIREFOX);
    link.exchange(offer, answer!);
    const empty = read(dropSection(0)(dropSection(0)(offer)));
    link.inForce = { offer: empty, answer: empty, offerer: "a" };
    const before = link.flows;
    link.offer(sendonly(offer));
    expect(link.flows).toBe(before);
  });

  it("[N4] that replaces another drops what that wanted", () => {
    const call = running().reoffer("alice", sendonly);
    expect(Object.keys(call.pending)).toEqual(["0.1:bob", "1.1:bob"]);
    call.reoffer("alice", recvonly);
    expect(call.pending).toEqual({ "0.1:alice": held, "1.1:alice": held });
  });

  it("[F4] goes to whoever follows, and so does its end", () => {
    const call = running();
    call.pure.take("olivia");
    call.reoffer("alice", sendonly);
    const [told] = call.pure.take("olivia", "flows") as Extract<ToPeer, { type: "flows" }>[];
    expect(wholeFlows(told?.changed).map(({ id, pending }) => [id, pending?.held])).toEqual([
      ["alice~bob:0.1:bob", true],
      ["alice~bob:1.1:bob", true],
    ]);
    call.take("reject", "bob");
    const [after] = call.pure.take("olivia", "flows") as Extract<ToPeer, { type: "flows" }>[];
    expect(wholeFlows(after?.changed).map(({ pending }) => pending)).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe("time", () => {
  it("[F4] a flow knows its former states and how long it ran and was held", () => {
    const call = new Call().offer(recordOf(FIREFOX).offer);
    const createdAt = call.pure.at;
    call.answer(recordOf(FIREFOX).answer!).connected();
    const activeAt = call.pure.at;
    call.later(10 * SECOND).exchange("firefox.hold-resume.2-hold-sendonly");
    expect(call.flow("0.1:bob")).toMatchObject({
      state: "held",
      since: activeAt + 12 * SECOND,
      timing: { createdAt, activeAt, activeMs: 12 * SECOND, heldMs: 0 },
      history: [
        { state: "proposed", at: createdAt },
        { state: "negotiated", at: createdAt + SECOND },
        { state: "active", at: activeAt },
      ],
    });
    call.later(5 * SECOND).exchange("firefox.hold-resume.4-resume");
    expect(call.flow("0.1:bob").timing).toEqual({
      ...{ createdAt, activeAt, activeMs: 12 * SECOND, heldMs: 7 * SECOND },
    });
    expect(call.flow("0.1:bob").history.at(-1)).toEqual({
      ...{ state: "held", reason: "direction", at: activeAt + 12 * SECOND },
    });
    call.later(3 * SECOND).send("bob", { type: "leave" });
    expect(call.flow("0.1:bob").timing).toMatchObject({
      ...{ activeMs: 15 * SECOND, heldMs: 7 * SECOND },
    });
    expect(call.flow("0.1:alice").timing).toMatchObject({ activeMs: 22 * SECOND, heldMs: 0 });
  });

  it("[F4] what is agreed without a proposal was never proposed", () => {
    const call = new Call()
      .offer(sendonly(recordOf(FIREFOX).offer))
      .answer(recordOf(FIREFOX).answer!.replaceAll("a=sendrecv", "a=recvonly"));
    expect(call.flow("0.1:alice").history).toHaveLength(1);
    // The offer wants what it wanted before; the answer to it is another one.
    const declined = new Call().offer(recordOf(FIREFOX).offer);
    declined
      .answer(recvonly(recordOf(FIREFOX).answer!))
      .again([offering], [everywhere("a=recvonly", "a=sendrecv")]);
    expect(declined.flow("0.2:bob")).toMatchObject({ state: "negotiated", history: [] });
  });

  it("[S8] a flow remembers 16 states", () => {
    const call = running();
    for (let round = 0; round < 12; round += 1) {
      call.report("failed").report("connected");
    }
    const { history } = call.flow("0.1:alice");
    expect(history).toHaveLength(16);
    expect(history.at(-1)).toMatchObject({ state: "negotiated", reason: "failed" });
  });
});

const RESTART = "firefox.ice-restart.2-restart";

/** A call whose ICE is restarted, the new path not found yet. */
const restarting = (): Call =>
  new Call().exchange("firefox.ice-restart.1-initial").connected().exchange(RESTART);

const impairedOf = (call: Call) => call.link.flows.flows.map(({ impaired = false }) => impaired);
const EACH = [true, true, true, true];
const NONE = [false, false, false, false];

describe("an ICE restart", () => {
  it("[N8] is known until a new pair is reported; flows go on", () => {
    const call = restarting();
    const { at } = call.pure;
    expect(call.transport).toMatchObject({ iceGeneration: 1, restartingSince: at, fiveTuples: [] });
    expect(call.transport).not.toHaveProperty("selectedPair");
    expect(call.live).toEqual(all("active"));
    // Connected it was before: that is no new path.
    call.report("connected");
    expect(call.transport.restartingSince).toBe(at);
    call.connected("bob");
    expect(call.transport).not.toHaveProperty("restartingSince");
    expect(call.transport.fiveTuples).toHaveLength(1);
  });

  it("[N8] is not over while the pair in use is of the generation before", () => {
    const pairOf = (usernameFragment: string | undefined) => ({
      pair: { ...PAIR, local: { ...PAIR.local, usernameFragment } },
    });
    const call = restarting();
    const { ufrag } = call.transport.ice.alice ?? {};
    call.report("connected", pairOf("before"));
    expect(call.transport.restartingSince).toBeGreaterThan(0);
    expect(call.transport.selectedPair).toHaveProperty("alice");
    call.report("connected", pairOf(ufrag));
    expect(call.transport).not.toHaveProperty("restartingSince");
  });

  it("[N8] is over as well when what was down is up", () => {
    const call = restarting().report("checking");
    expect(call.transport.restartingSince).toBeGreaterThan(0);
    call.report("connected");
    expect(call.transport).not.toHaveProperty("restartingSince");
  });

  it("[R5] without a pair for 30 s impairs its flows, once", () => {
    const call = restarting();
    const due = call.pure.at + 30 * SECOND;
    expect(nextDeadline(call.pure.session)).toBe(due);
    call.later(30 * SECOND - 1);
    accepted(call.pure.do({ type: "alarm", at: call.pure.at }));
    expect(impairedOf(call)).toEqual(NONE);
    call.alarm();
    expect(call.pure.at).toBe(due);
    expect(call.live).toEqual(all("active"));
    expect(impairedOf(call)).toEqual(EACH);
    // Connected as before the restart mends nothing, and makes nothing due.
    call.report("connected");
    expect(impairedOf(call)).toEqual(EACH);
    expect(nextDeadline(call.pure.session)).toBeGreaterThan(call.pure.at);
    call.connected();
    expect(impairedOf(call)).toEqual(NONE);
  });

  it("[N8] with a pair in time is due no more, and a second restart has its own 30 s", () => {
    const call = restarting().connected();
    expect(nextDeadline(call.pure.session)).toBeGreaterThan(call.pure.at + 60 * SECOND);
    call.again([restart], [restart]);
    expect(call.transport).toMatchObject({ iceGeneration: 2, restartingSince: call.pure.at });
  });

  it("[N8] of a closed transport is over with it", () => {
    const call = restarting().report("closed");
    expect(call.ended).toEqual(all("ended closed"));
    expect(call.link.flows.transports[0]).not.toHaveProperty("restartingSince");
    expect(nextDeadline(call.pure.session)).toBeGreaterThan(call.pure.at + 60 * SECOND);
  });
});

describe("a DTLS change", () => {
  it("[N8] is another association: flows are negotiated, what was measured of the old one is gone", () => {
    const dtls = { srtpCipher: "AES_CM_128_HMAC_SHA1_80", tlsVersion: "FEFD" };
    const call = running().report("connected", { dtls });
    expect(call.transport.dtls).toMatchObject({
      srtpProfile: "AES_CM_128_HMAC_SHA1_80",
      tlsVersion: "FEFD",
    });
    call.report("connected", { dtls: { dtlsCipher: "TLS_AES_128_GCM_SHA256" } });
    expect(call.transport.dtls).toMatchObject({
      client: "bob",
      cipher: "TLS_AES_128_GCM_SHA256",
      tlsVersion: "FEFD",
    });
    call.again([restart, otherCertificate], [restart, otherCertificate]);
    const { dtls: after, ...transport } = call.transport;
    expect(transport).toMatchObject({ state: "new", since: call.pure.at, fiveTuples: [] });
    expect(after).not.toHaveProperty("srtpProfile");
    expect(after).not.toHaveProperty("cipher");
    expect(call.live).toEqual(all("negotiated"));
    call.connected();
    expect(call.live).toEqual(all("active"));
  });

  it("[N8] of one end alone is as good, and ICE goes on", () => {
    const call = running().again([otherCertificate]);
    expect(call.transport).toMatchObject({ state: "new", iceGeneration: 0 });
    expect(call.transport).not.toHaveProperty("restartingSince");
    expect(call.live).toEqual(all("negotiated"));
  });
});

describe("a transport that is lost", () => {
  it("[F4] disconnected impairs; the reason is the transport's", () => {
    const call = running().report("disconnected", { reason: "circuit-breaker" });
    const { at } = call.pure;
    expect(call.transport).toMatchObject({
      ...{ state: "disconnected", reason: "circuit-breaker", since: at },
    });
    expect(impairedOf(call)).toEqual(EACH);
    expect(call.live).toEqual(all("active"));
    // The other end says the same, without a reason.
    call.report("disconnected", {}, "bob");
    expect(call.transport).toMatchObject({ reason: "circuit-breaker", since: at });
    call.report("connected", { reason: "nonsense" });
    expect(call.transport).not.toHaveProperty("reason");
    expect(impairedOf(call)).toEqual(NONE);
  });

  it("[F4] failed takes flows back to negotiated, and ends them when nobody restarts it", () => {
    const call = running({ resumeSeconds: 90 }).report("failed", { reason: "ice-failed" });
    expect(call.transport).toMatchObject({ state: "failed", reason: "ice-failed" });
    expect(call.live).toEqual(all("negotiated failed"));
    const due = call.pure.at + 90 * SECOND;
    expect(nextDeadline(call.pure.session)).toBe(due);
    // Said again it is no other failure.
    call.report("failed", {}, "bob");
    expect(nextDeadline(call.pure.session)).toBe(due);
    call.alarm();
    expect(call.ended).toEqual(all("ended failed"));
    expect(call.transport.state).toBe("failed");
    expect(call.flow("0.1:alice")).toMatchObject({ since: due });
    expect(call.flow("0.1:alice")).not.toHaveProperty("impaired");
  });

  it("[F4] failed with what is held ends it as well", () => {
    const call = running().exchange("firefox.hold-resume.2-hold-sendonly").report("failed");
    expect(call.live).toContain("0.1:bob held direction");
    expect(impairedOf(call)).toEqual(EACH);
    call.alarm();
    expect(call.ended).toEqual(all("ended failed"));
  });

  it("[F4] failed and mended by itself gives its flows anew, as the pair in force has them", () => {
    const call = running().exchange("firefox.hold-resume.2-hold-sendonly").report("failed").alarm();
    const over = call.link.flows.flows;
    call.report("checking");
    expect(call.live).toEqual([]);
    call.connected();
    // A direction that is switched off has no flow to give.
    expect(call.live).toEqual(["0.2:alice active", "1.2:alice active"]);
    expect(call.link.flows.flows.slice(0, 4)).toEqual(over);
    call.connected("bob");
    expect(call.live).toHaveLength(2);
    call.exchange("firefox.hold-resume.4-resume");
    expect(call.live).toEqual([
      ...["0.2:alice active", "1.2:alice active", "0.2:bob active", "1.2:bob active"],
    ]);
  });

  it("[F4] failed and restarted too late is proposed and agreed anew", () => {
    const call = new Call().exchange("firefox.ice-restart.1-initial").report("failed").alarm();
    expect(call.ended).toEqual(all("ended failed"));
    call.offer(recordOf(RESTART).offer);
    expect(call.live).toEqual(all("proposed").map((each) => each.replace(".1:", ".2:")));
    // ICE recovers while the offer is open: what is proposed waits for its answer.
    call.connected();
    expect(call.live).toEqual(all("proposed").map((each) => each.replace(".1:", ".2:")));
    call.answer(recordOf(RESTART).answer!);
    expect(call.live).toEqual(all("active").map((each) => each.replace(".1:", ".2:")));
    expect(call.transport.iceGeneration).toBe(1);
  });

  it("[F4] only what failed comes back with it", () => {
    const { offer, answer } = recordOf(FIREFOX);
    const call = new Call().offer(offer).answer(unbundled(answer!)).report("connected");
    call.report("failed", { transport: "0" }).report("closed", { transport: "1" });
    expect(call.live).toEqual(["0.1:alice negotiated failed", "0.1:bob negotiated failed"]);
    call.alarm();
    expect(call.live).toEqual([]);
    call.report("connected", { transport: "0" });
    expect(call.live).toEqual(["0.2:alice active", "0.2:bob active"]);
    expect(call.transport.mids).toEqual(["0"]);
  });

  it("[F4] failed on one of two transports touches nothing on the other", () => {
    const { offer, answer } = recordOf(FIREFOX);
    const call = new Call().offer(offer).answer(unbundled(answer!)).report("connected");
    call.report("failed", { transport: "1" }).alarm();
    expect(call.live).toEqual(["0.1:alice active", "0.1:bob active"]);
    expect(call.ended).toEqual(["1.1:alice ended failed", "1.1:bob ended failed"]);
  });

  it("[F4] failed and restarted in time is tried anew; if it fails again it has its time again", () => {
    const call = new Call()
      .exchange("firefox.ice-restart.1-initial")
      .connected()
      .report("failed", { reason: "ice-failed" })
      .later(50 * SECOND)
      .exchange(RESTART);
    expect(call.transport).toMatchObject({ state: "checking", iceGeneration: 1 });
    expect(call.transport).not.toHaveProperty("reason");
    expect(call.live).toEqual(all("negotiated"));
    expect(impairedOf(call)).toEqual(EACH);
    expect(nextDeadline(call.pure.session)).toBeGreaterThan(call.pure.at + 300 * SECOND);
    call.report("failed");
    expect(nextDeadline(call.pure.session)).toBe(call.pure.at + 60 * SECOND);
    call.connected();
    expect(call.live).toEqual(all("active"));
    expect(impairedOf(call)).toEqual(NONE);
  });

  it("[F4] failed waits for an offer that is open: it may be the restart", () => {
    const call = running()
      .report("failed")
      .later(50 * SECOND)
      .reoffer("alice", restart);
    call.later(20 * SECOND);
    accepted(call.pure.do({ type: "alarm", at: call.pure.at }));
    expect(call.live).toEqual(all("negotiated failed"));
    expect(nextDeadline(call.pure.session)).toBe(call.link.open?.expiresAt);
    // Nobody answers it: with the offer the time of the transport is over too.
    call.alarm();
    expect(call.ended).toEqual(all("ended failed"));
    const answered = running()
      .report("failed")
      .later(50 * SECOND)
      .reoffer("alice", offering);
    answered
      .later(20 * SECOND)
      .answer(recordOf(FIREFOX).answer!)
      .alarm();
    expect(answered.ended).toEqual(all("ended failed"));
  });

  it("[F4] failed gives what is added to it time for a restart of its own", () => {
    const call = new Call()
      .exchange("janus-to-firefox.videoroom-subscribe.1-initial")
      .connected()
      .report("failed")
      .later(50 * SECOND)
      .exchange("janus-to-firefox.videoroom-subscribe.2-add-publisher");
    const added = call.pure.at - SECOND;
    call.alarm();
    expect(call.ended).toEqual(["0.1:alice ended failed", "1.1:alice ended failed"]);
    expect(call.live).toEqual(["2.1:alice negotiated failed", "3.1:alice negotiated failed"]);
    call.alarm();
    expect(call.pure.at).toBe(added + 60 * SECOND);
    expect(call.live).toEqual([]);
    // The recovery of the transport gives all of them anew.
    call.report("connected", {}, "bob");
    expect(call.live).toEqual(["0.2", "1.2", "2.2", "3.2"].map((id) => `${id}:alice active`));
  });

  it("[F4] ended by the clock is told like any other end", () => {
    const call = running().report("failed");
    call.pure.take("olivia");
    call.alarm();
    const [told] = call.pure.take("olivia", "flows") as Extract<ToPeer, { type: "flows" }>[];
    expect(told?.changed.map(({ state, reason }) => `${state} ${reason}`)).toEqual(
      Array.from({ length: 4 }, () => "ended failed"),
    );
  });

  it("[F4] closed ends its flows for good", () => {
    const call = running().report("closed");
    expect(call.ended).toEqual(all("ended closed"));
    call.report("connected", { transport: "0" });
    expect(call.live).toEqual([]);
  });
});

describe("the RTCP component", () => {
  const noMux = remove(/^a=rtcp-mux/);
  const rtcpPair: SelectedPair = { local: { ...END, port: 4001 }, remote: { ...END, port: 5001 } };

  it("[F5] has a 5-tuple of its own where it is not multiplexed", () => {
    const { offer, answer } = recordOf(FIREFOX);
    const call = new Call().offer(noMux(offer)).answer(noMux(answer!));
    call.connected("bob").report("connected", { pair: PAIR, rtcpPair });
    const tuples = () =>
      call.transport.fiveTuples.map(({ peer, component = "rtp", local }) => [
        ...[peer, component, local.port],
      ]);
    expect(tuples()).toEqual([
      ["alice", "rtp", 4000],
      ["alice", "rtcp", 4001],
      ["bob", "rtp", 4000],
    ]);
    // What is not told again stays.
    call.report("connected", { pair: { ...PAIR, local: { ...END, port: 4002 } } });
    expect(tuples().slice(0, 2)).toEqual([
      ["alice", "rtp", 4002],
      ["alice", "rtcp", 4001],
    ]);
    // With the mux it is gone (RFC 5761 s5.1.1).
    call.offer(again(offer)).answer(answer!);
    expect(tuples()).toEqual([
      ["alice", "rtp", 4002],
      ["bob", "rtp", 4000],
    ]);
  });

  it("[F5] is not there with rtcp-mux, whatever is reported", () => {
    const call = running().report("connected", { rtcpPair });
    expect(call.transport.fiveTuples.map(({ component }) => component)).toEqual([undefined]);
  });

  it("[F5] of one of several transports must be named, as its DTLS", () => {
    const { offer, answer } = recordOf(FIREFOX);
    const call = new Call().offer(noMux(offer)).answer(unbundled(noMux(answer!)));
    const dtls = { tlsVersion: "FEFD" };
    call.report("connected", { rtcpPair, dtls, reason: "of the state alone" });
    const told = () =>
      call.link.flows.transports.map(({ state, dtls: { tlsVersion }, fiveTuples }) => [
        ...[state, tlsVersion, fiveTuples.length],
      ]);
    expect(told()).toEqual([
      ["connected", undefined, 0],
      ["connected", undefined, 0],
    ]);
    call.report("connected", { transport: "1", rtcpPair, dtls });
    expect(told()).toEqual([
      ["connected", undefined, 0],
      ["connected", "FEFD", 1],
    ]);
  });
});

const staleOf = (call: Call) => call.link.flows.flows.map(({ stale = false }) => stale);

describe("signalling", () => {
  const lose = (call: Call, peer: string) => {
    accepted(call.later(SECOND).pure.do({ type: "lost", peer, at: call.pure.at }));
    return call;
  };

  it("[S5] of one end lost makes its flows stale, and media may go on", () => {
    const call = lose(running(), "bob");
    expect(staleOf(call)).toEqual(EACH);
    expect(call.live).toEqual(all("active"));
    accepted(call.pure.join("bob"));
    expect(staleOf(call)).toEqual(NONE);
  });

  it("[S5] of both ends lost is lost until both are back", () => {
    const call = lose(lose(running(), "bob"), "alice");
    accepted(call.pure.join("bob"));
    expect(staleOf(call)).toEqual(EACH);
    accepted(call.pure.join("alice"));
    expect(staleOf(call)).toEqual(NONE);
  });

  it("[S5] lost: what is offered meanwhile is stale from the start", () => {
    const call = lose(new Call().exchange("janus-to-firefox.videoroom-subscribe.1-initial"), "bob");
    call.offer(recordOf("janus-to-firefox.videoroom-subscribe.2-add-publisher").offer);
    expect(call.live.slice(2)).toEqual(["2.1:alice proposed", "3.1:alice proposed"]);
    expect(staleOf(call)).toEqual(EACH);
    accepted(call.pure.join("bob"));
    expect(staleOf(call)).toEqual(NONE);
    call.answer(recordOf("janus-to-firefox.videoroom-subscribe.2-add-publisher").answer!);
    expect(call.live).toHaveLength(4);
  });

  it("[S5] lost with a media server as the other end is no different", () => {
    const call = new Call({}, { bob: "media-server" }).exchange(FIREFOX).connected();
    expect(staleOf(lose(call, "bob"))).toEqual(EACH);
  });

  const ends: readonly (readonly [string, (call: Call) => Call])[] = [
    ["left", (call) => call.send("bob", { type: "leave" })],
    [
      "kicked",
      (call) => {
        accepted(call.pure.do({ type: "kick", peer: "bob", at: call.pure.at }));
        return call;
      },
    ],
    ["lost", (call) => lose(call, "bob").alarm()],
    // The token of bob is the first to end.
    ["expired", (call) => call.alarm()],
  ];

  it.each(ends)("[S4] gone for good ends every flow of the peer: %s", (cause, over) => {
    const call = new Call();
    accepted(call.pure.join("bob", "peer", { expiresAt: call.pure.at + 600 * SECOND }));
    call.exchange(FIREFOX).connected().reoffer("alice", sendonly).take("rollback", "alice");
    call.pure.take("olivia");
    over(call);
    expect(call.live).toEqual([]);
    expect(call.ended).toEqual(all(`ended ${cause}`));
    expect(call.link.flows.transports.map(({ state }) => state)).toEqual(["closed"]);
    const told = call.pure.take("olivia", "flows") as Extract<ToPeer, { type: "flows" }>[];
    expect(wholeFlows(told.at(-1)?.changed).map(words).length).toBe(4);
    // They can be read as long as the session is there, also when the peer comes back.
    const kept = call.link.flows.flows;
    accepted(call.pure.join("carol"));
    expect(call.link.flows.flows).toBe(kept);
  });

  it("[S4] gone with an offer open ends what is proposed and pending with the rest", () => {
    const call = new Call().exchange("janus-to-firefox.videoroom-subscribe.1-initial");
    call.offer(recordOf("janus-to-firefox.videoroom-subscribe.2-add-publisher").offer);
    call.send("alice", { type: "leave" });
    expect(call.ended).toEqual(["0.1", "1.1", "2.1", "3.1"].map((id) => `${id}:alice ended left`));
    expect(call.link.flows.flows.some((flow) => "pending" in flow)).toBe(false);
    const other = running().reoffer("alice", sendonly).send("bob", { type: "leave" });
    expect(other.pending).toEqual({});
  });

  it("[S6] of the whole session ended: whoever follows learns the end of each flow before the close", () => {
    const call = running().later(9 * SECOND);
    call.pure.take("olivia");
    accepted(call.pure.do({ type: "end", at: call.pure.at }));
    const [flows, ...rest] = call.pure.take("olivia");
    expect(rest).toEqual([]);
    if (flows?.type !== "flows") throw new Error("no flows were told");
    expect(wholeFlows(flows.changed).map(words)).toEqual(all("ended session-ended"));
    expect(wholeFlows(flows.changed).map(({ timing }) => timing.activeMs)).toEqual([
      9000, 9000, 9000, 9000,
    ]);
    expect(flows.transports.map(({ state }) => state)).toEqual(["closed"]);
    expect(call.pure.closed.get("olivia")).toBe(4000);
    expect(call.pure.session.links.size).toBe(0);
  });
});

describe("the end", () => {
  it("[F4] is final, whatever is said of a flow or a transport that is over", () => {
    const { flows } = running().send("bob", { type: "leave" }).link;
    const context = {
      ...{ link: "alice~bob", peers: ["alice", "bob"] as const, at: 1, exchange: 9 },
      revision: flows.revision + 1,
    };
    const raised = flows.flows.map((flow) => ({ ...flow, priority: "high" as const }));
    const opened = flows.transports.map((each) => ({ ...each, state: "connected" as const }));
    expect(commit(context, flows, { flows: raised, transports: opened })).toBe(flows);
  });
});

describe("any history of a link", () => {
  const three = <T>(value: fc.Arbitrary<T>) => fc.tuple(value, value, value);
  const direction = fc.constantFrom("sendrecv", "sendrecv", "sendonly", "recvonly", "inactive");
  const KINDS = ["audio", "video", "application"] as const;
  const text = fc.record({
    count: fc.constantFrom(1, 2, 3, 3),
    mids: fc.constantFrom(["0", "1", "2"], ["0", "1", "2"], ["0", "9", "2"]),
    ports: three(fc.constantFrom(9, 9, 9, 9, 0)),
    offered: three(direction),
    answered: three(direction),
    ssrc: fc.constantFrom(11, 11, 22),
    ufrag: fc.constantFrom("aaaa", "aaaa", "bbbb"),
    of: fc.constantFrom("x", "x", "x", "y"),
  });
  const peer = fc.constantFrom("alice", "bob");
  const acts = (weight: number, ...names: string[]) => ({
    weight,
    arbitrary: fc.record({ act: fc.constantFrom(...names), who: peer, text }),
  });
  const deed = fc.oneof(
    acts(6, "exchange"),
    acts(3, "offer"),
    acts(2, "rollback", "reject", "alarm"),
    acts(4, "connected", "connected", "disconnected", "failed", "checking", "closed"),
    acts(2, "lost", "join", "join", "join", "leave"),
  );
  type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

  /** What a side says: its own keys and numbers, and the answer's directions are its own too. */
  function said(shape: Deed["text"], who: string, setup: "actpass" | "active"): string {
    const { count, mids, ports, ssrc, ufrag, of } = shape;
    const directions = setup === "actpass" ? shape.offered : shape.answered;
    const sections = [0, 1, 2].slice(0, count).map((index) => ({
      ...{ kind: KINDS[index]!, mid: mids[index]!, port: ports[index]! },
      ...{ direction: directions[index]!, ssrc: ssrc + index },
    }));
    return sdpOf({ setup, of: `${who}${of}`, ufrag: `${who}${ufrag}`, sections });
  }

  /** What is refused is refused: the history goes on. */
  function perform(call: Call, { act, who, text: shape }: Deed): void {
    const { pure } = call;
    const to = otherOf(who);
    const { open, exchange = 0 } = pure.session.links.get("alice~bob") ?? {};
    const offerer = open?.offerer ?? who;
    pure.at += SECOND;
    switch (act) {
      case "exchange":
      case "offer": {
        pure.send(who, { type: "offer", to, sdp: said(shape, who, "actpass") });
        const opened = pure.session.links.get("alice~bob");
        if (act === "offer" || opened?.open?.offerer !== who) return;
        const sdp = said(shape, to, "active");
        pure.send(to, { type: "answer", to: who, exchange: opened.exchange, sdp });
        return;
      }
      case "rollback":
        pure.send(offerer, { type: "rollback", to: otherOf(offerer), exchange });
        return;
      case "reject":
        pure.send(otherOf(offerer), { type: "reject", to: offerer, exchange });
        return;
      case "alarm":
        pure.at = Math.max(pure.at, nextDeadline(pure.session) ?? 0);
        pure.do({ type: "alarm", at: pure.at });
        return;
      case "lost":
        pure.do({ type: "lost", peer: who, at: pure.at });
        return;
      case "join":
        pure.join(who);
        return;
      case "leave":
        pure.send(who, { type: "leave" });
        return;
      default: {
        const state = act as TransportState;
        const pair = state === "connected" ? { pair: PAIR } : {};
        pure.send(who, { type: "transport", to, state, ...pair });
      }
    }
  }

  /** What holds of a record, whatever it went through. */
  function check(call: Call, flow: Flow): void {
    const { timing, since, state, history, pending } = flow;
    expect(timing.activeMs + timing.heldMs).toBeLessThanOrEqual(since - timing.createdAt);
    if (timing.activeMs > 0 || state === "active") expect(timing.activeAt).toBeDefined();
    expect(history.every(({ at }) => at <= since)).toBe(true);
    expect(history.some((past) => past.state === "ended")).toBe(false);
    if (pending) {
      expect(pending.exchange).toBe(call.link.open?.exchange);
      expect(Object.keys(pending).length).toBeGreaterThan(1);
      expect(["negotiated", "active", "held"]).toContain(state);
    }
    if (state === "ended") expect(flow.reason).toBeTruthy();
    if (state === "proposed") expect(call.link.open).not.toBeNull();
    const away = call.link.peers.some((id) => call.pure.session.peers.get(id)?.awayUntil != null);
    expect(flow.stale === true).toBe(away && state !== "ended");
  }

  it("[F4] what is over never changes, what is pending is of the open offer, times add up", () => {
    fc.assert(
      fc.property(fc.array(deed, { minLength: 4, maxLength: 25 }), (deeds) => {
        const call = new Call();
        const over = new Map<string, Flow | Transport>();
        for (const each of deeds) {
          perform(call, each);
          if (!call.pure.session.links.has("alice~bob")) {
            // Not yet, or the session has ended and with it all that it knew.
            over.clear();
            continue;
          }
          const { flows, transports } = call.link.flows;
          for (const record of [...flows, ...transports]) {
            if (over.has(record.id)) expect(record).toBe(over.get(record.id));
            if (record.state === "ended" || record.state === "closed") over.set(record.id, record);
          }
          for (const flow of flows) check(call, flow);
          const ids = new Set([...flows, ...transports].map(({ id }) => id));
          expect([...over.keys()].filter((id) => !ids.has(id))).toEqual([]);
          expect(JSON.parse(JSON.stringify(call.link.flows))).toStrictEqual(call.link.flows);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("[R5] what is due is due once: no alarm sets itself for the past", () => {
    fc.assert(
      fc.property(fc.array(deed, { minLength: 4, maxLength: 20 }), (deeds) => {
        const call = new Call();
        for (const each of deeds) perform(call, each);
        for (let alarms = 0; alarms < 8 && call.pure.session.peers.size > 0; alarms += 1) {
          call.alarm();
        }
      }),
      { numRuns: 100 },
    );
  });
});
