import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { FlowsView } from "../protocol/flow.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { viewFlows } from "../protocol/views.ts";
import { Call, pairOf } from "./flow-call.ts";
import { type LivePeer, LiveSession, MODES } from "./live-session.ts";

afterEach(() => reset());

const PUBLISH = pairOf("chromium-to-janus.videoroom-publish-simulcast");
const SUBSCRIBE = pairOf("janus-to-chromium.videoroom-subscribe.1-initial");

/** A media server with a publisher and a subscriber, over sockets: what happens there, happens in the pure function. */
describe.each(MODES)("a media server, %s", (mode) => {
  let id = 0;
  const ask = async (peer: LivePeer, message: object): Promise<ToPeer> => {
    id += 1;
    return peer.request({ id, ...message });
  };

  async function exchange(
    from: LivePeer,
    to: LivePeer,
    [offer, answer]: readonly [string, string],
    media: object = {},
  ) {
    await ask(from, { type: "offer", to: to.id, sdp: offer, ...media });
    const { exchange: number } = await to.next("offer");
    await ask(to, { type: "answer", to: from.id, exchange: number, sdp: answer });
  }

  it("[R4] labels, sources, lost sources and reports are those of an object that never sleeps", async () => {
    const session = await LiveSession.start(mode, { topology: "central" });
    const alice = await session.join();
    const bob = await session.join();
    const sfu = await session.join({ role: "media-server" });
    const names = new Map([alice, bob, sfu].map((peer, index) => [peer.id, `peer-${index}`]));
    const named = <T>(value: T): T => {
      let text = JSON.stringify(value);
      // A link is named after its peers in their order, which is by chance.
      text = text.replaceAll(/([\w-]+)~([\w-]+)/g, (_all, one: string, other: string) =>
        [names.get(one), names.get(other)].sort().join("~"),
      );
      for (const [from, to] of names) text = text.replaceAll(from, to);
      return JSON.parse(text) as T;
    };
    const label = { 1: { sourceId: "camera", simulcastGroup: "both", content: "slides" } };
    await exchange(alice, sfu, PUBLISH, { media: label });
    await exchange(sfu, bob, SUBSCRIBE);
    const { flows } = await session.read<FlowsView>("/flows");
    const idOf = (from: LivePeer, to: LivePeer): string =>
      flows.find((flow) => flow.mid === "1" && flow.from === from.id && flow.to === to.id)!.id;
    const [uplink, downlink] = [idOf(alice, sfu), idOf(sfu, bob)];
    const declared = { topology: "projecting", layer: "m", forwarding: true };
    const sources = [{ ssrc: 11, rtx: 12, rid: "h" }];
    const replies = [
      await ask(sfu, { type: "sources", flow: downlink, sourceFlows: [uplink], ...declared }),
      await ask(alice, {
        type: "quality",
        to: sfu.id,
        flows: [{ flow: uplink, bitrateBps: 900_000, sources }],
      }),
      await ask(bob, { type: "sources", flow: downlink, sourceFlows: [] }),
    ];
    expect(replies.map((reply) => ("code" in reply ? reply.code : reply.type))).toEqual([
      "ack",
      "ack",
      "not-permitted",
    ]);
    await ask(alice, { type: "leave" });
    await ask(sfu, { type: "transport", to: bob.id, state: "connected" });
    const live = named(await session.read<FlowsView>("/flows"));

    const pure = new Call({ topology: "central" }).peers("peer-0", "peer-1").serve("peer-2");
    pure.exchange("peer-0", "peer-2", PUBLISH, { offer: label });
    pure.exchange("peer-2", "peer-1", SUBSCRIBE);
    const [up, down] = ["peer-0~peer-2:1.1:peer-0", "peer-1~peer-2:1.1:peer-2"] as const;
    pure.carry(down, [up], { topology: "projecting", layer: "m", forwarding: true });
    pure.report("peer-0", "peer-2", { flow: up, bitrateBps: 900_000, sources });
    pure.send("peer-0", { type: "leave" });
    pure.connect("peer-2", "peer-1");
    const timeless = ({ revision, flows: records }: FlowsView) => ({
      revision,
      flows: records
        .map(({ since, timing, history, cname, ...flow }) => flow)
        .toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    });
    expect(timeless(live)).toEqual(timeless(viewFlows(pure.session)));
    expect(live.flows.find((flow) => flow.id === down)).toMatchObject({
      state: "held",
      reason: "source-ended",
      topology: "projecting",
      sourceFlows: [],
    });
    expect(live.flows.find((flow) => flow.id === up)).toMatchObject({
      ...label[1],
      quality: { "peer-0": { bitrateBps: 900_000 } },
      sources: [{ ssrc: 11, rtx: 12, rid: "h", reported: true }],
    });
  });
});
