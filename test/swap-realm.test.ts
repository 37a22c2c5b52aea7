import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DIALECTS } from "../protocol/swap/message.ts";
import { type Shape, sdpOf } from "./descriptions.ts";
import { type Frame, type LiveEndpoint, LiveRealm } from "./live-realm.ts";
import { callJson, KEY, LiveSession, MODES } from "./live-session.ts";

/** Realms of SWAP over their door (TS 26.113 clause 13.2): what an endpoint may rely on. */

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const CANDIDATE = "a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host";

/** A description with its candidates. */
const whole = (shape: Shape = {}): string =>
  sdpOf(shape).replace(/a=mid:\S+\r\n/g, (mid) => `${mid}${CANDIDATE}\r\n`);

const OFFER = whole();
const ANSWER = whole({ setup: "active" });
const service = (value: string) => ({ matching_criteria: [{ type: "service", value }] });
/** One criterion, as the clause registers it, or a list of them: both are read. */
const user = (value: string) => ({ matching_criteria: { type: "user", value } });

const isAck = ({ type, status, error }: Frame): boolean =>
  error === undefined && (type === "ack" || status === 200);
const errorOf = (frame: Frame): string | undefined =>
  (frame.error as { type?: string } | undefined)?.type?.replace(/^.*\//, "");

/** A call of two endpoints whose offer was accepted. */
async function callOf(realm: LiveRealm, dialects: readonly LiveEndpoint["dialect"][] = []) {
  const [callers = "text", callees = "text"] = dialects;
  const bob = await realm.connect(undefined, callees);
  expect(isAck(await bob.say("register", service("game-7")))).toBe(true);
  const alice = await realm.connect(undefined, callers);
  expect(isAck(await alice.say("connect", { offer: OFFER, ...service("game-7") }))).toBe(true);
  const connect = await bob.next("connect");
  const accepted = await bob.say("accept", { target: alice.source, answer: ANSWER });
  expect(isAck(accepted)).toBe(true);
  const accept = await alice.next("accept");
  return { alice, bob, connect, accept };
}

async function sessionOf(realm: LiveRealm): Promise<LiveSession> {
  const { sessions } = await realm.view();
  return new LiveSession(sessions[0]?.id ?? "", "awake");
}

describe.each(MODES)("a call, %s", (mode) => {
  it.each(DIALECTS.flatMap((one) => DIALECTS.map((other) => [one, other] as const)))(
    "[M9] %s to %s: found by service, accepted, changed, talked in, closed",
    async (one, other) => {
      const realm = new LiveRealm(mode);
      const { alice, bob, connect, accept } = await callOf(realm, [one, other]);
      expect(connect.offer).toBe(OFFER);
      expect(connect.source_id ?? connect.source).toBe(alice.source);
      expect(accept.answer).toBe(ANSWER);
      expect(accept.source_id ?? accept.source).toBe(bob.source);
      const session = await sessionOf(realm);
      const { flows } = await session.read<{ flows: { state: string }[] }>("/flows");
      expect(flows.map(({ state }) => state)).toEqual(["negotiated", "negotiated"]);

      const more = whole({ version: 2, sections: [{ kind: "audio" }, { kind: "video" }] });
      expect(isAck(await alice.say("update", { target: bob.source, sdp: more }))).toBe(true);
      expect((await bob.next("update")).sdp).toBe(more);
      const both = whole({
        setup: "active",
        version: 2,
        sections: [{ kind: "audio" }, { kind: "video" }],
      });
      await bob.say("accept", { target: alice.source, answer: both });
      expect((await alice.next("accept")).answer).toBe(both);

      const body = { type: "urn:example:chat", value: { text: "hello" } };
      expect(isAck(await bob.say("application", { target: alice.source, ...body }))).toBe(true);
      expect(await alice.next("application")).toMatchObject(body);

      expect(isAck(await alice.say("close", { target: bob.source }))).toBe(true);
      await bob.next("close");
      expect(isAck(await bob.say("accept", { target: alice.source }))).toBe(true);
      expect((await alice.next("accept")).answer).toBeUndefined();
      expect((await realm.view()).sessions).toEqual([]);
      const after = await session.read<{ flows: { state: string }[] }>("/flows");
      expect(new Set(after.flows.map(({ state }) => state))).toEqual(new Set(["ended"]));
      expect(alice.inbox).toEqual([]);
      expect(bob.inbox).toEqual([]);
    },
  );

  it("[M9] who closes is answered for when the other one says nothing", async () => {
    const realm = new LiveRealm(mode);
    const { alice, bob } = await callOf(realm);
    await alice.say("close", { target: bob.source });
    await bob.next("close");
    expect(alice.inbox).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    await realm.alarm();
    expect(await alice.next("accept")).toMatchObject({ source: bob.source, target: alice.source });
    expect((await realm.view()).sessions).toEqual([]);
  });

  it("[M9] a connect that is rejected names what was rejected, and is no call", async () => {
    const realm = new LiveRealm(mode);
    const bob = await realm.connect();
    await bob.say("register", user("bob@example.org"));
    const alice = await realm.connect();
    const connect = alice.frame("connect", { offer: OFFER, ...user("bob@example.org") });
    await alice.send(connect);
    await alice.answer(connect.message_id as number);
    await bob.next("connect");
    const reject = { target: alice.source, request: connect.message_id, description: "busy" };
    expect(isAck(await bob.say("reject", reject))).toBe(true);
    expect(await alice.next("reject")).toMatchObject({
      source: bob.source,
      request: connect.message_id,
      description: "busy",
    });
    await expect.poll(async () => (await realm.view()).sessions).toEqual([]);
    expect(isAck(await alice.say("connect", { offer: OFFER, ...user("bob@example.org") }))).toBe(
      true,
    );
    await bob.next("connect");
  });

  it("[R1] a message that comes again is acknowledged again and has no second effect", async () => {
    const realm = new LiveRealm(mode);
    const { alice, bob } = await callOf(realm);
    const frame = alice.frame("application", { target: bob.source, type: "urn:x:y", value: 1 });
    for (let times = 0; times < 3; times++) {
      await alice.send(frame);
      expect(isAck(await alice.answer(frame.message_id as number))).toBe(true);
    }
    await alice.say("application", { target: bob.source, type: "urn:x:y", value: 2 });
    expect((await bob.next("application")).value).toBe(1);
    expect((await bob.next("application")).value).toBe(2);
  });

  it("[R3] an endpoint that loses its socket is in its call when it comes back in time", async () => {
    const realm = new LiveRealm(mode);
    const { alice, bob } = await callOf(realm);
    bob.close();
    await expect.poll(async () => (await realm.view()).endpoints.length).toBe(1);
    const gone = await alice.say("application", { target: bob.source, type: "urn:x:y", value: 1 });
    expect(errorOf(gone)).toBe("target_unknown.html");
    const again = await realm.connect(bob.source);
    const back = again.frame("register", service("game-7"), 100);
    await again.send(back);
    expect(isAck(await again.answer(100))).toBe(true);
    expect(
      isAck(await alice.say("application", { target: bob.source, type: "urn:x:y", value: 2 })),
    ).toBe(true);
    expect((await again.next("application")).value).toBe(2);
  });
});

describe("an endpoint that vanishes", () => {
  it("[R3] between connect and accept: who called is told, when it has not come back", async () => {
    const realm = new LiveRealm();
    const bob = await realm.connect();
    await bob.say("register", service("game-7"));
    const alice = await realm.connect();
    await alice.say("connect", { offer: OFFER, ...service("game-7") });
    await bob.next("connect");
    const session = await sessionOf(realm);
    bob.close();
    await realm.has(1);
    await expect
      .poll(async () => (await session.read<{ peers: { state: string }[] }>("/peers")).peers)
      .toContainEqual(expect.objectContaining({ state: "away" }));
    // Its resume window is over.
    await session.rewrite((json) => json.replace(/"awayUntil":\d+/, '"awayUntil":1'));
    await new LiveSession(session.id, "evicted").pause();
    await session.alarm();
    expect(await alice.next("close")).toMatchObject({ source: bob.source });
    expect(isAck(await alice.say("accept", { target: bob.source }))).toBe(true);
    expect((await realm.view()).sessions).toEqual([]);
  });
});

describe("finding an endpoint", () => {
  it("[M9] a caller that never registered gets its accept", async () => {
    const { alice, accept } = await callOf(new LiveRealm());
    expect(accept.target).toBe(alice.source);
  });

  it("[M9] who registers anew is found by what it says now; who leaves is not found", async () => {
    const realm = new LiveRealm();
    const bob = await realm.connect();
    await bob.say("register", service("one"));
    await bob.say("register", service("two"));
    const alice = await realm.connect();
    const first = await alice.say("connect", { offer: OFFER, ...service("one") });
    expect(errorOf(first)).toBe("target_unknown.html");
    bob.close();
    await expect.poll(async () => (await realm.view()).endpoints.length).toBe(1);
    const second = await alice.say("connect", { offer: OFFER, ...service("two") });
    expect(errorOf(second)).toBe("target_unknown.html");
    expect(second.description).toBeTypeOf("string");
  });

  it("[M9] an endpoint never finds itself, and a connect says whom it is for", async () => {
    const realm = new LiveRealm();
    const alice = await realm.connect();
    await alice.say("register", service("one"));
    const own = await alice.say("connect", { offer: OFFER, ...service("one") });
    expect(errorOf(own)).toBe("target_unknown.html");
    const nobody = await alice.say("connect", { offer: OFFER });
    expect(errorOf(nobody)).toBe("message_malformatted.html");
  });

  it("[M9] by its source, without criteria", async () => {
    const realm = new LiveRealm();
    const bob = await realm.connect();
    await bob.say("register", {});
    const alice = await realm.connect();
    expect(isAck(await alice.say("connect", { offer: OFFER, target: bob.source }))).toBe(true);
    await bob.next("connect");
  });
});

describe("who speaks", () => {
  it("[A1] a source in use on a live socket cannot be taken by another", async () => {
    const realm = new LiveRealm();
    const { alice, bob } = await callOf(realm);
    const thief = await realm.connect(bob.source);
    expect(errorOf(await thief.say("register", service("game-7")))).toBe("unauthorized.html");
    await alice.say("application", { target: bob.source, type: "urn:x:y", value: "secret" });
    expect((await bob.next("application")).value).toBe("secret");
    expect(thief.inbox).toEqual([]);
  });

  it("[A1] messages with another source than the socket's are ignored", async () => {
    const realm = new LiveRealm();
    const { alice, bob } = await callOf(realm);
    await alice.send({ ...alice.frame("close", { target: bob.source }), source: "somebody-else" });
    const kept = await alice.say("application", { target: bob.source, type: "urn:x:y", value: 1 });
    expect(isAck(kept)).toBe(true);
    expect((await bob.next("application")).value).toBe(1);
    expect(bob.inbox).toEqual([]);
  });

  it("[A1] no key, no token: no socket where the realm is not open", async () => {
    const realm = new LiveRealm();
    expect((await realm.upgrade({})).status).toBe(401);
    expect((await realm.upgrade({ authorization: "Bearer wrong" })).status).toBe(401);
  });

  it("[A1] whoever has a token speaks for its source and no other, in its realm and no other", async () => {
    const realm = new LiveRealm();
    const made = await callJson(`/v1/realms/${realm.name}/endpoints`, "POST", {
      source: "phone-of-alice",
    });
    expect(made.status).toBe(201);
    const { token, source, signalling } = (await made.json()) as {
      token: string;
      source: string;
      signalling: { url: string; protocol: string };
    };
    expect(source).toBe("phone-of-alice");
    expect(signalling.url).toContain(`/${realm.name}/3gpp-swap/v1`);
    const bearer = { "sec-websocket-protocol": `3gpp.SWAP.v1, bearer.${token}` };
    const other = await new LiveRealm().upgrade(bearer);
    expect(other.status).toBe(401);
    const liar = await realm.connect("somebody-else", "text", bearer);
    expect(errorOf(await liar.say("register", {}))).toBe("unauthorized.html");
    const alice = await realm.connect(source, "text", bearer);
    expect(isAck(await alice.say("register", {}))).toBe(true);
  });

  it("[S3] the server's own id is nobody's: whoever had it could speak as the server", async () => {
    const realm = new LiveRealm();
    const liar = await realm.connect(realm.stub.id.toString());
    expect(errorOf(await liar.say("register", service("game-7")))).toBe("unauthorized.html");
    expect((await realm.view()).endpoints).toEqual([]);
  });

  it("[S3] whoever has the token takes over from a socket that may be dead, calls included", async () => {
    const realm = new LiveRealm();
    const made = await callJson(`/v1/realms/${realm.name}/endpoints`, "POST", {});
    const { token, source } = (await made.json()) as { token: string; source: string };
    const bearer = { "sec-websocket-protocol": `3gpp.SWAP.v1, bearer.${token}` };
    const older = await realm.connect(source, "text", bearer);
    await older.say("register", service("game-7"));
    const alice = await realm.connect();
    await alice.say("connect", { offer: OFFER, ...service("game-7") });
    await older.next("connect");
    const newer = await realm.connect(source, "text", bearer);
    const accept = { target: alice.source, answer: ANSWER };
    await newer.send(newer.frame("accept", accept, 50));
    expect(isAck(await newer.answer(50))).toBe(true);
    expect((await alice.next("accept")).answer).toBe(ANSWER);
    await expect.poll(() => older.closed).toBe(4001);
    const { endpoints } = await realm.view();
    expect(endpoints.map((each) => each.source).toSorted()).toEqual(
      [alice.source, source].toSorted(),
    );
    await alice.say("application", { target: source, type: "urn:x:y", value: 1 });
    expect((await newer.next("application")).value).toBe(1);
    const thief = await realm.connect(source);
    expect(errorOf(await thief.say("register", {}))).toBe("unauthorized.html");
  });

  it("[M9] the address: any realm, with or without a slash at the end, its own subprotocol", async () => {
    const realm = new LiveRealm();
    for (const path of [`/${realm.name}/3gpp-swap/v1/`, "/3gpp-swap/v1", "/3gpp-swap/v1/"]) {
      const response = await realm.upgrade(KEY, path);
      expect(response.status).toBe(101);
      expect(response.headers.get("sec-websocket-protocol")).toBe("3gpp.SWAP.v1");
      response.webSocket?.accept();
      response.webSocket?.close();
    }
    const wrong = await realm.upgrade({ ...KEY, "sec-websocket-protocol": "duplex.v1" });
    expect(wrong.status).toBe(400);
  });
});

describe("limits", () => {
  it("[S7] a realm that has as many endpoints as it may takes no more", async () => {
    const realm = new LiveRealm();
    const refused = await runInDurableObject(realm.stub, (object, state) => {
      vi.spyOn(state, "getWebSockets").mockReturnValue(new Array(10_000));
      return object.fetch(new Request("https://duplex.test/"));
    });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "realm-full" });
  });

  it("[S7] an endpoint that has as many calls as it may makes no more, and gets none", async () => {
    const realm = new LiveRealm();
    const alice = await realm.connect();
    await alice.say("register", user("alice"));
    for (let n = 0; n < 17; n++) {
      const bob = await realm.connect();
      await bob.say("register", user(`bob-${n}`));
      const answer = await alice.say("connect", { offer: OFFER, ...user(`bob-${n}`) });
      const code = n < 16 ? undefined : `urn:duplex:problem:${"too-many-calls"}`;
      expect(errorOf(answer)).toBe(code);
    }
    const carol = await realm.connect();
    const answer = await carol.say("connect", { offer: OFFER, ...user("alice") });
    expect(errorOf(answer)).toBe("urn:duplex:problem:too-many-calls");
  });
});

