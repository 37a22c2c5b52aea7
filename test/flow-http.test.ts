import { describe, expect, it } from "vitest";
import type { Flow } from "../protocol/flow.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { sdpOf } from "./descriptions.ts";
import { callJson, KEY, type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { wholeFlows } from "./whole-flows.ts";

/** Flows over HTTP and sockets of a real session. */

const SECTIONS = [{ kind: "audio" }, { kind: "video" }, { kind: "application" }] as const;

const bearer = ({ token }: { token: string }) => ({ authorization: `Bearer ${token}` });

async function connect(one: LivePeer, other: LivePeer, id = 1): Promise<void> {
  const sdp = sdpOf({ of: one.id, sections: SECTIONS });
  const offer = { type: "offer", id, to: other.id, sdp };
  expect(await one.request(offer)).toMatchObject({ type: "ack", exchange: 1 });
  const answer = sdpOf({ of: other.id, sections: SECTIONS, setup: "active" });
  const answered = { type: "answer", id, to: one.id, exchange: 1, sdp: answer };
  expect(await other.request(answered)).toMatchObject({ type: "ack" });
}

/** The flow of a kind that a peer sends. */
async function sentBy(session: LiveSession, peer: LivePeer, kind: Flow["kind"]): Promise<Flow> {
  const { flows } = await session.read<{ flows: Flow[] }>("/flows");
  const found = flows.find((flow) => flow.from === peer.id && flow.kind === kind);
  if (!found) throw new Error(`no ${kind} of ${peer.id}`);
  return found;
}

const pathOf = (session: LiveSession, { id }: Flow): string =>
  `${session.path}/flows/${encodeURIComponent(id)}`;

async function patch(
  session: LiveSession,
  flow: Flow,
  change: unknown,
  headers: object = KEY,
): Promise<{ status: number; type: string | null; body: Flow & Record<string, unknown> }> {
  await session.pause();
  const response = await callJson(pathOf(session, flow), "PATCH", change, headers);
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    body: await response.json(),
  };
}

/** What `flows` events told of one flow, newest last. */
async function toldOf(peer: LivePeer, { id }: Flow): Promise<Flow[]> {
  type Flows = Extract<ToPeer, { type: "flows" }>;
  const events = (await peer.all("flows")) as Flows[];
  return events.flatMap(({ changed }) => wholeFlows(changed)).filter((flow) => flow.id === id);
}

describe.each(MODES)("steering over HTTP, %s", (mode) => {
  it("[F7] the application and both ends ask, each for itself, and read the record", async () => {
    const session = await LiveSession.start(mode);
    const [alice, bob] = [await session.join(), await session.join()];
    await connect(alice, bob);
    const video = await sentBy(session, alice, "video");
    const held = await patch(session, video, { held: true, maxBitrateBps: 300_000 });
    expect(held).toMatchObject({
      status: 200,
      body: {
        state: "held",
        reason: "requested",
        requests: [{ by: "application", held: true, maxBitrateBps: 300_000 }],
        limits: { requestedBps: 300_000, effectiveBps: 300_000, source: "request" },
      },
    });
    expect(await patch(session, video, { held: false }, bearer(bob))).toMatchObject({
      status: 409,
      type: "application/problem+json",
      body: { code: "flow-held", heldBy: ["application"], status: 409 },
    });
    const limited = await patch(session, video, { maxBitrateBps: 200_000 }, bearer(bob));
    expect(limited.body.requests).toMatchObject([
      { by: "application" },
      { by: bob.id, maxBitrateBps: 200_000 },
    ]);
    const resumed = await patch(session, video, { held: false, maxBitrateBps: null });
    expect(resumed.body).toMatchObject({
      state: "negotiated",
      requests: [{ by: bob.id }],
      limits: { effectiveBps: 200_000 },
    });
    const untouched = await patch(session, video, {});
    expect(untouched).toMatchObject({ status: 200, body: { revision: resumed.body.revision } });
    for (const peer of [alice, bob]) {
      const told = await toldOf(peer, video);
      expect(told.at(-1)?.revision).toBe(resumed.body.revision);
    }
  });

  it("[F7] what the sender applied is in the record that everybody reads", async () => {
    const session = await LiveSession.start(mode);
    const [alice, bob] = [await session.join(), await session.join()];
    await connect(alice, bob);
    const video = await sentBy(session, alice, "video");
    const { body } = await patch(session, video, { priority: "high" });
    const applied = { revision: body.revision, held: false, maxBitrateBps: null, priority: "high" };
    const message = { type: "applied", flow: video.id, ...applied };
    expect(await alice.request({ id: 2, ...message })).toMatchObject({ type: "ack" });
    expect(await bob.request({ id: 2, ...message })).toMatchObject({ code: "not-permitted" });
    expect((await sentBy(session, alice, "video")).applied).toEqual(applied);
    expect((await toldOf(bob, video)).at(-1)).toMatchObject({ applied, priority: "high" });
  });

  it("[F8] ceilings of session and peer hold after every wake", async () => {
    const session = await LiveSession.start(mode, { maxUplinkBps: 800_000 });
    const alice = await session.join({ maxUplinkBps: 500_000 });
    const [bob, carol] = [await session.join(), await session.join()];
    await connect(alice, bob);
    await connect(alice, carol, 2);
    const { flows } = await session.read<{ flows: Flow[] }>("/flows");
    const sent = flows.filter(({ from, kind }) => from === alice.id && kind !== "data");
    const sum = sent.reduce((total, { limits }) => total + (limits.effectiveBps ?? 0), 0);
    expect(sum).toBe(500_000);
    expect(new Set(sent.map(({ limits }) => limits.source))).toEqual(new Set(["peer"]));
    const video = await sentBy(session, bob, "video");
    expect(video.limits).toEqual({ effectiveBps: 731_200, source: "session" });
  });
});

