import { describe, expect, it } from "vitest";
import { afterAct } from "../protocol/assistance/after-act.ts";
import { isElsewhere, sameBody } from "../protocol/assistance/bodies.ts";
import {
  type Act,
  emptyHolding,
  type Holding,
  isSettled,
  type Wish,
} from "../protocol/assistance/holding.ts";
import { recordOf } from "../protocol/assistance/holding-record.ts";
import type { FoundAnswer } from "../protocol/assistance/network.ts";
import { begun, dueOf, interrupted, lapsed, nextAct } from "../protocol/assistance/next-act.ts";
import { nefNotificationOf } from "../protocol/assistance/notifications.ts";
import { boosted, notified } from "../protocol/assistance/notified.ts";
import type { AssistanceApi } from "../protocol/assistance/record.ts";
import { type Fate, HoldingWorld } from "./holding-world.ts";

/** The life of one request to a mobile network, act by act. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const BODY = {
  qosReference: "video",
  qosProfile: "QOS_L",
  flowInfo: ["a"],
  ueIpv4Addr: "10.0.0.1",
};
const LESS = { ...BODY, qosReference: "audio", qosProfile: "QOS_S" };
const ELSEWHERE = { ...BODY, flowInfo: ["b"] };
const ANOTHER_UE = { ...BODY, ueIpv4Addr: "10.0.0.2" };

const wishOf = (body: Wish["body"], more: Partial<Wish> = {}): Wish => ({
  key: "k",
  network: "n",
  body,
  durationSeconds: 600,
  ...more,
});

function worldOf(api: AssistanceApi, ...fates: Fate[]): HoldingWorld {
  const world = new HoldingWorld(api);
  world.wish = wishOf(BODY);
  world.fates.push(...fates);
  return world;
}

const typesOf = ({ calls }: HoldingWorld): string[] => calls.map(({ act }) => act.type);
const timesOf = (world: HoldingWorld, type: Act["type"]): number[] =>
  world.calls.filter(({ act }) => act.type === type).map(({ at }) => at - 1_000_000);
const stateOf = (world: HoldingWorld) => recordOf(world.holding, world.wish, world.at);

/** Makes the act that is due and answers it at once. */
function answered(
  holding: Holding,
  wish: Wish | undefined,
  answer: FoundAnswer,
  at: number,
): Holding {
  const act = nextAct(holding, wish, at);
  if (!act) throw new Error("nothing is due");
  return afterAct(begun(holding, act, at), act, answer, at, 0);
}

const granted = (api: AssistanceApi, at = 0): Holding =>
  answered(emptyHolding("k", "n", api), wishOf(BODY), GRANTED, at);

const GRANTED = { type: "done", id: "r1", status: { state: "granted" } } as const;

describe("a refusal for a time", () => {
  it.each([
    ["longer than ours", 2 * MINUTE, 2 * MINUTE],
    ["shorter than ours", 1_000, 15_000],
    ["longer than anybody may ask for", 3 * HOUR, HOUR],
  ])("[M13] is not asked again before it is over: %s", (_name, afterMs, pauseMs) => {
    const refused = { type: "refused", reason: "403", afterMs } as const;
    const asked = answered(emptyHolding("k", "n", "nef"), wishOf(BODY), refused, 0);
    expect(dueOf(asked, wishOf(BODY))).toBe(pauseMs);
    const held = granted("nef");
    const changed = answered(held, wishOf(LESS), refused, MINUTE);
    expect(changed.refusal?.until).toBe(MINUTE + pauseMs);
  });
});

describe("what is wanted", () => {
  it("[M13] is asked for once, and held", () => {
    const world = worldOf("camara-qod");
    world.pass(MINUTE);
    expect(typesOf(world)).toEqual(["create"]);
    expect(world.resources.size).toBe(1);
    expect(stateOf(world)).toMatchObject({ network: "n", api: "camara-qod", state: "granted" });
  });

  it("[M13] is removed when it is not wanted any more, or wanted in another network", () => {
    for (const wish of [undefined, wishOf(BODY, { network: "other" })]) {
      const world = worldOf("nef");
      world.pass(MINUTE);
      world.wish = wish;
      world.pass(MINUTE);
      expect(typesOf(world).at(-1)).toBe("remove");
      expect(world.resources.size).toBe(0);
      expect(isSettled(world.holding)).toBe(true);
      expect(dueOf(world.holding, wish)).toBeNull();
    }
  });

  it("[M13] is never asked for when it is not wanted any more before that", () => {
    const holding = emptyHolding("k", "n", "nef");
    expect(nextAct(holding, undefined, 1e12)).toBeUndefined();
    expect(isSettled(holding)).toBe(true);
  });

  it("[M13] is one act at a time, which a crash between call and answer does not hide", () => {
    const holding = emptyHolding("k", "n", "nef");
    const act = nextAct(holding, wishOf(BODY), 1000);
    expect(act).toMatchObject({ type: "create", serial: 1, generation: 1 });
    const called = begun(holding, act as Act, 1000);
    expect(nextAct(called, wishOf(BODY), 5000)).toBeUndefined();
    expect(dueOf(called, wishOf(BODY))).toBe(31_000);
    expect(isSettled(called)).toBe(false);
    expect(lapsed(called, 30_999, 0)).toBe(called);
    const later = lapsed(called, 31_000, 0);
    expect(nextAct(later, wishOf(BODY), 32_000)).toMatchObject({ type: "find", generation: 1 });
    expect(interrupted(later, 32_000, 0)).toBe(later);
  });
});

