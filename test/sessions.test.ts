import { reset } from "cloudflare:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { SignJWT } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { PROBLEMS } from "../protocol/problem.ts";
import { call, callJson, KEY, LiveSession } from "./live-session.ts";

afterEach(async () => {
  await reset();
});

interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, Responses> }>>;
  components: { schemas: Record<string, object> };
}
interface Responses {
  content?: Record<string, { schema: object }>;
}

const bytes = new TextEncoder();

async function tokenWith(
  claims: Record<string, unknown>,
  { secret = "test-secret-of-at-least-32-characters", kid = "", alg = "HS256" } = {},
): Promise<string> {
  const hash = new Uint8Array(
    await crypto.subtle.digest("SHA-256", bytes.encode(`duplex kid ${secret}`)),
  );
  const own = Array.from(hash.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
  return new SignJWT(claims)
    .setProtectedHeader({ alg, kid: kid || own })
    .setIssuer("duplex")
    .sign(bytes.encode(secret));
}

const claimsOf = (session: string, more: object = {}) => ({
  session,
  sub: "mallory",
  role: "peer",
  publish: ["audio"],
  subscribe: ["audio"],
  exp: Math.floor(Date.now() / 1000) + 60,
  ...more,
});

describe("sessions", () => {
  it("[S1] ids have at least 128 bits and Location names the session", async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const response = await callJson("/v1/sessions", "POST", {});
      const { id } = (await response.json()) as { id: string };
      expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
      expect(response.headers.get("location")).toBe(`/v1/sessions/${id}`);
      seen.add(id);
    }
    expect(seen.size).toBe(50);
  });

  it("[M1] a session is created with an empty body and read back", async () => {
    const created = await callJson("/v1/sessions", "POST");
    expect(created.status).toBe(201);
    const session = (await created.json()) as { id: string };
    expect(session).toMatchObject({
      topology: "mesh",
      maxPeers: 16,
      sdpPolicy: "enforce",
      emptyTtlSeconds: 300,
      resumeSeconds: 60,
      peers: [],
      links: [],
      flows: {},
    });
    expect(await (await call(`/v1/sessions/${session.id}`, { headers: KEY })).json()).toEqual(
      session,
    );
  });

  it.each([
    [{ maxPeers: 1 }, "maxPeers"],
    [{ topology: "star" }, "topology"],
    [{ unknown: 1 }, ""],
    [{ metadata: { big: "x".repeat(5000) } }, "metadata"],
    [{ resumeSeconds: 5 }, "resumeSeconds"],
    [{ invite: [{ role: "guest" }] }, "invite.0.role"],
    [{ invite: Array(33).fill({}) }, "invite"],
  ])("[M1] %j is refused and the field is named", async (body, field) => {
    const response = await callJson("/v1/sessions", "POST", body);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await response.json()) as { code: string; errors: { field: string }[] };
    expect(problem.code).toBe("invalid-request");
    expect(problem.errors[0]?.field).toBe(field);
  });

  it("[M1] peers are invited as the session starts, each as by a request of its own", async () => {
    const invite = [{ name: "Alice", ttlSeconds: 60 }, { role: "media-server" }];
    const created = await callJson("/v1/sessions", "POST", { topology: "central", invite });
    expect(created.status).toBe(201);
    const { id, invited, ...rest } = (await created.json()) as {
      id: string;
      invited: Awaited<ReturnType<LiveSession["invite"]>>[];
    };
    expect(rest).toMatchObject({ topology: "central", peers: [] });
    const session = new LiveSession(id, "awake");
    expect(await session.read()).toEqual({ id, ...rest });
    const alone = await session.invite({ name: "Alice", ttlSeconds: 60 });
    expect(Object.keys(invited[0] ?? {})).toEqual(Object.keys(alone));
    expect(invited.map(({ peer }) => peer)).toMatchObject([
      { name: "Alice", role: "peer" },
      { role: "media-server" },
    ]);
    expect(invited[0]?.expiresAt).toBeLessThanOrEqual(Date.now() + 60_000);
    for (const invitation of invited) await session.connect(invitation);
    expect((await session.read<{ peers: unknown[] }>("/peers")).peers).toHaveLength(2);
    const nobody = await callJson("/v1/sessions", "POST", { invite: [] });
    expect(await nobody.json()).toMatchObject({ invited: [] });
  });

  it("[M1] a content type without a body is no body", async () => {
    const headers = { ...KEY, "content-type": "application/json" };
    const created = await call("/v1/sessions", { method: "POST", headers });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: string };
    for (const body of [undefined, ""]) {
      const init = { method: "POST", headers, ...(body === undefined ? {} : { body }) };
      expect((await call(`/v1/sessions/${id}/peers`, init)).status).toBe(201);
      expect((await call("/v1/turn/credentials", init)).status).toBe(200);
    }
  });

  it("[M1] a body that is not JSON is a problem, not a fault", async () => {
    const response = await call("/v1/sessions", {
      method: "POST",
      headers: { ...KEY, "content-type": "application/json" },
      body: "{nope",
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid-request" });
  });

  it("[M1] a jurisdiction that cannot be had here is a named problem", async () => {
    const response = await callJson("/v1/sessions", "POST", { jurisdiction: "eu" });
    expect(await response.json()).toMatchObject({ code: "jurisdiction-unavailable" });
  });

  it("[M1] unknown paths and ids are problems", async () => {
    for (const [path, code] of [
      ["/v1/nothing", "not-found"],
      ["/v1/sessions/short", "session-not-found"],
      ["/v1/sessions/short/peers", "session-not-found"],
      [`/v1/sessions/${"z".repeat(26)}/flows`, "session-not-found"],
    ]) {
      const response = await call(path!, { headers: KEY });
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(await response.json()).toMatchObject({ code });
    }
  });

  it("[M1] a peer is granted what it was asked for", async () => {
    const session = await LiveSession.start("awake");
    const response = await callJson(`${session.path}/peers`, "POST", {
      name: "Ann",
      publish: ["audio"],
      subscribe: [],
      metadata: { k: 1 },
    });
    expect(await response.json()).toMatchObject({
      peer: { role: "peer", name: "Ann", publish: ["audio"], subscribe: [], metadata: { k: 1 } },
      signalling: {
        url: `wss://duplex.test${session.path}/signalling`,
        protocol: "duplex.v1",
      },
      iceServers: [
        { urls: [expect.stringMatching(/^stun:/)] },
        { username: expect.stringMatching(/^\d+:[0-9a-z]{16}$/) },
      ],
    });
  });
});

