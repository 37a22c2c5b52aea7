import { abortAllDurableObjects, reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { FROM_PEER, type FromPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import { sdpOf } from "./descriptions.ts";
import { call, callJson, KEY, LivePeer, LiveSession, MODES } from "./live-session.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

afterEach(async () => {
  await reset();
});

/** Who may what (A2). A message or a route without a row fails: somebody has to decide. */

type MessageType = FromPeer["type"];

interface MessageRow {
  /** Sent to `bob`, with whom the sender has an exchange in force. */
  readonly message: (flow: string) => object;
  /** Who has offered anew since: what only an open offer makes sense for is then accepted. */
  readonly offers?: "sender" | "bob";
  readonly peer: string;
  readonly "media-server": string;
  readonly observer: string;
}

const everyone = (what: string) => ({ peer: what, "media-server": what, observer: what });
const notObservers = (what: string) => ({ ...everyone(what), observer: "not-permitted" });

const MESSAGES: Readonly<Record<MessageType, MessageRow>> = {
  offer: {
    message: () => ({ to: "bob", sdp: sdpOf({ version: 2 }) }),
    ...notObservers("accepted"),
  },
  answer: {
    offers: "bob",
    message: () => ({
      to: "bob",
      exchange: 2,
      sdp: sdpOf({ setup: "passive", of: "alice", version: 2 }),
    }),
    ...notObservers("accepted"),
  },
  candidates: {
    message: () => ({ to: "bob", exchange: 1, candidates: [], complete: true }),
    ...notObservers("accepted"),
  },
  reject: {
    offers: "bob",
    message: () => ({ to: "bob", exchange: 2 }),
    ...notObservers("accepted"),
  },
  rollback: {
    offers: "sender",
    message: () => ({ to: "bob", exchange: 2 }),
    ...notObservers("accepted"),
  },
  transport: { message: () => ({ to: "bob", state: "connected" }), ...notObservers("accepted") },
  quality: { message: () => ({ to: "bob", flows: [] }), ...notObservers("accepted") },
  flow: { message: (flow) => ({ flow, held: true }), ...notObservers("accepted") },
  applied: { message: (flow) => ({ flow, revision: 1 }), ...notObservers("accepted") },
  sources: { message: (flow) => ({ flow, sourceFlows: [] }), ...notObservers("accepted") },
  "context-result": {
    message: () => ({ context: "x", revision: 1, outcome: "granted" }),
    peer: "not-permitted",
    "media-server": "context-not-found",
    observer: "not-permitted",
  },
  drain: {
    message: () => ({}),
    peer: "not-permitted",
    "media-server": "accepted",
    observer: "not-permitted",
  },
  message: { message: () => ({ to: "bob", body: 1 }), ...notObservers("accepted") },
  "ice-servers": { message: () => ({}), ...notObservers("accepted") },
  // In local development the shell takes it, for whoever has a socket to lose.
  simulate: { message: () => ({ fault: "drop" }), ...everyone("not-permitted") },
  alive: { message: () => ({ n: 1 }), ...everyone("accepted") },
  state: { message: () => ({ id: 1 }), ...everyone("accepted") },
  leave: { message: () => ({}), ...everyone("accepted") },
};

/** A sender of this role that has sent an offer to `bob` and got its answer, as far as its role lets it. */
function inCall(
  role: "peer" | "media-server" | "observer",
  offers?: MessageRow["offers"],
): {
  session: PureSession;
  flow: string;
} {
  const session = new PureSession();
  accepted(session.join("sender", role));
  accepted(session.join("bob"));
  session.send("sender", { type: "offer", to: "bob", sdp: sdpOf() });
  session.send("bob", {
    type: "answer",
    to: "sender",
    exchange: 1,
    sdp: sdpOf({ setup: "active" }),
  });
  const again = sdpOf({ version: 2, of: offers === "bob" ? "bob" : "alice" });
  if (offers === "bob") session.send("bob", { type: "offer", to: "sender", sdp: again });
  if (offers === "sender") session.send("sender", { type: "offer", to: "bob", sdp: again });
  const flows = [...session.session.links.values()].flatMap(({ flows: { flows } }) => flows);
  return { session, flow: flows.find(({ from }) => from === "sender")?.id ?? "none" };
}

describe("rights in the session", () => {
  it("[A2] every message has its rights written down", () => {
    expect(Object.keys(MESSAGES).sort()).toEqual(Object.keys(FROM_PEER).sort());
  });

  const cases = Object.entries(MESSAGES).flatMap(([type, row]) =>
    (["peer", "media-server", "observer"] as const).map(
      (role) => [role, type, row[role], row] as const,
    ),
  );
  it.each(cases)("[A2] of a %s, `%s` is %s", (role, type, wanted, { message, offers }) => {
    const { session, flow } = inCall(role, offers);
    const before = session.session;
    session.take("bob");
    const sent = { type, ...message(flow) } as FromPeer;
    expect(FROM_PEER[sent.type].safeParse(sent).success).toBe(true);
    const result = session.send("sender", sent);
    expect(outcome(result)).toBe(wanted);
    if (!isProblem(result)) return;
    expect(session.session).toBe(before);
    expect(session.take("bob")).toEqual([]);
  });
});

type Asker = "nobody" | "key" | "peer" | "media-server" | "observer" | "foreign" | "kicked";

type Row = Readonly<Record<Asker, number>> & { readonly body?: unknown };

/** For everybody but those named; who is nobody here is refused in one way. */
const row = (others: number, special: Partial<Row> = {}): Row => ({
  nobody: 401,
  key: others,
  peer: others,
  "media-server": others,
  observer: others,
  foreign: 401,
  kicked: 401,
  ...special,
});
/** Only the application: a token is refused as a token, whoever has it. */
const keyOnly = (status: number, body?: unknown): Row =>
  row(403, { key: status, foreign: 403, kicked: 403, ...(body === undefined ? {} : { body }) });
const open = (status: number): Row =>
  row(status, { nobody: status, foreign: status, kicked: status });

const NO_SESSION = "0".repeat(26);

const ROUTES: Readonly<Record<string, Row>> = {
  "post /v1/sessions": keyOnly(201, {}),
  "get /v1/sessions": keyOnly(200),
  "get /v1/metrics": keyOnly(200),
  "get /v1/sessions/{id}": row(200),
  "post /v1/sessions/{id}/peers": keyOnly(201, {}),
  "get /v1/sessions/{id}/peers": row(200),
  "delete /v1/sessions/{id}/peers/{peerId}": keyOnly(204),
  "post /v1/sessions/{id}/peers/{peerId}/token": keyOnly(201, {}),
  "get /v1/sessions/{id}/peers/{peerId}/qoe": row(200, { "media-server": 403 }),
  "get /v1/sessions/{id}/peers/{peerId}/consumption": row(200, { "media-server": 403 }),
  "get /v1/sessions/{id}/contexts": row(200, { peer: 403 }),
  "get /v1/sessions/{id}/flows": row(200),
  "get /v1/sessions/{id}/flows/{flowId}": row(200, { "media-server": 404 }),
  "patch /v1/sessions/{id}/flows/{flowId}": row(200, {
    "media-server": 404,
    observer: 403,
    body: { priority: "high" },
  }),
  "get /v1/sessions/{id}/findings": row(403, { key: 200, observer: 200 }),
  "get /v1/sessions/{id}/timeline": row(403, { key: 200, observer: 200 }),
  "get /v1/sessions/{id}/descriptions": row(403, { key: 200, observer: 200 }),
  "get /v1/sessions/{id}/webhooks": keyOnly(200),
  "get /v1/sessions/{id}/assistance": keyOnly(200),
  "post /v1/sessions/{id}/peers/{peerId}/boost": row(403, { key: 200, peer: 200 }),
  // Its address is what opens it: no key, and no token of ours.
  "post /v1/assistance/notifications/{address}": open(401),
  "get /v1/webhooks/dead-letters": keyOnly(200),
  "post /v1/webhooks/dead-letters/{letterId}/redeliver": keyOnly(404),
  "delete /v1/webhooks/dead-letters/{letterId}": keyOnly(204),
  "post /v1/turn/credentials": row(200, { foreign: 200, observer: 403, body: {} }),
  // Not in local development: refused for all who may ask.
  "post /v1/sessions/{id}/peers/{peerId}/simulate": row(403, {
    kicked: 403,
    body: { fault: "drop" },
  }),
  "delete /v1/sessions/{id}": keyOnly(204),
  // A key or token that is wrong is refused here too; a good one of any session will do.
  "post /v1/sdp/check": row(200, {
    nobody: 200,
    foreign: 200,
    kicked: 200,
    body: { offer: "v=0" },
  }),
  "get /v1/sessions/{id}/signalling": row(101, { key: 401 }),
  // The token of a peer that has a socket publishes by that; a description that is none ends the others early.
  "post /v1/sessions/{id}/whip": row(403, { peer: 409, body: "v=0" }),
  "post /v1/sessions/{id}/whep": row(403, { peer: 422, body: "v=0" }),
  // There is nothing to be learnt; a wrong token is refused all the same.
  "get /v1/sessions/{id}/whip": row(204, { nobody: 204, key: 403, kicked: 204 }),
  "get /v1/sessions/{id}/whep": row(200, { nobody: 200, key: 403, kicked: 200 }),
  // The URL is what it takes.
  ...Object.fromEntries(
    ["whip", "whep"].flatMap((door) =>
      ["get", "patch", "delete"].map((method) => [
        `${method} /v1/sessions/{id}/${door}/{resource}`,
        row(404, { nobody: 404, key: 403, kicked: 404 }),
      ]),
    ),
  ),
  "get /v1/realms/{realm}": keyOnly(200),
  "post /v1/realms/{realm}/endpoints": keyOnly(201, {}),
  "post /v1/realms/{realm}/calls": keyOnly(404, { session: NO_SESSION, target: "nobody-there" }),
  "put /v1/realms/{realm}/peers/{peerId}": keyOnly(404, {
    session: NO_SESSION,
    criteria: [{ type: "user", value: "desk" }],
  }),
  "delete /v1/realms/{realm}/peers/{peerId}": keyOnly(204),
  // The token of a peer is none of an endpoint.
  "get /3gpp-swap/v1": row(401, { key: 101 }),
  "get /{realm}/3gpp-swap/v1": row(401, { key: 101 }),
  "get /3gpp-maf-session-handling/v1/service-access-information/{externalServiceId}": row(200, {
    nobody: 200,
    foreign: 200,
    kicked: 200,
  }),
  "get /healthz": open(200),
  "get /openapi.json": open(200),
  "get /asyncapi.json": open(200),
  "get /docs": open(200),
};

/** Doors of WebSockets, by the end of their address. */
const SUBPROTOCOLS = [
  ["/signalling", "duplex.v1"],
  ["/3gpp-swap/v1", "3gpp.SWAP.v1"],
] as const;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A call of two with somebody of every kind around it. */
class Scene {
  readonly session: LiveSession;
  readonly alice: LivePeer;
  readonly flow: string;
  readonly #headers: Readonly<Record<Asker, Record<string, string>>>;

  constructor(session: LiveSession, alice: LivePeer, flow: string, tokens: Record<string, string>) {
    this.session = session;
    this.alice = alice;
    this.flow = flow;
    this.#headers = {
      nobody: {},
      key: KEY,
      peer: bearer(alice.token),
      "media-server": bearer(tokens.server!),
      observer: bearer(tokens.observer!),
      foreign: bearer(tokens.foreign!),
      kicked: bearer(tokens.kicked!),
    };
  }

  static async start(): Promise<Scene> {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    const bob = await session.join();
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    const [flow] = (await session.read<{ flows: { id: string }[] }>("/flows")).flows;
    const invited = async (request: object) => (await session.invite(request)).token;
    const kicked = await session.invite();
    await callJson(`${session.path}/peers/${kicked.peer.id}`, "DELETE");
    return new Scene(session, alice, flow!.id, {
      server: await invited({ role: "media-server" }),
      observer: await invited({ role: "observer" }),
      foreign: (await (await LiveSession.start("awake")).invite()).token,
      kicked: kicked.token,
    });
  }

  /** One call of a route by one asker. */
  async ask(route: string, asker: Asker, body?: unknown): Promise<Response> {
    const [method = "", template = ""] = route.split(" ");
    const path = template
      .replace("{id}", this.session.id)
      .replace("{peerId}", this.alice.id)
      .replace("{realm}", "home")
      .replace("{externalServiceId}", "service-7")
      .replace("{resource}", NO_SESSION)
      .replace("{flowId}", encodeURIComponent(this.flow));
    const headers = this.#headers[asker];
    if (typeof body === "string") {
      const sdp = { ...headers, "content-type": "application/sdp" };
      return call(path, { method: method.toUpperCase(), headers: sdp, body });
    }
    const subprotocol = SUBPROTOCOLS.find(([end]) => template.endsWith(end))?.[1];
    if (subprotocol === undefined) return callJson(path, method.toUpperCase(), body, headers);
    const response = await call(path, {
      headers: { ...headers, upgrade: "websocket", "sec-websocket-protocol": subprotocol },
    });
    response.webSocket?.accept();
    response.webSocket?.close();
    return response;
  }
}

describe("rights over HTTP", () => {
  it("[A2] every route has its rights written down", async () => {
    const { paths } = (await (await call("/openapi.json")).json()) as {
      paths: Record<string, object>;
    };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(Object.keys(ROUTES).sort()).toEqual(routes.sort());
  });

  const asked = Object.entries(ROUTES).map(([route, wanted]) => [route, wanted] as const);
  it.each(asked)("[A2] %s answers everyone as it should", async (route, { body, ...wanted }) => {
    // Who ends the session or kicks asks last: the key is the last of them.
    const askers: Asker[] = [
      "nobody",
      "foreign",
      "kicked",
      "observer",
      "media-server",
      "peer",
      "key",
    ];
    const scene = await Scene.start();
    const answered: Partial<Record<Asker, number>> = {};
    for (const asker of askers) answered[asker] = (await scene.ask(route, asker, body)).status;
    expect(answered).toEqual(wanted);
  });

  it("[A1] who is refused is refused in one shape, byte for byte, on every door", async () => {
    const scene = await Scene.start();
    for (const [route, { body, ...wanted }] of asked) {
      const shapes = new Set<string>();
      for (const asker of ["nobody", "foreign", "kicked"] as const) {
        if (wanted[asker] !== 401) continue;
        const response = await scene.ask(route, asker, body);
        shapes.add(JSON.stringify([[...response.headers], await response.text()]));
      }
      expect([route, shapes.size]).toEqual([route, Math.min(shapes.size, 1)]);
    }
  });

  it("[A2] a peer reads only its own flows, and finds no other", async () => {
    const scene = await Scene.start();
    const carol = await scene.session.join();
    for (const path of ["/flows", `/flows?peer=${scene.alice.id}`, "/flows?state=proposed"]) {
      const read = await call(`${scene.session.path}${path}`, { headers: bearer(carol.token) });
      expect(await read.json()).toMatchObject({ flows: [], transports: [] });
    }
    const path = `${scene.session.path}/flows/${encodeURIComponent(scene.flow)}`;
    const known = await call(path, { headers: bearer(carol.token) });
    const unknown = await call(`${path}x`, { headers: bearer(carol.token) });
    expect([known.status, await known.text()]).toEqual([404, await unknown.text()]);
    const change = await callJson(path, "PATCH", { held: true }, bearer(carol.token));
    expect(await change.json()).toMatchObject({ code: "flow-not-found" });
  });
});

describe("observers", () => {
  it("[A3] get no TURN credentials: not at the invitation, not in the welcome, not later", async () => {
    const session = await LiveSession.start("awake");
    const invitation = await session.invite({ role: "observer" });
    expect(invitation).toMatchObject({ iceServers: [] });
    const response = await session.upgrade(invitation.token);
    const socket = response.webSocket!;
    const welcome = new Promise<string>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
    );
    socket.accept();
    expect(JSON.parse(await welcome)).toMatchObject({ type: "welcome", iceServers: [] });
    socket.close();
    const observer = await session.connect(invitation);
    const asked = await observer.request({ type: "ice-servers", id: 1 } as never);
    expect(asked).toMatchObject({ type: "problem", code: "not-permitted" });
    const headers = bearer(invitation.token);
    const refused = await callJson("/v1/turn/credentials", "POST", {}, headers);
    expect(await refused.json()).toMatchObject({ code: "not-permitted" });
  });
});