describe("changes", () => {
  it("[M13] are made where the API can, of the newest body only, some seconds apart", () => {
    const world = worldOf("nef");
    world.pass(1000);
    for (let times = 0; times < 20; times += 1) {
      world.wish = wishOf({ ...BODY, qosReference: `q${times}` });
      world.pass(500);
    }
    world.pass(MINUTE);
    const times = timesOf(world, "change");
    expect(times.length).toBeLessThanOrEqual(3);
    expect([...world.resources.values()][0]?.body).toMatchObject({ qosReference: "q19" });
  });

  it("[M13] of addresses are made within a second", () => {
    const world = worldOf("nef");
    world.pass(2000);
    world.wish = wishOf(ELSEWHERE);
    world.pass(100);
    expect(typesOf(world)).toEqual(["create", "change"]);
  });

  it("[M13] that an API has no place for are removals and creates", () => {
    const world = worldOf("camara-qod");
    world.pass(2000);
    world.wish = wishOf(LESS);
    world.pass(10_000);
    expect(typesOf(world)).toEqual(["create"]);
    world.pass(30_000);
    expect(typesOf(world)).toEqual(["create", "remove", "create"]);
    expect(world.resources.size).toBe(1);
    const moved = worldOf("nef");
    moved.pass(2000);
    moved.wish = wishOf(ANOTHER_UE);
    moved.pass(2000);
    expect(typesOf(moved)).toEqual(["create", "remove", "create"]);
  });

  it("[M13] of how long it is to last, or of the order of members, are none", () => {
    const { qosReference, ...rest } = BODY;
    expect(sameBody({ ...BODY, duration: 600 }, { duration: 60, ...rest, qosReference })).toBe(
      true,
    );
    expect(sameBody({ ...BODY, dnn: undefined }, BODY)).toBe(true);
    expect(sameBody(BODY, { ...BODY, flowInfo: ["a", "b"] })).toBe(false);
    expect(sameBody({ flow: { a: 1 } }, { flow: { b: 1 } })).toBe(false);
    expect(sameBody({ flow: { a: 1 } }, { flow: null })).toBe(false);
    expect(isElsewhere({ a: [{ qosReference: "x", b: 1 }] }, { a: [{ b: 1 }] })).toBe(false);
    expect(isElsewhere({ a: [{ b: 1 }] }, { a: [{ b: 2 }] })).toBe(true);
  });

  it("[M13] whose answer was lost are made again, and once more when none of them can be late", () => {
    // The second is a look at it.
    const world = worldOf("nef", "ok", "ok", "answer-lost");
    world.pass(10_000);
    world.wish = wishOf(LESS);
    world.pass(2 * MINUTE);
    expect(typesOf(world).filter((type) => type === "change")).toHaveLength(3);
    world.pass(HOUR);
    expect(typesOf(world).filter((type) => type === "change")).toHaveLength(3);
  });

  it("[M13] that are refused leave what is held, and are not asked for again soon", () => {
    const world = worldOf("nef", "ok", "ok", "400");
    world.pass(10_000);
    world.wish = wishOf(LESS);
    world.pass(12_000);
    expect(typesOf(world).filter((type) => type === "change")).toHaveLength(1);
    expect(stateOf(world)).toMatchObject({ state: "requested", reason: "400", failures: 1 });
    world.wish = wishOf(ELSEWHERE);
    world.pass(10_000);
    expect(typesOf(world).filter((type) => type === "change")).toHaveLength(2);
    expect([...world.resources.values()][0]?.body).toMatchObject(ELSEWHERE);
  });

  it("[M13] wait when the network asks to, and tell when the resource is gone", () => {
    const world = worldOf("nef", "ok", "ok", "429", "404");
    world.pass(10_000);
    world.wish = wishOf(LESS);
    world.pass(10 * MINUTE);
    expect(world.resources.size).toBe(1);
    const changes = timesOf(world, "change");
    expect((changes[1] ?? 0) - (changes[0] ?? 0)).toBeGreaterThanOrEqual(7000);
    expect(world.holding.held?.body).toEqual(LESS);
  });

  it("[M13] may tell what becomes of the resource", () => {
    const held = granted("rtc-af");
    const status = { state: "impaired", reason: "less" } as const;
    const changed = answered(held, wishOf(LESS), { type: "done", status }, 9_000);
    expect(changed.held?.status).toEqual(status);
  });
});

describe("time", () => {
  it.each(["rtc-af", "camara-qod"] as const)(
    "[M13] what is taken and not granted is looked at after 5 seconds, then ever more seldom: %s",
    (api) => {
      const status = { state: "requested" } as const;
      const taken = { type: "done", id: "r1", status } as const;
      let holding = answered(emptyHolding("k", "n", api), wishOf(BODY), taken, 0);
      const looks = [holding.held?.readAt];
      for (let times = 0; times < 2; times += 1) {
        const at = dueOf(holding, wishOf(BODY)) ?? 0;
        holding = answered(holding, wishOf(BODY), { type: "done", status }, at);
        looks.push((holding.held?.readAt ?? 0) - at);
      }
      const most = api === "rtc-af" ? 10_000 : 20_000;
      expect(looks).toEqual([5_000, 10_000, most]);
    },
  );

  it("[M13] is extended a minute before the end, or at half of it", () => {
    const world = worldOf("camara-qod");
    world.durationMs = 600_000;
    world.pass(HOUR / 2);
    expect(timesOf(world, "extend")[0]).toBe(540_000);
    const short = worldOf("camara-qod");
    short.durationMs = 40_000;
    short.pass(MINUTE / 2);
    expect(timesOf(short, "extend")[0]).toBe(20_025);
  });

  it("[M13] that cannot be extended any more ends, and another follows at once", () => {
    const world = worldOf("camara-qod");
    world.longestMs = 900_000;
    world.pass(HOUR);
    expect(world.resources.size).toBe(1);
    expect(stateOf(world).state).toBe("granted");
    expect(timesOf(world, "create").length).toBeGreaterThan(3);
    expect(timesOf(world, "create").length).toBeLessThan(6);
    expect(world.calls.length).toBeLessThan(60);
  });

  it.each([
    [
      "is a year behind",
      (until: number, seconds: number) => until + seconds * 1000,
      365 * 24 * HOUR,
    ],
    ["moves an end by a millisecond that it does not put off", (until: number) => until + 1, 0],
  ])("[M13] by the clock of a network that %s makes no storm", (_name, extend, behindMs) => {
    const wish = wishOf(BODY);
    let at = 500 * 24 * HOUR;
    let until = at + 600_000 - behindMs;
    const answer = () => ({ type: "done", id: "r1", status: { state: "granted", until } }) as const;
    let holding = answered(emptyHolding("k", "n", "camara-qod"), wish, answer(), at);
    const times: number[] = [];
    for (const end = at + 2 * HOUR; at < end; at = Math.max(at, dueOf(holding, wish) ?? end)) {
      const act = nextAct(holding, wish, at);
      if (!act) continue;
      times.push(at);
      expect(times.filter((time) => time > at - MINUTE).length).toBeLessThan(12);
      if (act.type === "extend") until = extend(until, act.seconds);
      holding = answered(holding, wish, answer(), at);
      at += 50;
    }
    expect(times.length).toBeLessThan(180);
    expect(holding.held?.status.state).toBe("granted");
  });

  it("[M13] is not extended when the wish has no duration", () => {
    const world = worldOf("camara-qod");
    world.wish = { key: "k", network: "n", body: BODY };
    world.pass(9 * MINUTE + 50_000);
    expect(timesOf(world, "extend")).toEqual([]);
  });

  it.each(["409", "400", "404", "429", "500", "answer-lost"] as const)(
    "[M13] survives an extension that meets %s",
    (fate) => {
      const world = worldOf("camara-qod", "ok", "ok", fate);
      world.pass(HOUR);
      expect(world.calls[2]?.act.type).toBe("extend");
      expect(stateOf(world).state).toBe("granted");
      expect(world.resources.size).toBe(1);
    },
  );

  it("[M13] that ends while it is extended has ended", () => {
    const until = { type: "done", id: "r1", status: { state: "granted", until: 100_000 } } as const;
    const held = answered(emptyHolding("k", "n", "camara-qod"), wishOf(BODY), until, 0);
    const act = nextAct(held, wishOf(BODY), 50_000) as Act;
    expect(act.type).toBe("extend");
    const ended = notified(begun(held, act, 50_000), { status: { state: "ended" } }, 50_010);
    const done = afterAct(ended, act, { ...until, status: { state: "granted" } }, 50_020, 0);
    expect(done.held?.status).toEqual({ state: "ended" });
  });

  it("[M13] that an extension says nothing of is read", () => {
    const until = { type: "done", id: "r1", status: { state: "granted", until: 100_000 } } as const;
    const held = answered(emptyHolding("k", "n", "camara-qod"), wishOf(BODY), until, 0);
    const extended = answered(held, wishOf(BODY), { type: "done" }, 50_000);
    expect(nextAct(extended, wishOf(BODY), 50_000)).toMatchObject({ type: "read", id: "r1" });
  });
});

