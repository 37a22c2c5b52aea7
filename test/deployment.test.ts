import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Bindings } from "../durable-objects/env.ts";
import { app } from "../src/app.ts";

/** The Worker as a deployment configures it. */
const as = (variables: Record<string, string>): Bindings => {
  const { API_KEYS, TOKEN_SECRETS, TURN_URLS, TURN_SECRETS, ...bindings } =
    env as unknown as Record<string, unknown>;
  expect([API_KEYS, TOKEN_SECRETS, TURN_URLS, TURN_SECRETS]).not.toContain(undefined);
  return { ...bindings, ...variables } as unknown as Bindings;
};

const post = (bindings: Bindings, key = "dev-key", path = "/v1/sessions") =>
  app.request(
    path,
    { method: "POST", headers: { authorization: `Bearer ${key}` } },
    bindings as never,
  );

const SECRET = "x".repeat(32);

describe("a deployment", () => {
  it("[M19] without keys starts no session and says what to set", async () => {
    for (const variables of [{}, { API_KEYS: "k" }, { TOKEN_SECRETS: SECRET }] as Record<
      string,
      string
    >[]) {
      const response = await post(as(variables), "k");
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        code: "misconfigured",
        detail: expect.stringMatching(/API_KEYS.*TOKEN_SECRETS/),
      });
    }
    const open = await app.request("/healthz", {}, as({}) as never);
    expect(open.status).toBe(200);
  });

  it("[M19] dev-key is valid in local development only", async () => {
    expect((await post(as({ API_KEYS: "k", TOKEN_SECRETS: SECRET }))).status).toBe(401);
    expect((await post(as({ LOCAL_DEV: "true", TOKEN_SECRETS: SECRET }))).status).toBe(201);
    const listed = await post(as({ API_KEYS: "dev-key", TOKEN_SECRETS: SECRET }));
    expect(await listed.json()).toMatchObject({ code: "misconfigured" });
  });

  it("[M19] with a wrong variable answers nothing but its name", async () => {
    const response = await post(as({ API_KEYS: "k", TURN_TTL_SECONDS: "soon" }), "k");
    expect(await response.json()).toMatchObject({
      code: "misconfigured",
      detail: expect.stringMatching(/^TURN_TTL_SECONDS/),
    });
  });

  it("[M19] with half of a managed SFU starts no session and says what is missing", async () => {
    const half = { MEDIA_BACKEND: "cloudflare", CLOUDFLARE_SFU_APP_ID: "app" };
    const response = await post(as({ API_KEYS: "k", TOKEN_SECRETS: SECRET, ...half }), "k");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      code: "misconfigured",
      detail: expect.stringMatching(/^CLOUDFLARE_SFU_APP_SECRET/),
    });
  });

  it("[A1] tokens signed before a rotation stay valid while the old secret is listed", async () => {
    const before = as({ API_KEYS: "k", TOKEN_SECRETS: SECRET });
    const session = (await (await post(before, "k")).json()) as { id: string };
    const peer = (await (await post(before, "k", `/v1/sessions/${session.id}/peers`)).json()) as {
      token: string;
    };
    const read = async (secrets: string) => {
      const bindings = as({ API_KEYS: "k", TOKEN_SECRETS: secrets });
      const headers = { authorization: `Bearer ${peer.token}` };
      return (await app.request(`/v1/sessions/${session.id}`, { headers }, bindings as never))
        .status;
    };
    expect(await read(`${"n".repeat(32)},${SECRET}`)).toBe(200);
    expect(await read("n".repeat(32))).toBe(401);
  });

  it("[A1] only the origins it names may connect and read", async () => {
    const bindings = as({
      API_KEYS: "k",
      TOKEN_SECRETS: SECRET,
      ALLOWED_ORIGINS: "https://app.example.com",
    });
    const session = (await (await post(bindings, "k")).json()) as { id: string };
    const { token } = (await (
      await post(bindings, "k", `/v1/sessions/${session.id}/peers`)
    ).json()) as { token: string };
    const connect = async (origin?: string) => {
      const headers = {
        upgrade: "websocket",
        "sec-websocket-protocol": `duplex.v1, bearer.${token}`,
        ...(origin && { origin }),
      };
      const url = `https://duplex.example.com/v1/sessions/${session.id}/signalling`;
      const response = await app.request(url, { headers }, bindings as never);
      response.webSocket?.accept();
      response.webSocket?.close();
      if (response.status === 403) {
        expect(await response.json()).toMatchObject({ code: "origin-not-allowed" });
      }
      return response.status;
    };
    expect(await connect("https://evil.example.com")).toBe(403);
    expect(await connect("https://app.example.com")).toBe(101);
    expect(await connect("https://duplex.example.com")).toBe(101);
    expect(await connect()).toBe(101);
    const preflight = (origin: string) =>
      app.request("/v1/sessions", { method: "OPTIONS", headers: { origin } }, bindings as never);
    const allow = "access-control-allow-origin";
    expect((await preflight("https://app.example.com")).headers.get(allow)).toBe(
      "https://app.example.com",
    );
    expect((await preflight("https://evil.example.com")).headers.get(allow)).toBeNull();
  });

  it("[A3] without a TURN provider there are no credentials, and with a failing one the call still starts", async () => {
    const none = as({ API_KEYS: "k", TOKEN_SECRETS: SECRET });
    const refused = await post(none, "k", "/v1/turn/credentials");
    expect(await refused.json()).toMatchObject({ code: "turn-unavailable" });
    const failing = as({
      API_KEYS: "k",
      TOKEN_SECRETS: SECRET,
      TURN_PROVIDER: "cloudflare",
      CLOUDFLARE_TURN_KEY_ID: "id",
      CLOUDFLARE_TURN_API_TOKEN: "token",
    });
    const session = (await (await post(failing, "k")).json()) as { id: string };
    const { token } = (await (
      await post(none, "k", `/v1/sessions/${session.id}/peers`)
    ).json()) as { token: string };
    vi.stubGlobal("fetch", async () => new Response("no", { status: 500 }));
    expect((await post(failing, "k", "/v1/turn/credentials")).status).toBe(503);
    expect((await post(failing, "k", `/v1/sessions/${session.id}/peers`)).status).toBe(503);
    const headers = {
      upgrade: "websocket",
      "sec-websocket-protocol": `duplex.v1, bearer.${token}`,
    };
    const url = `https://duplex.example.com/v1/sessions/${session.id}/signalling`;
    const joined = await app.request(url, { headers }, failing as never);
    vi.unstubAllGlobals();
    expect(joined.status).toBe(101);
    const socket = joined.webSocket!;
    const first = new Promise<string>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
    );
    socket.accept();
    expect(JSON.parse(await first)).toMatchObject({
      type: "welcome",
      iceServers: [{ urls: ["stun:stun.cloudflare.com:3478"] }],
    });
    socket.close();
  });
});
