import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { sdpOf } from "./descriptions.ts";
import { LiveRealm } from "./live-realm.ts";
import { call, callJson, KEY, LiveSession, MODES } from "./live-session.ts";

/** Endpoints of SWAP and peers of `duplex.v1` in one session, over both doors; and what operators ask of realms. */

afterEach(() => reset());

const CANDIDATE = "candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host";
const whole = (sdp: string): string =>
  sdp.replace(/a=mid:\S+\r\n/g, (mid) => `${mid}a=${CANDIDATE}\r\n`);
const OFFER = whole(sdpOf());
const ANSWER = sdpOf({ setup: "active" });
const DESK = { matching_criteria: [{ type: "user", value: "desk" }] };

const put = (realm: LiveRealm, peer: string, session: string) =>
  callJson(`/v1/realms/${realm.name}/peers/${peer}`, "PUT", {
    session,
    criteria: DESK.matching_criteria,
  });

describe.each(MODES)("an endpoint and a peer, %s", (mode) => {
  it("[M9] the endpoint finds the peer, and its answer comes with its candidates", async () => {
    const realm = new LiveRealm(mode);
    const session = await LiveSession.start(mode);
    const desk = await session.join();
    expect((await put(realm, desk.id, session.id)).status).toBe(204);
    const phone = await realm.connect();
    const connect = await phone.say("connect", { offer: OFFER, ...DESK });
    expect(connect.error).toBeUndefined();
    const { from, exchange, sdp } = await desk.next("offer");
    expect(sdp).toBe(OFFER);
    await desk.send({ type: "answer", to: from, exchange, sdp: ANSWER });
    const candidates = [{ candidate: CANDIDATE, sdpMid: "0", sdpMLineIndex: 0 }];
    const last = { type: "candidates", to: from, exchange, candidates, complete: true };
    await desk.send(last);
    const accept = await phone.next("accept");
    expect(accept).toMatchObject({ source: desk.id, answer: `${ANSWER}a=${CANDIDATE}\r\n` });
    await desk.send({ type: "message", to: from, body: { type: "urn:x:y", value: 1 } });
    expect(await phone.next("application")).toMatchObject({ type: "urn:x:y", value: 1 });
    expect((await phone.say("close", { target: desk.id })).error).toBeUndefined();
    expect((await desk.next("peer-left")).peer).toBe(from);
    expect((await phone.next("accept")).answer).toBeUndefined();
    expect((await realm.view()).sessions).toEqual([]);
    // The peer is in its session as before.
    const { peers } = await session.read<{ peers: { id: string }[] }>("/peers");
    expect(peers.map(({ id }) => id)).toEqual([desk.id]);
    expect(await desk.request({ type: "state", id: 7 } as never)).toMatchObject({ type: "ack" });
  });

  it("[A1] nobody speaks for a peer by taking its id as a source", async () => {
    const realm = new LiveRealm(mode);
    const session = await LiveSession.start(mode);
    const desk = await session.join();
    await put(realm, desk.id, session.id);
    const thief = await realm.connect(desk.id);
    const refused = { error: { type: "http://forge.3gpp.org/sa4/swap/unauthorized.html" } };
    expect(await thief.say("register", DESK)).toMatchObject(refused);
    const phone = await realm.connect();
    await phone.say("connect", { offer: OFFER, ...DESK });
    await desk.next("offer");
    // It is taken out of the realm, and so its id is free; the call is not.
    await callJson(`/v1/realms/${realm.name}/peers/${desk.id}`, "DELETE");
    const late = await realm.connect(desk.id);
    expect((await late.say("register", {})).error).toBeUndefined();
    await phone.say("update", { target: desk.id, security: { ciphertext: "b64" } });
    expect(
      (await late.say("accept", { target: phone.source, answer: ANSWER })).error,
    ).toBeDefined();
    expect(late.inbox).toEqual([]);
  });

  it("[M9] the back end brings the endpoint into the session; the peer calls it", async () => {
    const realm = new LiveRealm(mode);
    const session = await LiveSession.start(mode);
    const desk = await session.join();
    const phone = await realm.connect();
    await phone.say("register", { matching_criteria: [{ type: "user", value: "phone" }] });
    const invited = await callJson(`/v1/realms/${realm.name}/calls`, "POST", {
      session: session.id,
      criteria: [{ type: "user", value: "phone" }],
    });
    expect(invited.status).toBe(201);
    const { peer, source } = (await invited.json()) as { peer: string; source: string };
    expect(source).toBe(phone.source);
    expect((await desk.next("peer-joined")).peer.id).toBe(peer);
    await desk.send({ type: "offer", to: peer, sdp: OFFER });
    expect(await phone.next("connect")).toMatchObject({ source: desk.id, offer: OFFER });
    await phone.say("accept", { target: desk.id, answer: whole(ANSWER) });
    expect((await desk.next("answer")).from).toBe(peer);
    await desk.send({ type: "leave" });
    await phone.next("close");
    await phone.say("accept", { target: desk.id });
    expect((await realm.view()).sessions).toEqual([]);
  });
});

