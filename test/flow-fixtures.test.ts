import { describe, expect, it } from "vitest";
import type { Flow } from "../protocol/flow.ts";
import type { LinkFlows } from "../protocol/flows/link-flows.ts";
import { type CorpusStats, recordOf } from "./corpus.ts";
import { type Expectation, expectationOf, type Party } from "./flow-expectation.ts";
import { FIXTURES, inWords } from "./flow-fixtures.ts";
import { FLOW_STORIES, type FlowStory, type StoryStep } from "./flow-stories.ts";
import { Negotiation, PAIRS } from "./link-negotiation.ts";
import { outcome, PureSession } from "./pure-session.ts";

const fixtureOf = (name: string): Expectation => {
  const fixture = FIXTURES.get(name);
  if (!fixture) throw new Error(`no fixture ${name}`);
  return fixture;
};

/** What a first exchange of the descriptions leaves, in the words of the fixtures. */
function derived(offer: string, answer: string): Expectation {
  const link = new Negotiation();
  link.exchange(offer, answer);
  return inWords(link.flows, "a");
}

describe("flows of real pairs, beside an independent expectation", () => {
  it("[M4] every answered offer has one", () => {
    expect([...FIXTURES.keys()].toSorted()).toEqual(PAIRS.map(([name]) => name).toSorted());
    expect([...FIXTURES.values()].flatMap(({ flows }) => flows).length).toBeGreaterThan(400);
  });

  it.each(PAIRS)("[M4] %s: the fixture is what the script writes", (name, offer, answer) => {
    expect(expectationOf(offer, answer)).toEqual(fixtureOf(name));
  });

  it.each(PAIRS)("[M4] %s", (name, offer, answer) => {
    const { transports, ...flows } = derived(offer, answer);
    const { transports: expected, ...expectedFlows } = fixtureOf(name);
    expect(flows).toEqual(expectedFlows);
    // Without media there is no RTCP to multiplex: what the record says of it then says nothing.
    const comparable = transports.map(({ rtcpMux, ...transport }, index) =>
      expected[index]?.rtcpMux === undefined ? transport : { ...transport, rtcpMux },
    );
    expect(comparable).toEqual(expected);
  });

  const measured = PAIRS.flatMap(([name]) => {
    const { statsOfferer, statsAnswerer } = recordOf(name);
    return statsOfferer && statsAnswerer ? [[name, statsOfferer, statsAnswerer] as const] : [];
  });

  it.each(measured)("[M4] %s: what both browsers measured fits as well", (name, ...stats) => {
    const { flows, transports } = fixtureOf(name);
    const ends: readonly (readonly [Party, CorpusStats])[] = [
      ["offerer", stats[0]],
      ["answerer", stats[1]],
    ];
    for (const [party, { outbound, transports: reported }] of ends) {
      const sent = flows.filter(({ from, kind }) => from === party && kind !== "data");
      expect(sent.map(({ mid }) => mid).toSorted()).toEqual(
        outbound.map(({ mid }) => mid).toSorted(),
      );
      for (const { mid, sources } of sent) {
        const { ssrc, rtxSsrc } = outbound.find((each) => each.mid === mid)!;
        // Firefox does not say the SSRC of its retransmissions.
        const [source = ""] = sources;
        expect(rtxSsrc === undefined ? source.split(" ")[0] : source).toBe(
          rtxSsrc === undefined ? String(ssrc) : `${ssrc} rtx ${rtxSsrc}`,
        );
      }
      const isClient = transports[0]?.dtls.client === party;
      expect(reported[0]?.dtlsRole).toBe(isClient ? "client" : "server");
    }
  });
});

const place = ({ mLineIndex, mid, from }: Flow): string => `${mLineIndex}/${mid} ${from}`;

const stateWords = (flow: Flow): string =>
  [place(flow), flow.state, ...(flow.reason ? [flow.reason] : [])].join(" ");

const isOver = ({ state }: Flow): boolean => state === "ended";

const liveOf = ({ flows }: LinkFlows): string[] =>
  flows.filter((flow) => !isOver(flow)).map(stateWords);

/** `0/0 a ends`, `0/0 a held`, `0/0 a resumed`: what the open offer would make of flows that run. */
const pendingOf = ({ flows }: LinkFlows): string[] =>
  flows.flatMap((flow) => {
    const { pending, state } = flow;
    if (pending?.ends) return [`${place(flow)} ends`];
    if (pending?.held === undefined || state === "proposed") return [];
    return [`${place(flow)} ${pending.held ? "held" : "resumed"}`];
  });