describe("a network that ends what it granted", () => {
  it("[M13] is asked anew, less and less often when it does so at once", () => {
    const world = worldOf("camara-qod");
    world.grants = "ended";
    world.pass(HOUR);
    const times = timesOf(world, "create");
    expect(times.length).toBeGreaterThan(4);
    expect(times.length).toBeLessThan(14);
    expect(stateOf(world)).toMatchObject({ state: "ended" });
    world.grants = "granted";
    world.pass(HOUR);
    expect(stateOf(world).state).toBe("granted");
  });

  it("[M13] after a while is asked anew at once, when it was deleted there", () => {
    const world = worldOf("camara-qod");
    world.pass(2 * MINUTE);
    world.end();
    expect(stateOf(world)).toMatchObject({ state: "ended", reason: "NETWORK_TERMINATED" });
    world.pass(1000);
    expect(typesOf(world).slice(-2)).toEqual(["remove", "create"]);
  });

  it("[M13] and tells nobody is found out", () => {
    const world = worldOf("nef");
    world.pass(2 * MINUTE);
    world.resources.clear();
    world.pass(10 * MINUTE);
    expect(world.resources.size).toBe(1);
  });

  it("[M13] is seen between removal and the next request", () => {
    const world = worldOf("camara-qod");
    world.pass(1000);
    world.end();
    world.pass(1000);
    expect(world.resources.size).toBe(0);
    expect(stateOf(world)).toMatchObject({ state: "ended", reason: "NETWORK_TERMINATED" });
  });
});

describe("a removal without an answer", () => {
  const lost: readonly Fate[] = ["answer-lost", "late", "500-with-effect", "evicted-with-effect"];

  it.each(lost)("[M13] of what is wanted again is not taken for one that never was: %s", (fate) => {
    for (const api of ["camara-qod", "nef"] as const) {
      const world = worldOf(api);
      world.pass(MINUTE);
      world.fates.push(fate);
      world.wish = undefined;
      world.pass(10);
      world.wish = wishOf(BODY);
      world.pass(2 * MINUTE);
      expect(world.resources.size, api).toBe(1);
      expect(world.holding.held?.id, api).toBe([...world.resources.keys()][0]);
    }
  });

  it("[M13] leaves nothing that counts as granted", () => {
    const held = answered(granted("nef"), undefined, { type: "unknown", reason: "no-answer" }, 10);
    expect(recordOf(held, wishOf(BODY), 20)).toMatchObject({
      state: "requested",
      reason: "no-answer",
    });
    expect(held.held?.id).toBe("r1");
    const over = notified(granted("nef"), { id: "r1", status: { state: "ended" } }, 5);
    const kept = answered(over, wishOf(BODY), { type: "unknown", reason: "no-answer" }, 10);
    expect(recordOf(kept, wishOf(BODY), 20).state).toBe("ended");
  });
});

describe("a create without an answer", () => {
  it("[M13] is looked for before another is made", () => {
    const world = worldOf("nef", "answer-lost");
    world.pass(10 * MINUTE);
    expect(typesOf(world).filter((type) => type === "create")).toHaveLength(1);
    expect(world.holding.held?.id).toBe("r1");
    expect(isSettled(world.holding)).toBe(false);
  });

  it("[M13] is made again when nothing is found, and what comes late is removed", () => {
    const world = new HoldingWorld("nef", () => 0.6);
    world.wish = wishOf(BODY);
    world.fates.push("late");
    world.pass(10 * MINUTE);
    expect(typesOf(world).filter((type) => type === "create")).toHaveLength(2);
    expect(typesOf(world)).toContain("remove");
    expect(world.resources.size).toBe(1);
  });

  it("[M13] is counted where nothing can be looked for, and the record says so", () => {
    const world = worldOf("rtc-af", "answer-lost");
    world.pass(MINUTE);
    expect(world.holding.lost).toBe(1);
    world.wish = undefined;
    world.pass(MINUTE);
    expect(stateOf(world)).toMatchObject({ state: "ended", reason: "may-be-left-behind" });
    expect(isSettled(world.holding)).toBe(true);
  });

  it("[M13] whose answer comes late all the same is known from then on", () => {
    const world = worldOf("rtc-af", "late-answer");
    world.pass(5 * MINUTE);
    world.wish = undefined;
    world.pass(MINUTE);
    expect(world.resources.size).toBe(0);
    const other = answered(emptyHolding("k", "n", "nef"), wishOf(BODY), GRANTED, 0);
    const act = { type: "read", id: "r1", serial: 9, generation: 1 } as const;
    expect(afterAct(other, act, { type: "gone" }, 0, 0)).toBe(other);
    const create = { type: "create", body: BODY, serial: 9, generation: 1 } as const;
    expect(afterAct(other, create, { type: "refused", reason: "no" }, 0, 0)).toBe(other);
    expect(afterAct(other, create, { type: "done" }, 0, 0)).toBe(other);
    const nameless = answered(emptyHolding("k", "n", "nef"), wishOf(BODY), { type: "done" }, 0);
    expect(nameless.doubts).toHaveLength(1);
  });

  it("[M13] that another one is told of meanwhile is not mistaken for it", () => {
    const lost = { type: "unknown", reason: "x" } as const;
    let holding = answered(emptyHolding("k", "n", "nef"), wishOf(BODY), lost, 0);
    holding = answered(holding, wishOf(BODY), { type: "done", ids: [] }, 1000);
    const act = nextAct(holding, wishOf(BODY), 1000) as Act;
    const status = { state: "impaired" } as const;
    holding = notified(begun(holding, act, 1000), { generation: 1, id: "r1", status }, 1010);
    const done = afterAct(holding, act, { ...GRANTED, id: "r2" }, 1020, 0);
    expect(done).toMatchObject({ held: { id: "r1", status }, strays: [{ id: "r2" }] });
  });

  it("[M13] that nobody may look for is given up after some tries, and asking goes on", () => {
    const refused = { type: "refused", reason: "403" } as const;
    const lost = { type: "unknown", reason: "x" } as const;
    let holding = answered(emptyHolding("k", "n", "nef"), wishOf(BODY), lost, 0);
    holding = answered(holding, wishOf(BODY), refused, 1000);
    holding = answered(holding, wishOf(BODY), GRANTED, 1000);
    let at = 1000;
    for (let times = 0; times < 7; times += 1) {
      at = (dueOf(holding, undefined) ?? 0) + HOUR;
      holding = answered({ ...holding, held: undefined }, undefined, refused, at);
    }
    expect(holding).toMatchObject({ doubts: [], lost: 1 });
    expect(at).toBeGreaterThan(HOUR);
  });

  it("[M13] is found by what the network tells of it", () => {
    const holding = emptyHolding("k", "n", "rtc-af");
    const act = nextAct(holding, wishOf(BODY), 0) as Act;
    const status = { state: "granted" } as const;
    const early = notified(begun(holding, act, 0), { generation: 1, id: "r7", status }, 5);
    const lost = afterAct(early, act, { type: "unknown", reason: "x" }, 10, 0);
    expect(lost).toMatchObject({ lost: 0, held: { id: "r7", status } });
  });
});

