import { describe, expect, it } from "vitest";
import { CloudflareRealtime } from "../adapters/cloudflare-realtime.ts";
import { FAULT, MediaBackendFault } from "../adapters/media-backend.ts";
import { sdpOf } from "./descriptions.ts";
import { checkBody } from "./realtime-schemas.ts";
import { type PlantedFault, RealtimeStandIn, STAND_IN } from "./realtime-stand-in.ts";

/** The adapter to the Cloudflare Realtime SFU, in front of a stand-in that checks what it is asked. */

const OFFER = sdpOf({
  sections: [
    { kind: "audio", mid: "a", direction: "sendonly" },
    { kind: "video", mid: "v", direction: "sendonly" },
  ],
});
const TRACKS = [
  { mid: "a", name: "voice" },
  { mid: "v", name: "camera" },
];

function scene() {
  const standIn = new RealtimeStandIn(checkBody);
  const pauses: number[] = [];
  const sleep = async (ms: number) => {
    pauses.push(ms);
  };
  const backend = new CloudflareRealtime(STAND_IN, { fetch: standIn.fetch, sleep });
  return { standIn, pauses, backend };
}

async function published() {
  const all = scene();
  const session = await all.backend.open({ iceLite: false });
  await all.backend.publish(session, OFFER, TRACKS);
  return { ...all, session };
}

const faultOf = async (call: Promise<unknown>): Promise<MediaBackendFault> => {
  const thrown = await call.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  if (thrown instanceof MediaBackendFault) return thrown;
  throw new Error(`no fault: ${String(thrown)}`);
};

const counted = (standIn: RealtimeStandIn, on: string) =>
  standIn.calls.filter(({ operation }) => operation.endsWith(on)).length;

describe("the calls", () => {
  it("[C1] publish, subscribe, answer, update, inspect, close", async () => {
    const { standIn, backend, session } = await published();
    const player = await backend.open({ iceLite: true });
    expect(standIn.sessions.get(player)?.thirdparty).toBe(true);
    const layer = { rid: "h", ranked: true };
    const { description, tracks } = await backend.subscribe(player, [
      { session, name: "voice" },
      { session, name: "camera", layer },
      { session, name: "nothing" },
    ]);
    expect(description?.type).toBe("offer");
    expect(tracks).toEqual([
      { mid: "0" },
      { mid: "1" },
      {
        fault: {
          code: "not_found_track_error",
          detail: "the SFU says not_found_track_error",
          retryable: true,
        },
      },
    ]);
    const sections = [
      { kind: "audio" as const, mid: "0", direction: "recvonly" as const },
      { kind: "video" as const, mid: "1", direction: "recvonly" as const },
    ];
    await backend.answer(player, sdpOf({ setup: "active", sections }));
    const other = { mid: "1", session, name: "camera", layer: { rid: "q", ranked: false } };
    expect(await backend.update(player, [other])).toEqual([{ mid: "1" }]);
    expect(standIn.calls.at(-1)?.body).toEqual({
      tracks: [
        {
          location: "remote",
          sessionId: session,
          trackName: "camera",
          mid: "1",
          simulcast: { preferredRid: "q", priorityOrdering: "none", ridNotAvailable: "none" },
        },
      ],
    });
    await backend.close(player, ["0"]);
    expect(await backend.inspect(player)).toEqual([
      { mid: "0", location: "remote", active: false },
      { mid: "1", location: "remote", active: true },
    ]);
    await backend.close(player, "all");
    await backend.close(session, "all");
    expect(standIn.active()).toEqual([]);
    expect(standIn.complaints).toEqual([]);
  });

  it("[C1] an offer without new tracks lets the SFU look itself", async () => {
    const { standIn, backend, session } = await published();
    const { answer, tracks } = await backend.publish(session, OFFER, []);
    expect([answer.includes("a=recvonly"), tracks]).toEqual([true, []]);
    expect(standIn.calls.at(-1)?.body).toMatchObject({ autoDiscover: true });
    expect(standIn.complaints).toEqual([]);
  });

  it("[C1] calls of one session wait for each other, those of others do not", async () => {
    const { standIn, backend, session } = await published();
    const other = await backend.open({ iceLite: false });
    const gate = Promise.withResolvers<void>();
    standIn.plant({ on: "/tracks/close", kind: "slow", until: gate.promise });
    const order: string[] = [];
    const calls = [
      backend.close(session, ["a"]).then(() => order.push("first")),
      backend.close(session, ["v"]).then(() => order.push("second")),
      backend.inspect(other).then(() => order.push("other")),
    ];
    await calls[2];
    gate.resolve();
    await Promise.all(calls);
    expect(order).toEqual(["other", "first", "second"]);
    expect(standIn.complaints).toEqual([]);
  });

  it("[A4] what the SFU says is told by its code, never by its words or the secret", async () => {
    const { standIn, backend, session } = await published();
    standIn.plant({ on: "/tracks/new", kind: "status", status: 400, code: "invalid_params" });
    const fault = await faultOf(backend.publish(session, OFFER, TRACKS));
    expect([fault.code, fault.detail, fault.retryable]).toEqual([
      "invalid_params",
      "the SFU says invalid_params",
      false,
    ]);
    expect(JSON.stringify(fault) + fault.stack).not.toContain(STAND_IN.appSecret);
  });

  it("[A4] a redirect is not followed: the secret goes to the SFU alone", async () => {
    const seen: RequestInit[] = [];
    const backend = new CloudflareRealtime(STAND_IN, {
      fetch: async (_url, init) => {
        seen.push(init);
        return new Response(null, { status: 307, headers: { location: "https://elsewhere.test" } });
      },
      sleep: async () => undefined,
    });
    expect((await faultOf(backend.open({ iceLite: false }))).code).toBe("refused");
    expect(seen.map(({ redirect }) => redirect)).toEqual(["manual"]);
  });
});