describe("what is not there", () => {
  it("[M9] a peer that has left, whose session is over, or that was taken out, is not found", async () => {
    const realm = new LiveRealm();
    const session = await LiveSession.start("awake");
    const desk = await session.join();
    await put(realm, desk.id, session.id);
    const phone = await realm.connect();
    const dial = () => phone.say("connect", { offer: OFFER, ...DESK });
    const unknown = { error: { type: "http://forge.3gpp.org/sa4/swap/target_unknown.html" } };
    await desk.send({ type: "leave" });
    await desk.closing();
    expect(await dial()).toMatchObject(unknown);
    expect((await session.read<{ peers: object[] }>("/peers")).peers).toEqual([]);
    await callJson(session.path, "DELETE");
    expect(await dial()).toMatchObject(unknown);
    const other = await LiveSession.start("awake");
    const next = await other.join();
    await put(realm, next.id, other.id);
    const gone = await callJson(`/v1/realms/${realm.name}/peers/${next.id}`, "DELETE");
    expect(gone.status).toBe(204);
    expect(await dial()).toMatchObject(unknown);
    expect((await realm.view()).sessions).toEqual([]);
  });

  it("[D1] an offer that is refused leaves no endpoint in the session", async () => {
    const realm = new LiveRealm();
    const session = await LiveSession.start("awake");
    const desk = await session.join();
    await put(realm, desk.id, session.id);
    const phone = await realm.connect();
    const refused = await phone.say("connect", { offer: sdpOf(), ...DESK });
    expect(refused).toMatchObject({ error: { status: 422 } });
    expect((await session.read<{ peers: object[] }>("/peers")).peers).toHaveLength(1);
  });

  it("[S1] sessions and endpoints that are asked for", async () => {
    const realm = new LiveRealm();
    const session = await LiveSession.start("awake", { maxPeers: 2 });
    const calls = `/v1/realms/${realm.name}/calls`;
    const phone = await realm.connect();
    await phone.say("register", {});
    const ask = async (body: object) => {
      const response = await callJson(calls, "POST", body);
      return [response.status, ((await response.json()) as { code?: string }).code];
    };
    const target = phone.source;
    expect(await ask({ session: session.id, target: "nobody-there" })).toEqual([
      404,
      "unknown-peer",
    ]);
    const strangers = "0".repeat(26);
    expect(await ask({ session: strangers, target })).toEqual([404, "session-not-found"]);
    expect(await ask({ session: "none", target })).toEqual([404, "session-not-found"]);
    expect(await ask({ session: session.id })).toEqual([400, "invalid-request"]);
    await session.join();
    await session.join();
    expect(await ask({ session: session.id, target })).toEqual([409, "session-full"]);
    expect((await put(realm, "somebody", strangers)).status).toBe(404);
    expect((await call("/v1/realms/no%20name", { headers: KEY })).status).toBe(400);
  });

  it("[R3] an endpoint that does not come back is out of its call after the resume window", async () => {
    const realm = new LiveRealm();
    const session = await LiveSession.start("awake");
    const desk = await session.join();
    await put(realm, desk.id, session.id);
    const phone = await realm.connect();
    await phone.say("connect", { offer: OFFER, ...DESK });
    const { from, exchange } = await desk.next("offer");
    phone.close();
    await realm.has(0);
    await expect
      .poll(async () => (await session.read<{ peers: { state: string }[] }>("/peers")).peers)
      .toContainEqual(expect.objectContaining({ id: from, state: "away" }));
    await desk.send({ type: "answer", to: from, exchange, sdp: whole(ANSWER) });
    const again = await realm.connect(phone.source);
    await again.send(again.frame("register", {}, 10));
    await again.answer(10);
    expect(await again.next("accept")).toMatchObject({ source: desk.id, answer: whole(ANSWER) });
  });
});