describe("an endpoint that fills its memory", () => {
  it("[S8] keeps its registration and its calls when it registers as much as it may, in another script", async () => {
    const realm = new LiveRealm("evicted");
    const bob = await realm.connect("б".repeat(128));
    const value = "ж".repeat(900);
    const criteria = { matching_criteria: [{ type: "user", value }] };
    expect(isAck(await bob.say("register", criteria))).toBe(true);
    const callers: LiveEndpoint[] = [];
    for (let n = 0; n < 16; n++) {
      const caller = await realm.connect(`${n}${"щ".repeat(120)}`);
      callers.push(caller);
      const connect = await caller.say("connect", { offer: OFFER, ...criteria });
      expect(isAck(connect)).toBe(true);
      await bob.next("connect");
    }
    // Each refusal is remembered with its words.
    for (let n = 0; n < 20; n++) {
      await bob.say("application", { target: "ю".repeat(128), type: "urn:x:y", value: n });
    }
    const [first] = callers as [LiveEndpoint];
    expect(isAck(await bob.say("accept", { target: first.source, answer: ANSWER }))).toBe(true);
    expect((await first.next("accept")).answer).toBe(ANSWER);
    const { sessions } = await realm.view();
    expect(sessions).toHaveLength(16);
  });
});

describe("an endpoint that does not read", () => {
  it("[S8] an endpoint that says nothing is sent no more after a while, and heard again when it speaks", async () => {
    const realm = new LiveRealm();
    const { alice, bob } = await callOf(realm);
    const message = { target: bob.source, type: "urn:x:y", value: "x".repeat(16_000) };
    let refused: string | undefined;
    for (let n = 0; n < 400 && refused === undefined; n++) {
      refused = errorOf(await alice.say("application", message));
    }
    expect(refused).toBe("urn:duplex:problem:receiver-busy");
    expect(bob.closed).toBeNull();
    await bob.say("register", {});
    expect(isAck(await alice.say("application", message))).toBe(true);
  });
});