describe("who steers what", () => {
  it("[F7] a change that cannot be is refused by name, and the flow stays to be read", async () => {
    const session = await LiveSession.start("awake");
    const [alice, bob] = [await session.join(), await session.join()];
    const [carol, eve] = [await session.join(), await session.join({ role: "observer" })];
    await connect(alice, bob);
    const [video, data] = [
      await sentBy(session, alice, "video"),
      await sentBy(session, alice, "data"),
    ];
    const change = { held: true };
    const outcome = async (...asked: [Flow, unknown, object?]) => {
      const { status, body } = await patch(session, ...asked);
      return `${status} ${body.code}`;
    };
    expect(await outcome(video, change, bearer(carol))).toBe("404 flow-not-found");
    expect(await outcome(video, change, bearer(eve))).toBe("403 not-permitted");
    expect(await outcome(video, { held: "yes" })).toBe("400 invalid-request");
    expect(await outcome(video, { maxBitrateBps: 0 })).toBe("400 invalid-request");
    expect(await outcome(video, { state: "ended" })).toBe("400 invalid-request");
    expect(await outcome(data, change)).toBe("409 flow-not-steerable");
    await bob.request({ id: 5, type: "leave" } as never);
    expect(await outcome(video, change)).toBe("409 flow-ended");
    expect(await outcome(video, change, bearer(alice))).toBe("409 flow-ended");
    const left = { state: "ended", reason: "left" };
    expect(await sentBy(session, alice, "video")).toMatchObject(left);
  });

  it("[F7] a media server at an end of the flow is told like any peer, and may ask", async () => {
    const session = await LiveSession.start("awake", { topology: "central" });
    const [sfu, alice] = [await session.join({ role: "media-server" }), await session.join()];
    await connect(alice, sfu);
    const video = await sentBy(session, alice, "video");
    const { body } = await patch(session, video, { maxBitrateBps: 300_000 });
    expect((await toldOf(sfu, video)).at(-1)).toEqual(body);
    const asked = await patch(session, video, { maxBitrateBps: 200_000 }, bearer(sfu));
    expect(asked.body.limits).toMatchObject({ requestedBps: 200_000, effectiveBps: 200_000 });
    const downlink = await sentBy(session, sfu, "video");
    await patch(session, downlink, { held: true });
    expect((await toldOf(sfu, downlink)).at(-1)).toMatchObject({ state: "held" });
  });

  it("[M1] ceilings and the gateway mark travel in the token and are seen of the peer", async () => {
    const session = await LiveSession.start("awake");
    const traits = { maxUplinkBps: 500_000, maxDownlinkBps: 900_000, gateway: true };
    const invitation = await session.invite(traits);
    expect(invitation.peer).toMatchObject(traits);
    await session.connect(invitation);
    const plain = await session.join({ gateway: false });
    const { peers } = await session.read<{ peers: PeerView[] }>("/peers");
    expect(peers.find(({ id }) => id === invitation.peer.id)).toMatchObject(traits);
    expect(peers.find(({ id }) => id === plain.id)).not.toHaveProperty("gateway");
    for (const wrong of [
      { maxUplinkBps: 0 },
      { maxDownlinkBps: 1.5 },
      { gateway: "yes" },
      { role: "media-server", maxUplinkBps: 1000 },
    ]) {
      const refused = await callJson(`${session.path}/peers`, "POST", wrong);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ code: "invalid-request" });
    }
  });
});