describe("security", () => {
  it("[A1] wrong, expired, foreign, unsigned and missing tokens are refused in the same shape", async () => {
    const session = await LiveSession.start("awake");
    const other = await LiveSession.start("awake");
    const tokens = {
      rubbish: "rubbish",
      expired: await tokenWith(claimsOf(session.id, { exp: 1 })),
      foreign: await tokenWith(claimsOf(other.id)),
      otherSecret: await tokenWith(claimsOf(session.id), { secret: "x".repeat(32) }),
      otherSecretSameKid: await tokenWith(claimsOf(session.id), {
        secret: "x".repeat(32),
        kid: "000000000000",
      }),
      noRole: await tokenWith(claimsOf(session.id, { role: "king" })),
      noneAlgorithm: `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify(claimsOf(session.id)))}.`,
      apiKey: "test-key",
    };
    const shapes = new Set<string>();
    for (const token of Object.values(tokens)) {
      const refused = await session.upgrade(token.replaceAll("=", ""));
      expect(refused.status).toBe(401);
      shapes.add(await refused.text());
    }
    const missing = await call(`${session.path}/signalling`, {
      headers: { upgrade: "websocket", "sec-websocket-protocol": "duplex.v1" },
    });
    expect(missing.status).toBe(401);
    shapes.add(await missing.text());
    expect(shapes.size).toBe(1);
    expect(JSON.parse([...shapes][0]!)).toMatchObject({ code: "unauthorized" });
  });

  it("[A1] a good token opens the door by subprotocol and by header", async () => {
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    expect((await session.upgrade(token)).status).toBe(101);
    const byHeader = await call(`${session.path}/signalling`, {
      headers: {
        upgrade: "websocket",
        "sec-websocket-protocol": "duplex.v1",
        authorization: `Bearer ${token}`,
      },
    });
    expect(byHeader.status).toBe(101);
  });

  it("[A1] a token in the URL is refused even beside a good one", async () => {
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    for (const name of ["token", "access_token", "api-key", "Authorization", "x"]) {
      const response = await call(`${session.path}/signalling?${name}=${token}`, {
        headers: { upgrade: "websocket", "sec-websocket-protocol": `duplex.v1, bearer.${token}` },
      });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: "token-in-url" });
    }
    const harmless = await call(`${session.path}/signalling?author=ann&v=1.2`, {
      headers: { upgrade: "websocket", "sec-websocket-protocol": `duplex.v1, bearer.${token}` },
    });
    expect(harmless.status).toBe(101);
  });

  it("[A1] without an upgrade or our subprotocol the door stays shut", async () => {
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    const authorization = `Bearer ${token}`;
    const plain = await call(`${session.path}/signalling`, { headers: { authorization } });
    expect(plain.status).toBe(426);
    expect(await plain.json()).toMatchObject({ code: "upgrade-required" });
    const unnamed = await call(`${session.path}/signalling`, {
      headers: { authorization, upgrade: "websocket" },
    });
    expect(await unnamed.json()).toMatchObject({ code: "unsupported-subprotocol" });
  });

  it("[A1] every API key is valid; no or a wrong one is refused; a peer token is no key", async () => {
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    const as = (authorization?: string) =>
      callJson("/v1/sessions", "POST", {}, authorization ? { authorization } : {});
    expect((await as("Bearer second-key")).status).toBe(201);
    expect((await as()).status).toBe(401);
    expect((await as("Bearer wrong")).status).toBe(401);
    expect((await as("Basic test-key")).status).toBe(401);
    expect((await as(`Bearer ${token}`)).status).toBe(403);
    for (const [method, path] of [
      ["DELETE", session.path],
      ["POST", `${session.path}/peers`],
      ["DELETE", `${session.path}/peers/x`],
    ] as const) {
      const refused = await callJson(path, method, undefined, { authorization: `Bearer ${token}` });
      expect(refused.status).toBe(403);
    }
  });

  it("[S2] who speaks is in the token: what a message says of its sender is ignored", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    const bob = await session.join();
    await alice.send({
      type: "message",
      to: bob.id,
      from: "king",
      peer: "king",
      role: "king",
      body: 1,
    });
    expect(await bob.next("message")).toEqual({ type: "message", from: alice.id, body: 1 });
  });

  it("[D1] a broken description is refused with its finding, or forwarded and recorded", async () => {
    const { sdpOf } = await import("./descriptions.ts");
    const broken = sdpOf().replace("v=0", "v=1");
    for (const sdpPolicy of ["enforce", "report"]) {
      const session = await LiveSession.start("awake", { sdpPolicy });
      const alice = await session.join();
      const bob = await session.join();
      const offer = { type: "offer", id: 1, to: bob.id, sdp: broken };
      const reply = await alice.request(offer as never);
      const { findings } = await session.read<{ findings: object[] }>("/findings");
      if (sdpPolicy === "enforce") {
        expect(reply).toMatchObject({
          code: "sdp-invalid",
          finding: { rule: "version-invalid", level: "error", description: "offer", line: 1 },
        });
        expect(await bob.all("offer")).toEqual([]);
        expect(findings[0]).toMatchObject({
          link: [alice.id, bob.id].sort().join("~"),
          rule: "version-invalid",
          line: 1,
          from: alice.id,
          refused: true,
        });
      } else {
        expect((await bob.next("offer")).sdp).toBe(broken);
        expect(reply).toMatchObject({ findings: [{ rule: "version-invalid", level: "error" }] });
        expect(findings[0]).toMatchObject({ rule: "version-invalid", exchange: 1 });
        expect(findings[0]).not.toHaveProperty("refused");
        const answer = {
          type: "answer",
          id: 1,
          to: alice.id,
          exchange: 1,
          sdp: sdpOf({ setup: "active" }),
        };
        expect((await bob.request(answer as never)).type).toBe("ack");
      }
    }
  });

  it("[A1] who has no key or token learns nothing, not even that a body is wrong", async () => {
    const session = await LiveSession.start("awake");
    for (const [method, path, body] of [
      ["POST", "/v1/sessions", { maxPeers: 0 }],
      ["POST", `${session.path}/peers`, { role: "king" }],
      ["PATCH", `${session.path}/flows/x`, { held: "yes" }],
      ["GET", `/v1/sessions/${"z".repeat(26)}`, undefined],
      ["GET", "/v1/nothing", undefined],
    ] as const) {
      const refused = await callJson(path, method, body, {});
      expect(refused.status).toBe(401);
      expect(await refused.json()).toMatchObject({ code: "unauthorized" });
    }
  });

  it("[A2] a peer may publish only the kinds it was granted", async () => {
    const { sdpOf } = await import("./descriptions.ts");
    const session = await LiveSession.start("awake");
    const alice = await session.join({ publish: ["audio"], subscribe: ["audio", "video"] });
    const bob = await session.join();
    const video = (direction: "sendrecv" | "recvonly") =>
      sdpOf({ sections: [{ kind: "audio" }, { kind: "video", direction }] });
    const refused = await alice.request({
      type: "offer",
      id: 1,
      to: bob.id,
      sdp: video("sendrecv"),
    } as never);
    expect(refused).toMatchObject({
      code: "not-permitted",
      kind: "video",
      act: "publish",
      mid: "1",
    });
    const fine = await alice.request({
      type: "offer",
      id: 2,
      to: bob.id,
      sdp: video("recvonly"),
    } as never);
    expect(fine.type).toBe("ack");
    const data = sdpOf({ sections: [{ kind: "application" }] });
    const channel = await alice.request({ type: "offer", id: 3, to: bob.id, sdp: data } as never);
    expect(channel).toMatchObject({ code: "not-permitted", kind: "data" });
  });
});