describe("what is made again", () => {
  const repeatable: [string, PlantedFault][] = [
    ["a lost connection", { on: "/tracks/close", kind: "no-answer", effect: true }],
    ["a status of 500", { on: "/tracks/close", kind: "500", effect: true }],
    ["a status of 429", { on: "/tracks/close", kind: "busy", retryAfter: "2" }],
    [
      "a status of 425",
      { on: "/tracks/close", kind: "status", status: 425, code: "session_error" },
    ],
  ];
  it.each(repeatable)("[C1] closing, after %s", async (_name, fault) => {
    const { standIn, backend, session, pauses } = await published();
    standIn.plant(fault);
    await backend.close(session, ["a", "v"]);
    expect(standIn.active()).toEqual([]);
    expect(pauses).toEqual([fault.kind === "busy" ? 2000 : 250]);
  });

  it.each([
    ["no-answer", FAULT.uncertain],
    ["500", FAULT.uncertain],
    ["wrong-json", FAULT.uncertain],
  ] as const)("[C1] not a new track, after %s", async (kind, code) => {
    const { standIn, backend, session } = await published();
    standIn.plant({ on: "/tracks/new", kind, effect: true });
    const fault = await faultOf(backend.publish(session, OFFER, TRACKS));
    expect([fault.code, fault.retryable, counted(standIn, "/tracks/new")]).toEqual([
      code,
      false,
      2,
    ]);
  });

  it("[C1] not an answer, whose offer is gone after the first", async () => {
    const { standIn, backend, session } = await published();
    standIn.plant({ on: "/renegotiate", kind: "500", effect: false });
    expect((await faultOf(backend.answer(session, OFFER))).code).toBe(FAULT.uncertain);
    expect(counted(standIn, "/renegotiate")).toBe(1);
  });

  it("[C1] not what takes too long: nobody knows what came of it", async () => {
    const backend = new CloudflareRealtime(STAND_IN, {
      fetch: (_url, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason));
        }),
      sleep: async () => undefined,
      timeoutMs: 1,
    });
    expect((await faultOf(backend.publish("s", OFFER, TRACKS))).code).toBe(FAULT.uncertain);
  });

  it("[C1] what says that it had no effect, but not for ever", async () => {
    const { standIn, backend, session, pauses } = await published();
    const code = "retryable_transient_error";
    for (let count = 0; count < 4; count += 1) {
      standIn.plant({ on: "/tracks/new", kind: "status", status: 503, code });
    }
    const fault = await faultOf(backend.publish(session, OFFER, TRACKS));
    expect([fault.code, fault.retryable]).toEqual([code, true]);
    expect(pauses).toEqual([250, 500, 1000]);
    expect(counted(standIn, "/tracks/new")).toBe(5);
  });

  it("[C1] a pause is never longer than 4 s, and never what nobody can read", async () => {
    const { standIn, backend, session, pauses } = await published();
    standIn.plant({ on: "/tracks/close", kind: "busy", retryAfter: "3600" });
    standIn.plant({ on: "/tracks/close", kind: "busy", retryAfter: "soon" });
    standIn.plant({ on: "/tracks/close", kind: "busy" });
    await backend.close(session, ["a"]);
    expect(pauses).toEqual([4000, 500, 1000]);
  });
});

