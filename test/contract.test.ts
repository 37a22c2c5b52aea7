import { reset } from "cloudflare:test";
import { afterAll, describe, expect, it } from "vitest";
import { DuplexCall, SwapCall } from "./contract-calls.ts";
import { type Shape, sdpOf } from "./descriptions.ts";
import { MODES } from "./live-session.ts";

/** What a call of two may rely on, in whichever protocol they speak it. */

afterAll(() => reset());

const CANDIDATE = "a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host";
const whole = (shape: Shape = {}): string =>
  sdpOf(shape).replace(/a=mid:\S+\r\n/g, (mid) => `${mid}${CANDIDATE}\r\n`);
const OFFER = whole();
const ANSWER = whole({ setup: "active" });
const BROKEN = OFFER.replace(/a=fingerprint:.*\r\n/, "");
const PROTOCOLS = { "duplex.v1": DuplexCall, SWAP: SwapCall } as const;

const cases = Object.entries(PROTOCOLS).flatMap(([name, Call]) =>
  MODES.map((mode) => ({ name, mode, start: () => Call.start(mode) })),
);

describe.each(cases)("a call by $name, $mode", ({ start }) => {
  const agreed = async () => {
    const call = await start();
    expect(await call.alice.offer(OFFER)).toBe("ok");
    await call.bob.offered();
    expect(await call.bob.answer(ANSWER)).toBe("ok");
    await call.alice.answered();
    return call;
  };

  it.concurrent("[N9] descriptions arrive byte for byte", async ({ expect }) => {
    const { alice, bob } = await start();
    expect(await alice.offer(OFFER)).toBe("ok");
    expect(await bob.offered()).toBe(OFFER);
    expect(await bob.answer(ANSWER)).toBe("ok");
    expect(await alice.answered()).toBe(ANSWER);
  });

  it.concurrent("[F1] the server has a flow for each direction", async ({ expect }) => {
    const call = await agreed();
    const flows = await call.flows();
    expect(flows.map(({ state }) => state)).toEqual(["negotiated", "negotiated"]);
    expect(new Set(flows.map(({ from }) => from)).size).toBe(2);
  });

  it.concurrent("[N3] of two offers the first is in force, the other is told of glare", async ({
    expect,
  }) => {
    const { alice, bob } = await agreed();
    expect(await alice.offer(whole({ version: 2 }))).toBe("ok");
    expect(await bob.offer(whole({ of: "bob", version: 2 }))).toBe("glare");
    expect(await bob.offered()).toBe(whole({ version: 2 }));
    expect(await bob.answer(whole({ setup: "active", version: 2 }))).toBe("ok");
    expect(await alice.answered()).toBe(whole({ setup: "active", version: 2 }));
  });

  it.concurrent("[N2] an answer, or a reject, of nothing is refused and heard by nobody", async ({
    expect,
  }) => {
    const { alice, bob } = await agreed();
    expect(await bob.answer(whole({ setup: "active", version: 2 }))).toBe("nothing-offered");
    expect(await bob.reject()).toBe("nothing-offered");
    expect(await alice.quiet()).toBe(true);
  });

  it.concurrent("[N4] a rejected offer leaves the call as it was", async ({ expect }) => {
    const call = await agreed();
    const { alice, bob } = call;
    await alice.offer(whole({ version: 2, sections: [{ kind: "audio" }, { kind: "video" }] }));
    await bob.offered();
    expect(await bob.reject()).toBe("ok");
    await alice.rejected();
    const live = (await call.flows()).filter(({ state }) => state !== "ended");
    expect(live.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      "audio negotiated",
      "audio negotiated",
    ]);
    expect(await bob.offer(whole({ of: "bob", version: 2 }))).toBe("ok");
    expect(await alice.offered()).toBe(whole({ of: "bob", version: 2 }));
  });

  it.concurrent("[D1] a broken description is refused, and nobody else sees it", async ({
    expect,
  }) => {
    const { alice, bob } = await start();
    expect(await alice.offer(BROKEN)).toBe("sdp-invalid");
    expect(await bob.quiet()).toBe(true);
    expect(await alice.offer(OFFER)).toBe("ok");
    expect(await bob.offered()).toBe(OFFER);
  });

  it.concurrent("[R1] a message that comes again is answered again and arrives once", async ({
    expect,
  }) => {
    const { alice, bob } = await agreed();
    expect(await alice.say({ n: 1 })).toBe("ok");
    expect(await alice.repeat()).toBe("ok");
    expect(await alice.repeat()).toBe("ok");
    expect(await alice.say({ n: 2 })).toBe("ok");
    expect([await bob.told(), await bob.told()]).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await bob.quiet()).toBe(true);
  });

  it.concurrent("[S8] what cannot be read is refused by name; the call goes on", async ({
    expect,
  }) => {
    const { alice, bob } = await agreed();
    for (const text of ["{", "[]", '"text"']) expect(await alice.raw(text)).toBe("malformed");
    expect(await alice.say("still here")).toBe("ok");
    expect(await bob.told()).toBe("still here");
  });

  it.concurrent("[S4] who leaves is gone once, and its flows end", async ({ expect }) => {
    const call = await agreed();
    await call.alice.leave();
    await call.bob.left();
    expect(await call.bob.quiet()).toBe(true);
    const states = (await call.flows()).map(({ state }) => state);
    expect(new Set(states)).toEqual(new Set(["ended"]));
  });

  it.concurrent("[S5] who lost its socket comes back and is sent what it lacks", async ({
    expect,
  }) => {
    const { alice, bob } = await agreed();
    await alice.offer(whole({ version: 2 }));
    await bob.offered();
    await alice.lose();
    expect(await bob.answer(whole({ setup: "active", version: 2 }))).toBe("ok");
    await alice.comeBack();
    expect(await alice.answered()).toBe(whole({ setup: "active", version: 2 }));
    expect(await alice.say("back")).toBe("ok");
    expect(await bob.told()).toBe("back");
  });

  it.concurrent("[S7] one that sends too fast is told so, then closed; the other is not", async ({
    expect,
  }) => {
    const { alice, bob } = await agreed();
    expect(await alice.flood()).toBe(1008);
    expect(bob.isClosed()).toBe(false);
  });
});