describe("refusals", () => {
  it("[M13] are not asked for again for minutes, growing to an hour, unless something else is wanted", () => {
    const world = worldOf("nef");
    world.usual = "400";
    world.pass(24 * HOUR);
    const times = timesOf(world, "create");
    expect(times.length).toBeLessThan(32);
    expect(stateOf(world)).toMatchObject({ state: "refused", reason: "400" });
    world.usual = "ok";
    world.wish = wishOf(ELSEWHERE);
    expect(stateOf(world).state).toBe("requested");
    world.pass(MINUTE);
    expect(world.resources.size).toBe(1);
    expect(stateOf(world).failures).toBeUndefined();
  });

  it("[M13] of ever other bodies are not met in a hurry", () => {
    const world = worldOf("nef");
    world.usual = "400";
    for (let second = 0; second < 3600; second += 1) {
      world.wish = wishOf(second % 2 === 0 ? BODY : LESS);
      world.pass(1000);
    }
    expect(timesOf(world, "create").length).toBeLessThan(80);
  });

  it("[M13] by a conflict are looked into: what is in the way may be left from before", () => {
    const world = worldOf("camara-qod", "409");
    world.pass(10 * MINUTE);
    expect(typesOf(world).slice(0, 2)).toEqual(["create", "find"]);
    expect(world.resources.size).toBe(1);
    const none = worldOf("rtc-af", "409");
    none.pass(10_000);
    expect(typesOf(none)).toEqual(["create"]);
    expect(stateOf(none)).toMatchObject({ state: "refused", reason: "409" });
  });

  it("[M13] by a 404 have a name", () => {
    const world = worldOf("nef", "404");
    world.pass(10_000);
    expect(stateOf(world)).toMatchObject({ state: "refused", reason: "not-found" });
  });
});