describe("closing", () => {
  it("[C1] what is not there any more is closed: a track, or a whole session", async () => {
    const { standIn, backend, session } = await published();
    await backend.close(session, ["a"]);
    await backend.close(session, ["a"]);
    await backend.close(session, []);
    standIn.drop(session);
    await backend.close(session, ["v"]);
    await backend.close(session, "all");
    expect((await faultOf(backend.inspect(session))).code).toBe(FAULT.gone);
    expect(standIn.complaints).toEqual([]);
  });

  it("[C1] what is reported otherwise, or not at all, is not closed", async () => {
    const { standIn, backend, session } = await published();
    standIn.plant({ on: "/tracks/close", kind: "track", code: "internal_error" });
    const fault = await faultOf(backend.close(session, "all"));
    expect([fault.code, fault.retryable]).toEqual(["not-closed", true]);
    await backend.close(session, "all");
    expect(standIn.active()).toEqual([]);
  });
});

describe("answers that are not what was asked for", () => {
  const answering = (body: object) =>
    new CloudflareRealtime(STAND_IN, {
      fetch: async () => Response.json(body),
      sleep: async () => undefined,
    });
  const offer = { type: "offer", sdp: "v=0" };
  const wanted = [{ session: "s", name: "n" }];

  it("[C1] an offer for an answer, an answer for an offer, none at all", async () => {
    const publish = answering({ sessionDescription: offer, tracks: [] }).publish(
      "s",
      OFFER,
      TRACKS,
    );
    expect((await faultOf(publish)).code).toBe(FAULT.uncertain);
    const tracks = [{ mid: "0", trackName: "n", sessionId: "s" }];
    const subscribe = answering({ sessionDescription: offer, tracks }).subscribe(
      "s",
      wanted,
      OFFER,
    );
    expect((await faultOf(subscribe)).code).toBe(FAULT.uncertain);
    expect((await faultOf(answering({ tracks }).subscribe("s", wanted))).code).toBe(
      FAULT.uncertain,
    );
  });

  it("[C1] a track without a mid, and one that is not mentioned", async () => {
    const nameless = await answering({ tracks: [{ trackName: "n" }] }).subscribe("s", wanted);
    expect(nameless.tracks).toMatchObject([{ fault: { code: "unreported" } }]);
    const silent = await answering({ sessionDescription: { ...offer, type: "answer" } }).publish(
      "s",
      OFFER,
      TRACKS,
    );
    expect(silent.tracks).toMatchObject([
      { mid: "a", fault: { code: "unreported" } },
      { mid: "v", fault: { code: "unreported" } },
    ]);
  });

  it("[C1] an error in the body of a success, and none in that of a failure", async () => {
    const coded = answering({ errorCode: "backend_error" }).open({ iceLite: false });
    expect((await faultOf(coded)).code).toBe("backend_error");
    const mute = new CloudflareRealtime(STAND_IN, {
      fetch: async () => new Response("no", { status: 404 }),
      sleep: async () => undefined,
    });
    expect((await faultOf(mute.open({ iceLite: false }))).detail).toBe("the SFU answered 404");
  });
});