describe("a realm that was restarted", () => {
  it("[S4] has lost its sockets without a word: sessions ask it for who is still there", async () => {
    const realm = new LiveRealm();
    const session = await LiveSession.start("evicted");
    const desk = await session.join();
    await put(realm, desk.id, session.id);
    const phone = await realm.connect();
    await phone.say("connect", { offer: OFFER, ...DESK });
    const { from } = await desk.next("offer");
    const askAgain = async () => {
      await session.rewrite((json) =>
        json.replace(/("id":"(\w+)".*?"tokenExpiresAt":)\d+/g, (all, head: string, id: string) =>
          id === from ? `${head}1` : all,
        ),
      );
      await session.pause();
      await session.alarm();
      return (await session.read<{ peers: { id: string }[] }>("/peers")).peers.map(({ id }) => id);
    };
    expect(await askAgain()).toContain(from);
    const fault = new Error("restarted");
    await runInDurableObject(realm.stub, (_object, state) => state.abort(String(fault))).catch(
      () => undefined,
    );
    expect(await askAgain()).toEqual([desk.id]);
    expect(await desk.next("peer-left")).toMatchObject({ peer: from, reason: "expired" });
  });
});

describe("Service Access Information", () => {
  const PATH = "/3gpp-maf-session-handling/v1/service-access-information/service-7";

  it("[A3] names the servers to all, and credentials to whoever has a key or an endpoint's token", async () => {
    const open = await (await call(PATH)).json();
    const turn = { domainName: "127.0.0.1", portNumbers: [3478], portNumber: 3478 };
    expect(open).toEqual({
      provisioningSessionId: "service-7",
      provisioningSessionType: "RTC",
      locationReporting: false,
      rtcClientConfiguration: {
        swapEndpoints: [{ domainName: "duplex.test", portNumbers: [443], portNumber: 443 }],
        stunEndpoints: [expect.objectContaining({ portNumber: 3478 })],
        turnEndpoints: [turn],
      },
    });
    const turnOf = async (authorization: string) => {
      const response = await call(PATH, { headers: { authorization } });
      const { rtcClientConfiguration } = (await response.json()) as {
        rtcClientConfiguration: { turnEndpoints: { credentials?: { username: string } }[] };
      };
      return rtcClientConfiguration.turnEndpoints[0]?.credentials?.username;
    };
    expect(await turnOf(KEY.authorization)).toMatch(/^\d+:app$/);
    const made = await callJson("/v1/realms/home/endpoints", "POST", { source: "phone-of-alice" });
    const { token } = (await made.json()) as { token: string };
    expect(await turnOf(`Bearer ${token}`)).toMatch(/^\d+:phone-of-alice$/);
    const session = await LiveSession.start("awake");
    const { token: peers } = await session.invite();
    expect(await turnOf(`Bearer ${peers}`)).toBeUndefined();
    expect((await call(PATH, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
    const fresh = await callJson(
      "/v1/turn/credentials",
      "POST",
      {},
      {
        authorization: `Bearer ${token}`,
      },
    );
    expect(fresh.status).toBe(200);
  });
});