describe.each(MODES)("a newer token, %s", (mode) => {
  const asked = {
    name: "Ada",
    publish: ["audio"],
    subscribe: ["audio", "video"],
    maxUplinkBps: 500_000,
    metadata: { seat: 7 },
    ttlSeconds: 60,
  };
  const renewed = (session: LiveSession, peer: string, body?: object) =>
    callJson(`${session.path}/peers/${peer}/token`, "POST", body);

  it("[A1] lets its peer stay longer with the rights that it has, and nobody sees it leave", async () => {
    const session = await LiveSession.start(mode);
    const bob = await session.join();
    const alice = await session.join(asked);
    const response = await renewed(session, alice.id, { ttlSeconds: 7200 });
    expect(response.status).toBe(201);
    const invitation = (await response.json()) as typeof alice.invitation;
    // Names of TURN tell the second until which they are good.
    const { token: _token, expiresAt: _expiresAt, iceServers, ...grant } = alice.invitation;
    expect(invitation).toMatchObject(grant);
    expect(invitation.iceServers).toHaveLength(iceServers.length);
    expect(invitation.expiresAt).toBeGreaterThan(alice.invitation.expiresAt + 7_000_000);
    const { webSocket } = await session.upgrade(invitation.token);
    const again = new LivePeer(session, invitation, webSocket!);
    expect(await again.next("welcome")).toMatchObject({
      type: "welcome",
      resumed: true,
      tokenExpiresAt: invitation.expiresAt,
      peer: { id: alice.id, name: "Ada", publish: ["audio"], metadata: { seat: 7 } },
    });
    expect((await alice.closing()).code).toBe(4001);
    // An hour when nothing else is asked for.
    const usual = (await (await renewed(session, bob.id)).json()) as typeof alice.invitation;
    expect(usual.expiresAt).toBeLessThanOrEqual(Date.now() + 3_600_000);
    await again.request({ type: "message", id: 1, to: bob.id, body: "here" } as never);
    await bob.settled();
    expect(bob.inbox.map(({ type }) => type)).toEqual(["peer-joined", "message"]);
  });

  it("[A1] dies with its peer, and there is none for who has not come, is gone or came by HTTP", async () => {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    const invited = await session.invite();
    const newer = (await (await renewed(session, alice.id)).json()) as { token: string };
    expect((await callJson(`${session.path}/peers/${alice.id}`, "DELETE")).status).toBe(204);
    expect((await session.upgrade(newer.token)).status).toBe(401);
    for (const peer of [alice.id, invited.peer.id, "nobody"]) {
      const refused = await renewed(session, peer);
      expect(refused.status).toBe(404);
      expect(await refused.json()).toMatchObject({ code: "unknown-peer" });
    }
    const nowhere = await callJson(`/v1/sessions/${NO_SESSION}/peers/${alice.id}/token`, "POST");
    expect(await nowhere.json()).toMatchObject({ code: "session-not-found" });
    const wrong = await renewed(session, alice.id, { ttlSeconds: 3600, role: "observer" });
    expect(await wrong.json()).toMatchObject({ code: "invalid-request" });
  });
});

