import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { FlowAssistance } from "../protocol/assistance/record.ts";
import type { Flow, FlowsView } from "../protocol/flow.ts";
import type { SessionEvent } from "../protocol/step.ts";
import type { TimelineView } from "../protocol/timeline/view.ts";
import { CALL, record, SPEECH_BPS } from "./assisted-session.ts";
import { type Shape, sdpOf } from "./descriptions.ts";
import { type Frame, type LiveEndpoint, LiveRealm } from "./live-realm.ts";
import { type LivePeer, LiveSession, MODES } from "./live-session.ts";

/** What a mobile network does and recommends, as it comes out of the object's doors. */

afterEach(() => reset());

interface Turning {
  turn(event: SessionEvent): unknown;
}

/** The network's word reaches the object by an event of its own, as an answer or a notification does. */
async function hear(
  session: LiveSession,
  link: string,
  peer: string,
  assistance: FlowAssistance | null,
): Promise<void> {
  await session.pause();
  await runInDurableObject(session.stub, (object) => {
    const event = { type: "assistance", link, peer, assistance, at: Date.now() } as const;
    (object as unknown as Turning).turn(event);
  });
}

async function flowsOf(session: LiveSession): Promise<readonly Flow[]> {
  await session.pause();
  return (await session.read<FlowsView>("/flows")).flows;
}

const limitsOf = (flows: readonly Flow[], from: string) =>
  flows
    .filter((flow) => flow.from === from)
    .map(({ limits }) => [limits.effectiveBps, limits.source]);

describe.each(MODES)("peers, %s", (mode) => {
  async function called(): Promise<readonly [LiveSession, LivePeer, LivePeer, string]> {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    const bob = await session.join();
    await alice.request({
      id: 1,
      type: "offer",
      to: bob.id,
      sdp: sdpOf({ of: "alice", sections: CALL }),
    } as never);
    const { exchange } = await bob.next("offer");
    await bob.request({
      id: 1,
      type: "answer",
      to: alice.id,
      exchange,
      sdp: sdpOf({ of: "bob", setup: "active", sections: CALL }),
    } as never);
    await alice.next("answer");
    const { flows } = await session.read<FlowsView>("/flows");
    return [session, alice, bob, String(flows[0]?.link)];
  }

  it("[M13] both read it, the sender is advised, and all of it is there after an eviction", async () => {
    const [session, alice, bob, link] = await called();
    const impaired = record({ state: "impaired", advised: { uplinkBps: 300_000 } });
    await hear(session, link, alice.id, impaired);
    const audio = await alice.next("advice");
    expect(audio).toMatchObject({
      mid: "0",
      peer: alice.id,
      network: "alpha",
      state: "impaired",
      bitrateBps: SPEECH_BPS,
    });
    const flows = await flowsOf(session);
    for (const flow of flows) expect(flow.assistance).toEqual({ [alice.id]: impaired });
    expect(limitsOf(flows, alice.id)).toEqual([
      [SPEECH_BPS, "network"],
      [300_000 - SPEECH_BPS, "network"],
    ]);
    expect(await bob.all("advice")).toHaveLength(2);
    const own = await session.read<TimelineView>("/timeline");
    expect(own.entries.filter(({ type }) => type === "assistance")).toMatchObject([
      { peer: alice.id, link, state: "impaired", advised: { uplinkBps: 300_000 } },
    ]);
    await hear(session, link, alice.id, null);
    const after = await flowsOf(session);
    expect(limitsOf(after, alice.id)).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
    for (const flow of after) expect(flow).not.toHaveProperty("assistance");
    const told = await alice.all("advice");
    expect(told.at(-1)).toEqual({
      type: "advice",
      flow: expect.any(String),
      mid: "1",
      peer: alice.id,
    });
  });

  it("[M13] the renegotiation of a link that was read back gives a new flow what the others have", async () => {
    const [session, alice, bob, link] = await called();
    await hear(session, link, alice.id, record());
    const more = [...CALL, { kind: "video" as const }];
    await alice.request({
      id: 2,
      type: "offer",
      to: bob.id,
      sdp: sdpOf({ of: "alice", sections: more, version: 2 }),
    } as never);
    const { exchange } = await bob.next("offer");
    await bob.request({
      id: 2,
      type: "answer",
      to: alice.id,
      exchange,
      sdp: sdpOf({ of: "bob", setup: "active", sections: more, version: 2 }),
    } as never);
    const flows = await flowsOf(session);
    expect(flows).toHaveLength(6);
    for (const flow of flows) expect(flow.assistance).toEqual({ [alice.id]: record() });
  });
});