/** Flows that had not ended keep their ids and their state while an offer is open. */
const runningOf = ({ flows }: LinkFlows): string[] =>
  flows.filter(({ state }) => !["ended", "proposed"].includes(state)).map(stateWords);

const openOf = ({ transports }: LinkFlows) => transports.filter(({ state }) => state !== "closed");

/** Plays a story step by step. */
class Telling {
  readonly link = new Negotiation();
  readonly #used = new Set<string>();
  readonly #story: FlowStory;

  constructor(story: FlowStory) {
    this.#story = story;
  }

  tell(step: StoryStep): void {
    const { offer, answer } = recordOf(`${this.#story.name}.${step.step}`);
    const by = step.by ?? "a";
    const before = this.link.flows;
    this.link.offer(offer, by);
    expect(pendingOf(this.link.flows).toSorted()).toEqual([...(step.pending ?? [])].toSorted());
    expect(runningOf(this.link.flows)).toEqual(runningOf(before));
    if (step.isRolledBack) this.link.withdraw("rolled-back");
    else this.link.answer(offer, answer!, by);
    if (!step.isRolledBack && openOf(before).length === 0) {
      this.link.report("a", { state: "connected" });
    }
    this.#compare(before, step);
  }

  #compare(before: LinkFlows, step: StoryStep): void {
    const { flows } = this.link;
    expect(liveOf(flows).toSorted()).toEqual([...step.live].toSorted());
    expect(pendingOf(flows)).toEqual([]);
    const known = new Set(before.flows.filter(isOver).map(({ id }) => id));
    const ended = flows.flows.filter((flow) => isOver(flow) && !known.has(flow.id));
    expect(ended.map((flow) => stateWords(flow).replace(" ended ", " ")).toSorted()).toEqual(
      [...(step.ended ?? [])].toSorted(),
    );
    this.#compareNames(before);
    this.#compareTransport(before, step);
  }

  /** N8: what lives on keeps its id, and what is new has one that nothing had before. */
  #compareNames(before: LinkFlows): void {
    const lived = new Map(
      before.flows.filter((flow) => !isOver(flow)).map((flow) => [place(flow), flow.id]),
    );
    for (const flow of this.link.flows.flows.filter((each) => !isOver(each))) {
      const id = lived.get(place(flow));
      if (id === undefined) expect(this.#used.has(flow.id)).toBe(false);
      else expect(flow.id).toBe(id);
    }
    for (const { id } of this.link.flows.flows) this.#used.add(id);
  }

  #compareTransport(before: LinkFlows, { mids, restarts }: StoryStep): void {
    const [transport, ...others] = openOf(this.link.flows);
    expect(others).toEqual([]);
    expect(transport?.mids ?? []).toEqual(mids);
    const [earlier] = openOf(before);
    if (!transport || !earlier) return;
    expect(transport.id).toBe(earlier.id);
    expect(transport.dtls).toEqual(earlier.dtls);
    expect(transport.iceGeneration).toBe(earlier.iceGeneration + (restarts ? 1 : 0));
    expect(transport.restartingSince !== undefined).toBe(restarts === true);
    if (!restarts) expect(transport.ice).toEqual(earlier.ice);
    else expect(JSON.stringify(transport.ice)).not.toBe(JSON.stringify(earlier.ice));
  }
}

describe("stories of real connections, told by hand", () => {
  it.each(FLOW_STORIES)("[N8] $name", (story) => {
    const telling = new Telling(story);
    for (const step of story.steps) telling.tell(step);
  });

  it.each(["chromium", "firefox"])("[N3] glare in %s: the first offer makes flows", (stack) => {
    const { offer, answer } = recordOf(`${stack}.glare.2-polite-answer`);
    const other = recordOf(`${stack}.hold-resume.1-initial`);
    const session = new PureSession({ sdpPolicy: "report" });
    session.join("a");
    session.join("b");
    expect(outcome(session.send("b", { type: "offer", to: "a", sdp: offer }))).toBe("accepted");
    const link = () => session.session.links.get("a~b")!;
    const open = link();
    expect(outcome(session.send("a", { type: "offer", to: "b", sdp: other.offer }))).toBe("glare");
    expect(link().flows).toEqual(open.flows);
    expect(liveOf(open.flows).toSorted()).toEqual(["0/0 a proposed", "0/0 b proposed"]);
    const { exchange } = open;
    const answered = session.send("a", { type: "answer", to: "b", exchange, sdp: answer! });
    expect(outcome(answered)).toBe("accepted");
    expect(link().flows.flows.map(stateWords).toSorted()).toEqual([
      "0/0 a ended not-accepted",
      "0/0 b negotiated",
    ]);
  });
});