describe("a network that is not well", () => {
  it.each(["500", "request-lost", "429"] as const)("[M13] is not hammered: %s", (fate) => {
    const world = worldOf("nef");
    world.usual = fate;
    world.pass(24 * HOUR);
    expect(world.calls.length).toBeLessThan(fate === "429" ? 300 : 320);
    expect(stateOf(world)).toMatchObject({ state: "requested" });
    world.usual = "ok";
    world.pass(HOUR);
    expect(world.resources.size).toBe(1);
  });

  it("[M13] may say how long it wants to be left alone, but not for ever", () => {
    const later = (afterMs?: number): Holding => {
      const answer = {
        type: "later",
        reason: "429",
        ...(afterMs === undefined ? {} : { afterMs }),
      };
      return answered(emptyHolding("k", "n", "nef"), wishOf(BODY), answer as FoundAnswer, 0);
    };
    expect(dueOf(later(90_000), wishOf(BODY))).toBe(90_000);
    expect(dueOf(later(1e12), wishOf(BODY))).toBe(HOUR);
    expect(dueOf(later(0), wishOf(BODY))).toBe(500);
    expect(dueOf(later(), wishOf(BODY))).toBe(500);
  });

  it("[M13] is given up a day after it was to clear up, and not before", () => {
    const world = worldOf("nef");
    world.pass(10_000);
    world.usual = "500";
    world.pass(30 * HOUR);
    world.wish = undefined;
    world.pass(23 * HOUR);
    expect(isSettled(world.holding)).toBe(false);
    world.pass(2 * HOUR);
    expect(isSettled(world.holding)).toBe(true);
    expect(dueOf(world.holding, undefined)).toBeNull();
    expect(stateOf(world)).toMatchObject({ state: "ended", reason: "given-up" });
    world.usual = "ok";
    world.wish = wishOf(LESS);
    world.pass(MINUTE);
    expect([...world.resources.values()].map(({ body }) => body.qosReference)).toEqual(["audio"]);
  });

  it("[M13] that denies what it lists is believed after some times", () => {
    let holding = granted("nef");
    for (let times = 0; times < 3; times += 1) {
      holding = answered(holding, undefined, { type: "gone" }, 1000);
      holding = answered(holding, undefined, { type: "done", ids: ["r1"] }, 1000);
    }
    expect(isSettled(holding)).toBe(true);
    expect(holding.lost).toBe(1);
  });

  it("[M13] that lists another's as well is cleared of all that is ours", () => {
    let holding = granted("nef");
    holding = answered(holding, undefined, { type: "gone" }, 1000);
    holding = answered(holding, undefined, { type: "done", ids: ["r2", "r3"] }, 1000);
    holding = answered(holding, undefined, { type: "done" }, 1000);
    holding = answered(holding, undefined, { type: "gone" }, 1000);
    expect(holding.doubts).toHaveLength(1);
    holding = answered(holding, undefined, { type: "done" }, 1000);
    expect(isSettled(holding)).toBe(true);
  });

  it("[M13] that denies for a moment all that it has, is searched again a minute later", () => {
    const world = worldOf("nef");
    world.pass(10_000);
    // Something before it says so of the list as well.
    const gone = [...world.resources];
    world.soon(295_000, () => world.resources.clear());
    world.soon(305_000, () => {
      for (const [id, resource] of gone) world.resources.set(id, resource);
    });
    world.pass(8 * MINUTE);
    expect(timesOf(world, "create")).toHaveLength(2);
    expect([...world.resources.keys()]).toEqual([world.holding.held?.id]);
    expect(world.holding).toMatchObject({ strays: [], doubts: [], lost: 0 });
  });

  it("[M13] that denies its list as well when something is removed is searched again a minute later", () => {
    const none = { type: "done", ids: [], isListGone: true } as const;
    let holding = answered(granted("nef"), undefined, { type: "gone" }, 1000);
    holding = answered(holding, undefined, none, 1000);
    expect(isSettled(holding)).toBe(false);
    expect(dueOf(holding, undefined)).toBe(1000 + MINUTE);
    const wish = wishOf(BODY);
    expect(nextAct(holding, wish, 1000)).toMatchObject({ type: "create" });
    expect(isSettled(answered(holding, undefined, none, 1000 + MINUTE))).toBe(true);
    const back = answered(holding, undefined, { type: "done", ids: ["r1"] }, 1000 + MINUTE);
    expect(isSettled(answered(back, undefined, { type: "done" }, 1000 + MINUTE))).toBe(true);
    expect(back.held?.id).toBe("r1");
  });

  it("[M13] that denies for a moment what it lists is believed for no longer than that", () => {
    const world = worldOf("nef", "ok", "404", "ok", "404", "ok", "404");
    world.pass(8 * MINUTE);
    expect(typesOf(world).filter((type) => type === "read").length).toBeGreaterThan(2);
    expect([...world.resources.keys()]).toEqual([world.holding.held?.id]);
    expect(isSettled({ ...world.holding, held: undefined })).toBe(true);
  });

  it("[M13] that does not know what it has when it is asked for it alone, is told to remove it before another is asked for", () => {
    const wish = wishOf(BODY);
    const resources = new Set<string>();
    let ids = 0;
    const answerTo = ({ type, ...act }: Act): FoundAnswer => {
      if (type === "find") return { type: "done", ids: [...resources] };
      if (type === "remove") {
        return resources.delete("id" in act ? act.id : "") ? { type: "done" } : { type: "gone" };
      }
      if (type !== "create") return { type: "gone" };
      ids += 1;
      resources.add(`r${ids}`);
      return { type: "done", id: `r${ids}` };
    };
    let holding = emptyHolding("k", "n", "nef");
    for (let at = 0; at < HOUR; at = Math.max(at + 50, dueOf(holding, wish) ?? HOUR)) {
      const act = nextAct(holding, wish, at);
      if (act) holding = answered(holding, wish, answerTo(act), at);
      expect(resources.size).toBeLessThan(2);
    }
    expect(ids).toBeGreaterThan(1);
    expect(holding.lost).toBe(0);
  });

  it("[M13] without a list that denies what it has is told once more to remove it", () => {
    const world = worldOf("rtc-af", "ok", "404");
    world.pass(MINUTE);
    expect(typesOf(world).slice(0, 3)).toEqual(["create", "read", "create"]);
    expect(world.resources.size).toBe(2);
    world.pass(MINUTE);
    expect([...world.resources.keys()]).toEqual([world.holding.held?.id]);
    expect(timesOf(world, "remove")).toHaveLength(1);
    world.pass(HOUR);
    expect(timesOf(world, "remove")).toHaveLength(1);
  });

  it("[M13] may refuse to be read, and is not asked often then", () => {
    const world = worldOf("rtc-af");
    world.pass(1000);
    world.usual = "400";
    world.pass(HOUR);
    expect(world.calls.length).toBeLessThan(65);
    world.usual = "ok";
    world.pass(MINUTE);
    expect(stateOf(world).failures).toBeUndefined();
  });

  it("[M13] is not said to be so for ever because of a call that nobody wants any more", () => {
    const failed = { type: "later", reason: "no-token" } as const;
    const held = granted("nef");
    let holding = answered(held, wishOf(LESS), failed, MINUTE);
    holding = answered(holding, undefined, failed, 2 * MINUTE);
    const shown = recordOf(holding, wishOf(BODY), 3 * MINUTE);
    expect(shown).toMatchObject({ failures: 2, reason: "no-token" });
    const looked = answered(holding, wishOf(BODY), { type: "done" }, HOUR);
    expect(recordOf(looked, wishOf(BODY), HOUR)).toEqual(recordOf(held, wishOf(BODY), HOUR));
  });

  it("[M13] is said to be so as long as what failed is still to be done, whatever else succeeds", () => {
    const refused = { type: "refused", reason: "403", afterMs: HOUR } as const;
    const changed = answered(granted("nef"), wishOf(LESS), refused, MINUTE);
    const looked = answered(changed, wishOf(LESS), { type: "done" }, HOUR / 2);
    expect(looked).toMatchObject({ failures: 1, reason: "403", serial: 3 });
    const later = { type: "later", reason: "429" } as const;
    const until = 10 * MINUTE;
    const status = { state: "granted", until } as const;
    let timed = answered(
      emptyHolding("k", "n", "camara-qod"),
      wishOf(BODY),
      { type: "done", id: "r1", status },
      0,
    );
    timed = answered(timed, wishOf(BODY), { type: "done", status }, 8 * MINUTE);
    timed = answered(timed, wishOf(BODY), later, 9 * MINUTE);
    expect(timed).toMatchObject({ failures: 1, failing: "extend" });
    const act = { serial: timed.serial + 1, generation: 1, type: "read", id: "r1" } as const;
    const answer = { type: "done", status } as const;
    const read = afterAct(begun(timed, act, until), act, answer, until, 0);
    expect(read).toMatchObject({ failures: 1, failing: "extend" });
  });

  it("[M13] may refuse a removal, which is tried again ever more seldom", () => {
    const world = worldOf("nef");
    world.pass(1000);
    world.usual = "400";
    world.wish = undefined;
    world.pass(HOUR);
    expect(timesOf(world, "remove").length).toBeLessThan(20);
    world.usual = "ok";
    world.pass(HOUR);
    expect(isSettled(world.holding)).toBe(true);
  });
});