describe("bad input", () => {
  const ERRORS: readonly [string, Frame | string, string][] = [
    ["no JSON", "{", "message_malformatted.html"],
    ["an unknown type", { message_type: "dance" }, "message_unknown.html"],
    ["no type", { message_type: undefined }, "message_malformatted.html"],
    ["a number that is none", { message_id: -4 }, "message_malformatted.html"],
    ["a short source", { source: "short", message_id: 9 }, "message_malformatted.html"],
  ];

  it.each(ERRORS)(
    "[S8] %s is refused by name, and nothing else happens",
    async (_name, wrong, error) => {
      const realm = new LiveRealm();
      const alice = await realm.connect();
      const frame = alice.frame("register", service("one"));
      await alice.send(typeof wrong === "string" ? wrong : { ...frame, ...wrong });
      expect(errorOf(await alice.next("response"))).toBe(error);
      expect((await realm.view()).endpoints).toEqual([]);
      expect(isAck(await alice.say("register", service("one")))).toBe(true);
    },
  );

  it("[S8] numbers that do not grow, targets that are in no call", async () => {
    const realm = new LiveRealm();
    const alice = await realm.connect();
    await alice.send(alice.frame("register", {}, 7));
    await alice.answer(7);
    await alice.send(alice.frame("register", {}, 3));
    expect(errorOf(await alice.answer(3))).toBe("message_malformatted.html");
    let n = 10;
    for (const [type, body] of [
      ["accept", { answer: ANSWER }],
      ["update", { sdp: OFFER }],
      ["reject", { request: 1 }],
      ["close", {}],
      ["application", { type: "urn:x:y", value: 1 }],
    ] as const) {
      n += 1;
      await alice.send(alice.frame(type, { target: "nobody-at-all", ...body }, n));
      expect(errorOf(await alice.answer(n))).toBe("target_unknown.html");
    }
  });

  it("[D1] an offer without candidates is refused: nobody sees it, and there is no call", async () => {
    const realm = new LiveRealm();
    const bob = await realm.connect();
    await bob.say("register", service("one"));
    const alice = await realm.connect();
    const refused = await alice.say("connect", { offer: sdpOf(), ...service("one") });
    expect(errorOf(refused)).toBe("message_malformatted.html");
    expect((refused.error as { detail: string }).detail).toMatch(/gathering is complete/);
    expect((await realm.view()).sessions).toEqual([]);
    expect(bob.inbox).toEqual([]);
  });

  it("[N3] of two that connect at the same time, the first offer counts", async () => {
    const realm = new LiveRealm();
    const bob = await realm.connect();
    await bob.say("register", user("bob"));
    const alice = await realm.connect();
    await alice.say("register", user("alice"));
    const [first, second] = await Promise.all([
      alice.say("connect", { offer: OFFER, ...user("bob") }),
      bob.say("connect", { offer: whole({ of: "bob" }), ...user("alice") }),
    ]);
    expect([isAck(first), isAck(second)]).toEqual([true, false]);
    expect(errorOf(second)).toBe("urn:duplex:problem:glare");
    await bob.next("connect");
    await bob.say("accept", { target: alice.source, answer: ANSWER });
    expect((await alice.next("accept")).answer).toBe(ANSWER);
  });

  it("[M9] what endpoints seal for each other passes untouched; a close of it ends the call", async () => {
    const realm = new LiveRealm();
    const { alice, bob } = await callOf(realm);
    const security = { enc: "A128GCM", iv: "b64", ciphertext: "b64" };
    const frame = alice.frame("update", { security });
    await alice.send(frame);
    expect(isAck(await alice.answer(frame.message_id as number))).toBe(true);
    expect(await bob.next("update")).toEqual(frame);
    const signed = alice.frame("application", {
      target: bob.source,
      type: "urn:x:y",
      value: 1,
      security: { mac: "b64" },
      more: "than we know",
    });
    await alice.send(signed);
    expect(await bob.next("application")).toEqual(signed);
    const close = alice.frame("close", { security });
    await alice.send(close);
    expect(await bob.next("close")).toEqual(close);
    await bob.send(bob.frame("accept", { security }));
    expect(await alice.next("accept")).toMatchObject({ security });
    expect((await realm.view()).sessions).toEqual([]);
    await bob.send(bob.frame("update", { security }, 50));
    expect(errorOf(await bob.answer(50))).toBe("target_unknown.html");
  });

  it("[M9] both close at once: each accepts the other's", async () => {
    const realm = new LiveRealm();
    const { alice, bob } = await callOf(realm);
    const [one, other] = await Promise.all([
      alice.say("close", { target: bob.source }),
      bob.say("close", { target: alice.source }),
    ]);
    expect([isAck(one), isAck(other)]).toEqual([true, true]);
    expect((await realm.view()).sessions.length).toBeLessThan(2);
  });
});