const CANDIDATE = "a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host";
const whole = (shape: Shape): string =>
  sdpOf(shape).replace(/a=mid:\S+\r\n/g, (mid) => `${mid}${CANDIDATE}\r\n`);

const sourceIn = (frame: Frame): unknown => frame.source_id ?? frame.source;

describe.each(MODES)("endpoints of SWAP, %s", (mode) => {
  async function called(
    dialect: LiveEndpoint["dialect"],
  ): Promise<readonly [LiveRealm, LiveEndpoint, LiveEndpoint, LiveSession]> {
    const realm = new LiveRealm(mode);
    const criteria = { matching_criteria: [{ type: "service", value: "game-7" }] };
    const bob = await realm.connect(undefined, dialect);
    await bob.say("register", criteria);
    const alice = await realm.connect(undefined, dialect);
    await alice.say("connect", { offer: whole({ of: "alice", sections: CALL }), ...criteria });
    await bob.next("connect");
    const answer = whole({ of: "bob", setup: "active", sections: CALL });
    await bob.say("accept", { target: alice.source, answer });
    await alice.next("accept");
    const { sessions } = await realm.view();
    return [realm, alice, bob, new LiveSession(String(sessions[0]?.id), mode)];
  }

  it.each(["text", "library", "nested"] as const)(
    "[M13] %s: an application message of the server's own says it, and may be rejected",
    async (dialect) => {
      const [, alice, bob, session] = await called(dialect);
      // Those of who offered are listed first.
      const [flow] = await flowsOf(session);
      const advised = { uplinkBps: 300_000 };
      await hear(session, String(flow?.link), String(flow?.from), record({ advised }));
      const audio = await alice.next("application");
      expect(audio.type ?? (audio.payload as Frame)?.type).toBe("urn:duplex:network-advice:1");
      expect(audio.value).toEqual({
        call: bob.source,
        mid: "0",
        direction: "uplink",
        network: "alpha",
        state: "granted",
        bitrateBps: SPEECH_BPS,
      });
      const server = sourceIn(audio);
      expect([alice.source, bob.source]).not.toContain(server);
      await alice.next("application");
      // An update of the other side is open while the advice is rejected: it is not what was meant.
      const more = whole({ of: "bob", sections: CALL, version: 2 });
      await bob.say("update", { target: alice.source, sdp: more });
      await alice.next("update");
      const taken = await alice.say("reject", {
        target: server,
        request: audio.message_id,
        description: "unknown type",
      });
      expect(taken.error).toBeUndefined();
      const answer = whole({ of: "alice", setup: "passive", sections: CALL, version: 2 });
      const accepted = await alice.say("accept", { target: bob.source, answer });
      expect(accepted.error).toBeUndefined();
      await bob.next("accept");
      expect(bob.inbox.filter(({ message_type: type }) => type === "reject")).toEqual([]);
      // What bob is to know of is what alice receives: of that nothing was said.
      expect(bob.inbox.filter(({ message_type: type }) => type === "application")).toEqual([]);
    },
  );

  it("[M13] one whose socket was lost meanwhile is told when it is back", async () => {
    const [realm, alice, bob, session] = await called("text");
    const [flow] = await flowsOf(session);
    alice.socket.close();
    await realm.has(1);
    const advised = { uplinkBps: 300_000 };
    await hear(session, String(flow?.link), String(flow?.from), record({ advised }));
    const again = await realm.connect(alice.source);
    await again.say("register", {});
    const told = [await again.next("application"), await again.next("application")];
    expect(told.map(({ type }) => type)).toEqual(told.map(() => "urn:duplex:network-advice:1"));
    const about = { call: bob.source, direction: "uplink", network: "alpha", state: "granted" };
    expect(told.map(({ value }) => value)).toEqual([
      { ...about, mid: "0", bitrateBps: SPEECH_BPS },
      { ...about, mid: "1", bitrateBps: advised.uplinkBps - SPEECH_BPS },
    ]);
    expect(told.map(({ source }) => source)).not.toContain(bob.source);
  });
});