describe("what the network tells", () => {
  const impaired = { state: "impaired", reason: "QOS_NOT_GUARANTEED", profile: "half" } as const;

  it("[M13] is shown: what cannot be held, what holds instead, and that it does again", () => {
    const held = granted("nef");
    const told = notified(held, { generation: 1, id: "r1", status: impaired }, 1000);
    const wish = wishOf(BODY, { asked: { uplinkBps: 1000, profile: "video" } });
    expect(recordOf(told, wish, 1000)).toMatchObject({
      state: "impaired",
      reason: "QOS_NOT_GUARANTEED",
      granted: { profile: "half" },
      asked: { uplinkBps: 1000, profile: "video" },
    });
    const again = notified(told, { generation: 1, status: { state: "granted" } }, 2000);
    expect(recordOf(again, wish, 2000).state).toBe("granted");
  });

  describe("of some flows alone", () => {
    const body = { ...BODY, flowInfo: [{ flowId: 1 }, { flowId: 2 }, { flowId: 3 }] };
    const transaction = "https://nef.example/duplex/subscriptions/r1";
    const held = () => answered(emptyHolding("k", "n", "nef"), wishOf(body), GRANTED, 0);
    const hearing = (holding: Holding, eventReports: readonly object[], at: number): Holding => {
      const { status, ...about } = nefNotificationOf({ transaction, eventReports }) ?? {};
      return status ? notified(holding, { status, ...about }, at) : holding;
    };
    /** The states after each notification, all of the same resource. */
    const statesAfter = (...notices: readonly object[][]) => {
      let holding = held();
      return notices.map((eventReports, at) => {
        holding = hearing(holding, eventReports, at + 1);
        const { state, granted: given } = recordOf(holding, wishOf(body), at + 1);
        return given?.profile === undefined ? state : `${state} ${given.profile}`;
      });
    };
    const report = (event: string, flowIds?: readonly number[], appliedQosRef?: string) => ({
      event: { no: "QOS_NOT_GUARANTEED", yes: "QOS_GUARANTEED" }[event] ?? event,
      ...(flowIds && { flowIds }),
      ...(appliedQosRef !== undefined && { appliedQosRef }),
    });

    it("[M13] what cannot be held is impaired until the last of them holds again", () => {
      expect(
        statesAfter(
          [report("no", [1])],
          [report("no", [2], "half")],
          [report("yes", [2])],
          [report("no", [3], "less")],
          [report("no", [2], "half")],
          [report("yes", [2, 1])],
          [report("yes", [3])],
        ),
      ).toEqual([
        "impaired",
        "impaired half",
        "impaired",
        "impaired less",
        "impaired half",
        "impaired less",
        "granted",
      ]);
    });

    it("[M13] what is said of all is said of each", () => {
      expect(statesAfter([report("no")], [report("yes", [1, 3])], [report("yes", [2])])).toEqual([
        "impaired",
        "impaired",
        "granted",
      ]);
      expect(statesAfter([report("no", [1])], [report("no", [2])], [report("yes")])).toEqual([
        "impaired",
        "impaired",
        "granted",
      ]);
      expect(statesAfter([report("yes", [1]), report("no", [2])], [report("yes", [2])])).toEqual([
        "impaired",
        "granted",
      ]);
    });

    it("[M13] resources for what was added say nothing of what cannot be held", () => {
      const added = report("SUCCESSFUL_RESOURCES_ALLOCATION", [3]);
      expect(statesAfter([report("no", [1])], [added], [report("yes", [1])])).toEqual([
        "impaired",
        "impaired",
        "granted",
      ]);
    });

    it("[M13] of flows that are not asked for keeps nobody waiting, nor does a number that is none", () => {
      const odd = { event: "QOS_NOT_GUARANTEED", flowIds: ["one"] };
      expect(statesAfter([report("no", [9])], [report("yes", [1])])).toEqual([
        "impaired",
        "granted",
      ]);
      expect(statesAfter([odd], [report("yes")])).toEqual(["impaired", "granted"]);
    });

    it("[M13] what was removed meanwhile is waited for no more", () => {
      const told = hearing(held(), [report("no", [3])], 10);
      const fewer = { ...BODY, flowInfo: [{ flowId: 1 }, { flowId: 2 }] };
      const changed = answered(told, wishOf(fewer), { type: "done" }, 10_000);
      const after = hearing(changed, [report("yes", [1])], 11_000);
      expect(recordOf(after, wishOf(fewer), 11_000).state).toBe("granted");
    });
  });

  it("[M13] twice, late or of another resource changes nothing", () => {
    const held = granted("nef");
    const told = notified(held, { id: "r1", status: impaired, happenedAt: 500 }, 1000);
    expect(notified(told, { id: "r1", status: impaired, happenedAt: 500 }, 1100)).toBe(told);
    const older = { id: "r1", status: { state: "granted" }, happenedAt: 400 } as const;
    expect(notified(told, older, 1200)).toBe(told);
    for (const other of [{ generation: 2, id: "r1" }, { id: "r9" }, { generation: 0 }]) {
      expect(notified(told, { ...other, status: { state: "ended" } }, 1300)).toBe(told);
    }
    const ended = notified(told, { id: "r1", status: { state: "ended" } }, 1400);
    expect(notified(ended, { id: "r1", status: { state: "granted" } }, 1500)).toBe(ended);
    expect(recordOf(ended, wishOf(BODY), 1500)).toMatchObject({ state: "ended" });
  });

  it("[M13] before the answer that names the resource is kept until then", () => {
    const holding = emptyHolding("k", "n", "camara-qod");
    const act = nextAct(holding, wishOf(BODY), 0) as Act;
    const status = { state: "granted" } as const;
    let called = begun(holding, act, 0);
    called = notified(called, { generation: 1, id: "r1", status, happenedAt: 20 }, 30);
    const late = { generation: 1, id: "r1", status: { state: "ended" }, happenedAt: 10 } as const;
    expect(notified(called, late, 40)).toBe(called);
    const done = afterAct(
      called,
      act,
      { type: "done", id: "r1", status: { state: "requested" } },
      50,
      0,
    );
    expect(done.held?.status).toEqual(status);
    // When it ends is not told along: it is read at once.
    expect(nextAct(done, wishOf(BODY), 50)).toMatchObject({ type: "read" });
    const nameless = notified(begun(holding, act, 0), { generation: 1, status }, 30);
    const named = afterAct(nameless, act, { type: "done", id: "r1" }, 50, 0);
    expect(named.held?.status).toEqual(status);
    const other = notified(begun(holding, act, 0), { id: "r0", status }, 30);
    expect(afterAct(other, act, { type: "done", id: "r1" }, 50, 0).held?.status.state).toBe(
      "requested",
    );
  });

  it.each([
    { type: "later", reason: "503", afterMs: 1000 },
    { type: "refused", reason: "400" },
    { type: "conflict", reason: "409" },
    { type: "gone" },
  ] as const)("[M13] is there, whatever the answer to its create says: $type", (answer) => {
    const holding = emptyHolding("k", "n", "camara-qod");
    const act = nextAct(holding, wishOf(BODY), 0) as Act;
    const status = { state: "granted" } as const;
    const told = notified(begun(holding, act, 0), { generation: 1, id: "r1", status }, 30);
    const known = afterAct(told, act, answer, 50, 0);
    expect(known.held).toMatchObject({ id: "r1", status });
    expect(isSettled(known)).toBe(false);
  });

  it("[M13] while it is read is newer than what is read", () => {
    const held = granted("nef");
    const act = nextAct(held, wishOf(BODY), 400_000) as Act;
    const reading = begun(held, act, 400_000);
    const told = notified(reading, { id: "r1", status: impaired }, 400_010);
    const read = afterAct(told, act, { type: "done", status: { state: "granted" } }, 400_020, 0);
    expect(read.held?.status).toEqual(impaired);
    expect(dueOf(read, wishOf(BODY))).toBe(401_020);
  });

  it("[M13] that it ends is so when it cannot be read either", () => {
    const held = granted("nef");
    const act = nextAct(held, wishOf(BODY), 400_000) as Act;
    const ended = notified(begun(held, act, 400_000), { status: { state: "ended" } }, 400_010);
    const gone = afterAct(ended, act, { type: "gone" }, 400_020, 0);
    expect(gone).toMatchObject({ held: undefined, ending: "ended", endings: 0 });
    expect(gone.doubts).toHaveLength(1);
  });

  it("[M13] meanwhile has been forgotten leaves nothing to be done by an answer", () => {
    const held = granted("nef");
    const act = nextAct(held, wishOf(BODY), 400_000) as Act;
    const forgotten = { ...begun(held, act, 400_000), held: undefined };
    expect(isSettled(afterAct(forgotten, act, { type: "done" }, 400_010, 0))).toBe(true);
    const lost = answered(
      emptyHolding("k", "n", "nef"),
      wishOf(BODY),
      { type: "unknown", reason: "x" },
      0,
    );
    const find = nextAct(lost, undefined, 10_000) as Act;
    const settled = { ...begun(lost, find, 10_000), doubts: [] };
    const found = afterAct(settled, find, { type: "done", ids: ["r1"] }, 10_010, 0);
    expect(isSettled(found)).toBe(true);
    const remove = nextAct(held, undefined, 10_000) as Act;
    const removed = { ...begun(held, remove, 10_000), held: undefined };
    expect(isSettled(afterAct(removed, remove, { type: "gone" }, 10_010, 0))).toBe(true);
  });

  it("[M13] that a resource ends which is being removed is no early end", () => {
    const held = granted("camara-qod");
    const act = nextAct(held, undefined, 1000) as Act;
    const removing = begun(held, act, 1000);
    expect(notified(removing, { id: "r1", status: { state: "ended" } }, 1010)).toBe(removing);
  });

  it("[M13] of a create in doubt names its resource; one too many is removed", () => {
    const lost = answered(
      emptyHolding("k", "n", "nef"),
      wishOf(BODY),
      { type: "unknown", reason: "x" },
      0,
    );
    expect(notified(lost, { generation: 1, status: impaired }, 10)).toBe(lost);
    const known = notified(lost, { generation: 1, id: "r1", status: impaired }, 10);
    expect(known.held).toMatchObject({ id: "r1", status: impaired });
    const more = notified(known, { generation: 1, id: "r2", status: impaired }, 20);
    expect(more.strays).toMatchObject([{ id: "r2" }]);
    expect(notified(more, { generation: 1, id: "r2", status: impaired }, 20)).toEqual(more);
  });

  it("[M13] of a resource that the same create made besides the one it named has it looked for, and removed", () => {
    const wish = wishOf(BODY);
    const held = granted("nef");
    const status = { state: "granted" } as const;
    const told = notified(held, { generation: 1, id: "r2", status }, 1000);
    const find = nextAct(told, wish, 1000);
    expect(find).toMatchObject({ type: "find", generation: 1 });
    const found = answered(told, wish, { type: "done", ids: ["r1", "r2"] }, 1000);
    expect(found.held?.id).toBe("r1");
    const act = nextAct(found, wish, 1000);
    expect(act).toMatchObject({ type: "remove", id: "r2" });
    expect(notified(found, { generation: 1, id: "r2", status }, 1000)).toBe(found);
    const cleared = answered(found, wish, { type: "done" }, 1000);
    expect(cleared).toMatchObject({ held: { id: "r1" }, strays: [], doubts: [] });
    for (const none of [
      { generation: 1, status },
      { id: "r2", status },
    ]) {
      expect(notified(cleared, none, 2000).doubts).toEqual([]);
    }
    const over = { generation: 1, id: "r2", status: { state: "ended" } } as const;
    expect(notified(cleared, over, 2000)).toBe(cleared);
  });

  it("[M13] too late of what was found and removed brings nothing back", () => {
    const lost = { type: "unknown", reason: "x" } as const;
    let holding = answered(emptyHolding("k", "n", "camara-qod"), wishOf(BODY), lost, 0);
    holding = answered(holding, wishOf(LESS), { type: "done", ids: ["r1"] }, 1000);
    holding = answered(holding, undefined, { type: "done" }, 2000);
    expect(holding).toMatchObject({ held: undefined, doubts: [{ generation: 1 }] });
    const asked = nextAct(holding, wishOf(LESS), 2000) as Act;
    expect(asked).toMatchObject({ type: "create", generation: 2 });
    const asking = begun(holding, asked, 2000);
    // A session that is deleted is told of like any that ends.
    const over = { state: "ended", reason: "DELETE_REQUESTED" } as const;
    const told = notified(asking, { generation: 1, id: "r1", status: over }, 2010);
    expect(told.held).toBeUndefined();
    const made = afterAct(told, asked, { ...GRANTED, id: "r2" }, 2020, 0);
    expect(made).toMatchObject({ held: { id: "r2" }, strays: [], endings: 0 });
    expect(recordOf(made, wishOf(LESS), 2020)).toMatchObject({ state: "granted" });
    const find = nextAct(made, wishOf(LESS), 2020);
    expect(find).toMatchObject({ type: "find", generation: 1 });
  });

  it("[M13] of what nothing else is known is read at once: it may be gone again", () => {
    const lost = { type: "unknown", reason: "x" } as const;
    const doubtful = answered(emptyHolding("k", "n", "nef"), wishOf(BODY), lost, 0);
    const sought = answered(doubtful, undefined, { type: "done", ids: [] }, 1000);
    const status = { state: "granted" } as const;
    const known = notified(sought, { generation: 1, id: "r1", status }, 5000);
    expect(nextAct(known, wishOf(BODY), 5000)).toMatchObject({ type: "read", id: "r1" });
  });

  it("[M13] a resource that held and is only requested again is impaired", () => {
    const read = answered(
      granted("rtc-af"),
      wishOf(BODY),
      {
        type: "done",
        status: { state: "requested" },
      },
      20_000,
    );
    expect(recordOf(read, wishOf(BODY), 20_000)).toMatchObject({ state: "impaired" });
    expect(recordOf(read, wishOf(BODY), 20_000).granted).toBeUndefined();
  });

  it("[M13] is asked for at once after a boost, where anything is held", () => {
    const held = granted("rtc-af");
    expect(dueOf(held, wishOf(BODY))).toBeGreaterThan(1000);
    expect(dueOf(boosted(held, 1000), wishOf(BODY))).toBe(1000);
    const empty = emptyHolding("k", "n", "rtc-af");
    expect(boosted(empty, 1000)).toBe(empty);
  });
});