describe.each(MODES)("a kicked peer, %s", (mode) => {
  it("[A1] is refused on every door at once, and after its session was restarted", async () => {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    const bob = await session.join();
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    const [flow] = (await session.read<{ flows: { id: string }[] }>("/flows")).flows;
    const flowPath = `${session.path}/flows/${encodeURIComponent(flow!.id)}`;
    const headers = bearer(alice.token);
    const doors: Readonly<Record<string, () => Promise<Response>>> = {
      socket: () => session.upgrade(alice.token),
      session: () => call(session.path, { headers }),
      peers: () => call(`${session.path}/peers`, { headers }),
      flows: () => call(`${session.path}/flows`, { headers }),
      flow: () => call(flowPath, { headers }),
      change: () => callJson(flowPath, "PATCH", { held: true }, headers),
      turn: () => callJson("/v1/turn/credentials", "POST", {}, headers),
    };
    expect((await callJson(`${session.path}/peers/${alice.id}`, "DELETE")).status).toBe(204);
    expect((await alice.closing()).code).toBe(4002);
    // On its way when the kick came, or sent all the same: nobody listens.
    await alice.send({ type: "message", to: bob.id, body: "still here" }).catch(() => undefined);
    for (const restarted of [false, true]) {
      if (restarted) await abortAllDurableObjects();
      for (const [name, door] of Object.entries(doors)) {
        const response = await door();
        expect([name, response.status]).toEqual([name, 401]);
        expect(await response.json()).toMatchObject({ code: "unauthorized" });
      }
    }
    expect(bob.inbox.filter(({ type }) => type === "message")).toEqual([]);
  });
});
