import { afterEach, describe, expect, it, vi } from "vitest";
import { iceServersFor, TurnFault } from "../durable-objects/ice-servers.ts";
import { readConfig } from "../protocol/config.ts";
import { callJson, LiveSession } from "./live-session.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const AT = 1_700_000_000_123;

describe("hmac", () => {
  const config = readConfig({
    STUN_URLS: "stun:stun.example.com:3478",
    TURN_URLS: "turn:t.example.com:3478?transport=udp,turns:t.example.com:5349?transport=tcp",
    TURN_SECRETS: "north,old",
    TURN_TTL_SECONDS: "600",
  });

  it("[A3] TURN REST: expiry:peer and its HMAC-SHA1 by the first secret", async () => {
    const { iceServers, expiresAt, ...rest } = await iceServersFor(config, "peer1", AT);
    expect(rest).toEqual({});
    expect(expiresAt).toBe(1_700_000_600_000);
    expect(iceServers).toEqual([
      { urls: ["stun:stun.example.com:3478"] },
      {
        urls: ["turn:t.example.com:3478?transport=udp", "turns:t.example.com:5349?transport=tcp"],
        username: "1700000600:peer1",
        // printf 1700000600:peer1 | openssl dgst -sha1 -hmac north -binary | base64
        credential: "KHazHEw9U8m8ekerNMXs6oO7xRQ=",
      },
    ]);
  });

  it("[A3] a shorter life can be asked for, a longer one not", async () => {
    expect((await iceServersFor(config, "p", AT, 60)).expiresAt).toBe(1_700_000_060_000);
    expect((await iceServersFor(config, "p", AT, 6000)).expiresAt).toBe(1_700_000_600_000);
  });
});

describe("cloudflare", () => {
  const config = readConfig({
    STUN_URLS: "stun:stun.example.com",
    TURN_PROVIDER: "cloudflare",
    CLOUDFLARE_TURN_KEY_ID: "key/1",
    CLOUDFLARE_TURN_API_TOKEN: "token",
    TURN_TTL_SECONDS: "7200",
  });
  const answer = {
    iceServers: [
      { urls: ["stun:stun.cloudflare.com:3478"] },
      {
        urls: [
          "turn:turn.cloudflare.com:3478?transport=udp",
          "turn:turn.cloudflare.com:53?transport=udp",
          "turns:turn.cloudflare.com:5349?transport=tcp",
        ],
        username: "u",
        credential: "c",
      },
    ],
  };

  it("[M10] asks generate-ice-servers and leaves out what browsers block", async () => {
    const asked = vi.fn(async () => Response.json(answer, { status: 201 }));
    vi.stubGlobal("fetch", asked);
    const { iceServers, allocationsExpire } = await iceServersFor(config, "p", AT, 3600);
    // Its relays end with their credentials: who uses them has to know (decision 0018).
    expect(allocationsExpire).toBe(true);
    const [url, init] = asked.mock.calls[0] as unknown as [string, RequestInit];
    expect(url).toBe(
      "https://rtc.live.cloudflare.com/v1/turn/keys/key%2F1/credentials/generate-ice-servers",
    );
    expect(init.headers).toMatchObject({ authorization: "Bearer token" });
    expect(JSON.parse(String(init.body))).toEqual({ ttl: 3600 });
    expect(iceServers.at(-1)?.urls).toEqual([
      "turn:turn.cloudflare.com:3478?transport=udp",
      "turns:turn.cloudflare.com:5349?transport=tcp",
    ]);
  });

  it.each([
    ["is down", () => Promise.reject(new TypeError("network"))],
    ["answers 401", async () => new Response("no", { status: 401 })],
    ["answers something else", async () => Response.json({ iceServers: [{ urls: 5 }] })],
    ["answers no JSON", async () => new Response("<html>")],
  ])("[M10] a provider that %s is a fault without secrets in it", async (_, provider) => {
    vi.stubGlobal("fetch", provider);
    const failed = await iceServersFor(config, "p", AT).catch((thrown: unknown) => thrown);
    expect(failed).toBeInstanceOf(TurnFault);
    expect(String(failed)).not.toContain("token");
  });
});

describe("POST /v1/turn/credentials", () => {
  it("[A3] the back end and peers get them, others do not", async () => {
    const session = await LiveSession.start("awake");
    const { token, peer } = await session.invite();
    const as = (headers: object) =>
      callJson("/v1/turn/credentials", "POST", { ttlSeconds: 60 }, headers);
    const own = (await (await as({ authorization: `Bearer ${token}` })).json()) as {
      iceServers: { username: string }[];
      ttlSeconds: number;
    };
    expect(own.ttlSeconds).toBe(60);
    expect(own.iceServers.at(-1)?.username.split(":")[1]).toBe(peer.id);
    expect((await as({})).status).toBe(401);
    expect((await as({ authorization: "Bearer nope" })).status).toBe(401);
    expect((await as({ authorization: "Bearer test-key" })).status).toBe(200);
  });
});