describe("the record", () => {
  it("[M13] says what is asked, granted, until when, and what is advised", () => {
    const asked = { uplinkBps: 2000, downlinkBps: 1000, profile: "QOS_L" };
    const wish = wishOf(BODY, { asked });
    const advised = { uplinkBps: 500 };
    const status = { state: "granted", until: 600_000, profile: "QOS_L", advised } as const;
    const done = { type: "done", id: "r1", status } as const;
    const held = answered(emptyHolding("k", "n", "camara-qod"), wish, done, 1000);
    expect(recordOf(held, wish, 1000)).toEqual({
      network: "n",
      api: "camara-qod",
      state: "granted",
      since: 1000,
      asked,
      granted: { ...asked, until: 600_000 },
      advised,
    });
    const other = { ...done, status: { ...status, profile: "QOS_S" } };
    const less = answered(emptyHolding("k", "n", "camara-qod"), wish, other, 1000);
    expect(recordOf(less, wish, 1000).granted).toEqual({ profile: "QOS_S", until: 600_000 });
  });

  it("[M13] keeps the time of a state until there is another", () => {
    const holding = emptyHolding("k", "n", "nef");
    const before = recordOf(holding, wishOf(BODY), 1000);
    expect(recordOf(holding, wishOf(BODY), 2000, { before }).since).toBe(1000);
    expect(recordOf(granted("nef"), wishOf(BODY), 2000, { before }).since).toBe(2000);
    const elsewhere = { ...before, network: "m" };
    expect(recordOf(holding, wishOf(BODY), 2000, { before: elsewhere }).since).toBe(2000);
  });

  it("[M13] says what is waited for, and that it is over", () => {
    const holding = emptyHolding("k", "n", "nef");
    const waiting = recordOf(holding, undefined, 1000, { lacks: "server-address" });
    expect(waiting).toMatchObject({ state: "waiting", reason: "server-address" });
    expect(recordOf(holding, undefined, 1000)).toEqual({
      network: "n",
      api: "nef",
      state: "ended",
      since: 1000,
    });
  });

  it("[M13] has no long reasons", () => {
    const refused = { type: "refused", reason: "x".repeat(300) } as const;
    const holding = answered(emptyHolding("k", "n", "nef"), wishOf(BODY), refused, 0);
    expect(recordOf(holding, wishOf(BODY), 0).reason).toHaveLength(128);
  });
});