describe("what the server says of itself", () => {
  it("[M1] /openapi.json describes what the server answers", async () => {
    const api = (await (await call("/openapi.json")).json()) as OpenApi;
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: "api", components: api.components });
    const check = async (method: string, path: string, response: Response) => {
      const documented = api.paths[path]?.[method]?.responses[String(response.status)];
      expect(documented, `${method} ${path} ${response.status}`).toBeDefined();
      const [type] = (response.headers.get("content-type") ?? "").split(";");
      const schema = documented?.content?.[type ?? ""]?.schema;
      if (!schema) return expect(await response.text()).toBe("");
      const text = JSON.stringify(schema).replaceAll("#/components", "api#/components");
      const validate = ajv.compile(JSON.parse(text));
      const body = await response.json();
      expect(validate(body), JSON.stringify(validate.errors)).toBe(true);
    };
    const session = await LiveSession.start("awake", { metadata: { a: 1 }, listed: true });
    const alice = await session.join({ name: "Alice" });
    const bob = await session.join();
    const { sdpOf } = await import("./descriptions.ts");
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    await bob.request({
      type: "answer",
      id: 1,
      to: alice.id,
      exchange: 1,
      sdp: sdpOf({ setup: "active", ufrag: "wxyz" }),
    } as never);
    const { path } = session;
    const { flows } = await session.read<{ flows: { id: string }[] }>("/flows");
    const flowPath = `${path}/flows/${encodeURIComponent(flows[0]!.id)}`;
    const documented = "/v1/sessions/{id}";
    await check("post", "/v1/sessions", await callJson("/v1/sessions", "POST", {}));
    await check("post", "/v1/sessions", await callJson("/v1/sessions", "POST", { maxPeers: 0 }));
    await check("post", "/v1/sessions", await callJson("/v1/sessions", "POST", {}, {}));
    await check("get", "/v1/sessions", await callJson("/v1/sessions", "GET"));
    await check("get", documented, await callJson(path, "GET"));
    await check("get", `${documented}/peers`, await callJson(`${path}/peers`, "GET"));
    await check("post", `${documented}/peers`, await callJson(`${path}/peers`, "POST", {}));
    await check("get", `${documented}/flows`, await callJson(`${path}/flows`, "GET"));
    await check("get", `${documented}/flows/{flowId}`, await callJson(flowPath, "GET"));
    await check("get", `${documented}/flows/{flowId}`, await callJson(`${path}/flows/x`, "GET"));
    await check(
      "patch",
      `${documented}/flows/{flowId}`,
      await callJson(flowPath, "PATCH", { held: true, maxBitrateBps: 100_000, priority: "high" }),
    );
    await check("get", `${documented}/findings`, await callJson(`${path}/findings`, "GET"));
    await check("post", "/v1/turn/credentials", await callJson("/v1/turn/credentials", "POST", {}));
    await check(
      "delete",
      `${documented}/peers/{peerId}`,
      await callJson(`${path}/peers/${bob.id}`, "DELETE"),
    );
    await check("delete", documented, await callJson(path, "DELETE"));
    await check("get", documented, await callJson(path, "GET"));
  });

  it("[M1] /docs is a page that needs nothing from elsewhere and names every path", async () => {
    const api = (await (await call("/openapi.json")).json()) as OpenApi;
    const page = await (await call("/docs")).text();
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    for (const path of Object.keys(api.paths)) expect(page).toContain(path);
  });

  it("[M2] /asyncapi.json has every message and the frames the server sends fit it", async () => {
    const { FROM_PEER, TO_PEER } = await import("../protocol/messages.ts");
    const api = (await (await call("/asyncapi.json")).json()) as {
      asyncapi: string;
      channels: { signalling: { messages: Record<string, { payload: object }> } };
    };
    expect(api.asyncapi).toBe("3.0.0");
    const { messages } = api.channels.signalling;
    for (const type of Object.keys(FROM_PEER))
      expect(messages).toHaveProperty([`from-peer.${type}`]);
    for (const type of Object.keys(TO_PEER)) expect(messages).toHaveProperty([`to-peer.${type}`]);
  });

  it("every problem has an RFC 9457 shape and a promise", () => {
    for (const [code, row] of Object.entries(PROBLEMS)) {
      expect(code).toMatch(/^[a-z][a-z-]+$/);
      expect(row.rule).toMatch(/^[SNRDFAWC]\d$/);
      expect(row.status).toBeGreaterThanOrEqual(400);
    }
  });

  it("browsers of other origins may call the API", async () => {
    const response = await call("/v1/sessions", {
      method: "OPTIONS",
      headers: { origin: "https://app.example.com", "access-control-request-method": "POST" },
    });
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
  });
});
