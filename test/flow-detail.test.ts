import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { FlowsView } from "../protocol/flow.ts";
import { FlowSummary } from "../protocol/flow-summary.ts";
import { summaryOf } from "../protocol/flows/summary.ts";
import { sdpOf } from "./descriptions.ts";
import { type LivePeer, LiveSession, MODES } from "./live-session.ts";

/** What a socket asks to be told of flows, over the real doors, awake and evicted before every message. */

afterEach(async () => {
  await reset();
});

let ids = 0;
async function ask(peer: LivePeer, message: object): Promise<{ exchange?: number }> {
  ids += 1;
  const reply = await peer.request({ ...message, id: ids } as { id: number });
  expect(reply).toMatchObject({ type: "ack" });
  return reply as { exchange?: number };
}

async function talk(one: LivePeer, other: LivePeer): Promise<void> {
  const offer = { type: "offer", to: other.id, sdp: sdpOf({ of: "alice" }) };
  const { exchange } = await ask(one, offer);
  const sdp = sdpOf({ of: "bob", setup: "active" });
  await ask(other, { type: "answer", to: one.id, exchange, sdp });
  await ask(one, { type: "transport", to: other.id, state: "connected" });
}

/** The frames about flows since the last time. */
async function frames(peer: LivePeer) {
  const found = await peer.all("flows");
  peer.inbox.length = 0;
  return found;
}

const welcomeOf = async (session: LiveSession, peer: LivePeer, query: string) => {
  const response = await session.upgrade(peer.token, query);
  const socket = response.webSocket;
  if (!socket) throw new Error(`${response.status}`);
  const first = new Promise<string>((resolve) =>
    socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
  );
  socket.accept();
  return JSON.parse(await first) as { resumed: boolean; flows: FlowsView };
};

const strict = FlowSummary.strict();

describe.each(MODES)("%s", (mode) => {
  it("[M4] brief and full side by side: each is told what it asked for, on and on", async () => {
    const session = await LiveSession.start(mode);
    const full = await session.join();
    const brief = await session.connect(await session.invite(), "?flows=brief");
    await talk(full, brief);
    const [first, ...more] = await frames(brief);
    expect(more).toEqual([]);
    expect(first?.changed.map(({ state }) => state)).toEqual(["active", "active"]);
    for (const each of first?.changed ?? []) strict.parse(each);
    const whole = await frames(full);
    expect(whole.map(({ changed }) => changed.length)).toEqual([2, 2, 2]);
    expect(whole.at(-1)?.changed[0]).toHaveProperty("codecs");
    await ask(brief, { type: "flow", flow: first?.changed[0]?.id, held: true });
    expect((await frames(brief)).map(({ changed }) => Object.keys(changed[0] ?? {}))).toEqual([
      ["id", "revision", "mid", "kind", "from", "to", "state", "reason", "requests"],
    ]);
    expect((await frames(full))[0]?.transports).toEqual([]);
  });

  it("[R2][S3] the next socket is told what it asks for: after a loss, and in place of an older one", async () => {
    const session = await LiveSession.start(mode);
    const other = await session.join();
    const peer = await session.connect(await session.invite(), "?flows=brief");
    await talk(other, peer);
    const whole = await session.read<FlowsView>("/flows");
    const summaries = whole.flows.map(summaryOf);
    const takeover = await welcomeOf(session, peer, "?flows=brief");
    expect(takeover).toMatchObject({ resumed: true, flows: { flows: summaries, transports: [] } });
    await session.pause();
    const asked = await welcomeOf(session, peer, "?flows=full");
    expect(asked.flows.transports).toHaveLength(1);
    expect(asked.flows.flows[0]).toHaveProperty("codecs");
    await session.pause();
    // Whoever says nothing is told all.
    expect((await welcomeOf(session, peer, "")).flows).toEqual(asked.flows);
    await session.pause();
    const again = await session.connect(peer.invitation, "?flows=brief");
    await ask(other, { type: "flow", flow: summaries[0]?.id, maxBitrateBps: 50_000 });
    const [told] = await frames(again);
    expect(told?.changed).toMatchObject([{ limits: { effectiveBps: 50_000 } }]);
    for (const each of told?.changed ?? []) strict.parse(each);
  });

  it("[M4] whoever was alone when it came is remembered as brief", async () => {
    const session = await LiveSession.start(mode);
    // Its join is in no row yet.
    const brief = await session.connect(await session.invite(), "?flows=brief");
    const full = await session.join();
    await talk(full, brief);
    expect((await frames(brief)).map(({ transports }) => transports)).toEqual([[]]);
  });
});

describe.each(MODES)("usual values, %s", (mode) => {
  it("[R2] are left out for the socket that asked for it, and for no other", async () => {
    const session = await LiveSession.start(mode);
    const whole = await session.join();
    const lean = await session.connect(await session.invite(), "?defaults=omit");
    await session.join();
    const [, third] = await whole.all("peer-joined");
    expect(third?.peer).toMatchObject({ role: "peer", state: "connected" });
    const [same] = await lean.all("peer-joined");
    expect(Object.keys(same?.peer ?? {})).toEqual(["id", "joinedAt"]);
    await session.pause();
    const again = await welcomeOf(session, lean, "?defaults=omit");
    expect(Object.keys(again)).not.toContain("limits");
    expect(again.resumed).toBe(true);
    expect(await welcomeOf(session, lean, "")).toHaveProperty("limits.peers", 16);
  });
});

describe("the address", () => {
  it("[S8] says what is wrong with what is asked", async () => {
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    for (const query of ["?flows=all", "?flows=", "?flows=BRIEF"]) {
      const response = await session.upgrade(token, query);
      expect(response.status).toBe(400);
      const problem = { code: "invalid-request", errors: [{ field: "flows" }] };
      expect(await response.json()).toMatchObject(problem);
    }
    const wrong = await session.upgrade(token, "?defaults=yes");
    expect(await wrong.json()).toMatchObject({ errors: [{ field: "defaults" }] });
    expect((await session.upgrade(token, "?region=eu")).status).toBe(101);
  });
});