/** A wish for so much, which its body says too. */
const wishFor = (uplinkBps: number, downlinkBps: number): Wish => {
  const asked = { uplinkBps, downlinkBps };
  return wishOf({ ...BODY, requestedQoS: asked }, { asked });
};

describe("what a network recommends", () => {
  const advisedIn = (world: HoldingWorld) => stateOf(world).advised;

  /** Of a network that recommends what it was asked for: what any moment of the next minute shows. */
  function shownOf(world: HoldingWorld, wish: Wish): unknown[] {
    world.wish = wish;
    const shown: unknown[] = [];
    for (let turn = 0; turn < 240; turn += 1) {
      const advised = advisedIn(world);
      if (advised) shown.push(advised);
      world.pass(250);
    }
    expect(typesOf(world)).toContain("read");
    return shown;
  }

  function echoing(wish: Wish): HoldingWorld {
    const world = new HoldingWorld("rtc-af");
    world.wish = wish;
    world.recommends = ({ requestedQoS }) => requestedQoS as Wish["asked"];
    world.pass(MINUTE);
    return world;
  }

  const STORIES: Readonly<Record<string, readonly Wish[]>> = {
    "hold and resume": [wishFor(3_000, 3_000), wishFor(0, 3_000), wishFor(3_000, 3_000)],
    "audio only, then video": [wishFor(90, 90), wishFor(3_000, 3_000), wishFor(90, 3_000)],
    "all held, and on again": [wishFor(3_000, 3_000), wishFor(0, 0), wishFor(90, 90)],
  };
  const FATES: readonly Fate[] = ["ok", "500", "500-with-effect", "late", "429", "400"];

  it.each(Object.entries(STORIES))(
    "[M13] is no news where it is what was asked for once: %s",
    (_name, [first, ...others]) => {
      for (const fate of FATES) {
        const world = echoing(first as Wish);
        expect(advisedIn(world)).toBeUndefined();
        for (const wish of others) {
          world.fates.push(fate, fate);
          expect(shownOf(world, wish), fate).toEqual([]);
        }
      }
    },
  );

  it("[M13] is shown where it is less than what was asked for, each direction by itself", () => {
    const world = echoing(wishFor(3_000, 0));
    world.recommends = () => ({ uplinkBps: 300, downlinkBps: 0 });
    world.pass(MINUTE);
    expect(advisedIn(world)).toEqual({ uplinkBps: 300 });
    world.recommends = () => ({ uplinkBps: 3_000, downlinkBps: 400 });
    world.wish = wishFor(3_000, 500);
    world.pass(MINUTE);
    expect(advisedIn(world)).toEqual({ downlinkBps: 400 });
    world.recommends = () => ({ uplinkBps: 0 });
    world.pass(MINUTE);
    expect(advisedIn(world)).toEqual({ uplinkBps: 0 });
  });

  it("[M13] counts where nothing is known of what was asked for, but for 0", () => {
    const world = echoing(wishOf(BODY));
    world.recommends = () => ({ uplinkBps: 300, downlinkBps: 0 });
    world.pass(MINUTE);
    expect(advisedIn(world)).toEqual({ uplinkBps: 300 });
  });

  it("[M13] is forgotten with the request that it was about, and read again soon", () => {
    const world = echoing(wishFor(3_000, 3_000));
    world.recommends = () => ({ uplinkBps: 80 });
    world.pass(MINUTE);
    const begins = world.calls.length;
    world.wish = wishFor(90, 90);
    expect(advisedIn(world)).toBeUndefined();
    while (world.calls.length === begins || world.calls.at(-1)?.act.type !== "change") {
      world.pass(100);
    }
    world.pass(100);
    expect(world.holding.held?.status).toEqual({ state: "granted" });
    expect(advisedIn(world)).toBeUndefined();
    world.pass(5_000);
    expect(world.calls.at(-1)?.act.type).toBe("read");
    expect(advisedIn(world)).toEqual({ uplinkBps: 80 });
  });

  it.each(["500", "429", "400", "evicted"] as const)(
    "[M13] holds no more when it could not be read again for a while, and does when it can: %s",
    (fate) => {
      const world = echoing(wishFor(3_000, 3_000));
      world.recommends = () => ({ uplinkBps: 80 });
      world.pass(MINUTE);
      world.usual = fate;
      world.pass(80_000);
      expect(advisedIn(world)).toEqual({ uplinkBps: 80 });
      // A read that nobody answers is given up after half a minute.
      world.pass(55_000);
      expect(advisedIn(world)).toBeUndefined();
      expect(stateOf(world).state).toBe("granted");
      world.pass(HOUR);
      expect(advisedIn(world)).toBeUndefined();
      world.usual = "ok";
      world.pass(HOUR);
      expect(advisedIn(world)).toEqual({ uplinkBps: 80 });
      // One that is missed now and then is no reason.
      world.fates.push(fate);
      for (let turn = 0; turn < 300; turn += 1) {
        world.pass(1000);
        expect(advisedIn(world)).toEqual({ uplinkBps: 80 });
      }
    },
  );

  it("[M13] says nothing while nobody knows which request the network has", () => {
    const wish = wishFor(3_000, 3_000);
    const world = echoing(wish);
    world.wish = wishFor(90, 90);
    world.usual = "500-with-effect";
    world.pass(5_000);
    world.wish = wish;
    expect(world.holding.held).toMatchObject({ isDoubtful: true, body: wish.body });
    world.set({
      ...world.holding,
      held: world.holding.held && {
        ...world.holding.held,
        status: { state: "granted", advised: { uplinkBps: 90 } },
      },
    });
    expect(advisedIn(world)).toBeUndefined();
  });
});
