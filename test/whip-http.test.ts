import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bindings } from "../durable-objects/env.ts";
import { app } from "../src/app.ts";
import { sdpOf } from "./descriptions.ts";
import { call, KEY, LiveSession } from "./live-session.ts";

/** The doors of WHIP and WHEP as HTTP, as far as they need no media server. */

const DOORS = ["whip", "whep"] as const;
const RESOURCE = "0123456789abcdefghjkmnpqrs";
const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
const EXPOSED =
  "Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After, WWW-Authenticate, Access-Control-Allow-Methods";
const METHODS = "GET, HEAD, OPTIONS, POST, PATCH, DELETE";

let session: LiveSession;
let token: string;

beforeAll(async () => {
  session = await LiveSession.start("awake");
  ({ token } = await session.invite());
});
afterAll(() => reset());

const bearer = (of: string) => ({ authorization: `Bearer ${of}` });

interface Asked {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | ReadableStream;
}

async function ask({ method = "GET", path = "/whip", headers = {}, body }: Asked) {
  const response = await call(`${session.path}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: response.status,
    headers: response.headers,
    // The runtime warns of `text()` where the type is none of text.
    text: new TextDecoder().decode(await response.arrayBuffer()),
  };
}

/** What every answer has, so that pages can read it and nobody keeps or changes it. */
function expectCommon(headers: Headers): void {
  expect(Object.fromEntries(headers)).toMatchObject({
    "access-control-allow-origin": "*",
    "access-control-expose-headers": EXPOSED,
    "cache-control": "no-store, no-transform",
    "x-content-type-options": "nosniff",
  });
}

describe("discovery", () => {
  it("[W1] GET and HEAD of a WHIP endpoint have no content", async () => {
    for (const method of ["GET", "HEAD"]) {
      const { status, headers, text } = await ask({ method });
      expect([status, text]).toEqual([204, ""]);
      expectCommon(headers);
    }
  });

  it("[W1] HEAD of a WHEP endpoint says that it is one, GET the same", async () => {
    for (const method of ["GET", "HEAD"]) {
      const { status, headers, text } = await ask({ method, path: "/whep" });
      expect([status, text]).toEqual([200, ""]);
      expect(headers.get("content-type")).toBe(SDP);
      expectCommon(headers);
    }
  });

  it.each(DOORS)("[W1] OPTIONS of %s says what may be sent", async (door) => {
    const endpoint = await ask({ method: "OPTIONS", path: `/${door}` });
    expect([endpoint.status, endpoint.text]).toEqual([200, ""]);
    expect(Object.fromEntries(endpoint.headers)).toMatchObject({
      "accept-post": SDP,
      allow: "GET, HEAD, OPTIONS, POST",
      "access-control-allow-methods": METHODS,
    });
    const resource = await ask({ method: "OPTIONS", path: `/${door}/${RESOURCE}` });
    expect(resource.status).toBe(200);
    expect(Object.fromEntries(resource.headers)).toMatchObject({
      "accept-patch": FRAGMENT,
      allow: "GET, HEAD, OPTIONS, PATCH, DELETE",
      "access-control-allow-methods": METHODS,
    });
    for (const { headers } of [endpoint, resource]) {
      expectCommon(headers);
      expect(headers.get("link")).toBeNull();
    }
  });

  it("[A3] OPTIONS has ICE servers for whoever shows a token, in the order that clients read", async () => {
    const { headers } = await ask({ method: "OPTIONS", headers: bearer(token) });
    const links = (headers.get("link") ?? "").split(", ");
    expect(links).toEqual([
      expect.stringMatching(/^<stun:[^>]+>; rel="ice-server"$/),
      ...["udp", "tcp"].map((transport) =>
        expect.stringMatching(
          new RegExp(
            `^<turn:127\\.0\\.0\\.1:3478\\?transport=${transport}>; rel="ice-server"; ` +
              'username="\\d+:[0-9a-z]{16}"; credential="[\\w+/=]+"; credential-type="password"$',
          ),
        ),
      ),
    ]);
    const observer = await session.invite({ role: "observer" });
    const watched = await ask({ method: "OPTIONS", headers: bearer(observer.token) });
    expect([watched.status, watched.headers.get("link")]).toEqual([200, null]);
  });
});

describe("preflights", () => {
  const preflight = (method: string, more: Record<string, string> = {}) => ({
    origin: "https://page.example",
    "access-control-request-method": method,
    ...more,
  });

  it.each(
    DOORS.flatMap((door) => [`/${door}`, `/${door}/${RESOURCE}`]).flatMap((path) =>
      ["GET", "OPTIONS", "POST", "PATCH", "DELETE"].map((method) => [path, method] as const),
    ),
  )("[W1] %s lets pages send %s, with the headers they name", async (path, method) => {
    const wanted = "authorization, content-type, if-match, etag, oven-capabilities";
    const { status, headers, text } = await ask({
      method: "OPTIONS",
      path,
      headers: preflight(method, { "access-control-request-headers": wanted }),
    });
    expect([status, text]).toEqual([200, ""]);
    expect(Object.fromEntries(headers)).toMatchObject({
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": wanted,
      "access-control-max-age": "600",
    });
    expect(headers.get("link")).toBeNull();
    expectCommon(headers);
  });

  it("[W1] one that names no headers is told the usual ones", async () => {
    const { headers } = await ask({ method: "OPTIONS", headers: preflight("POST") });
    expect(headers.get("access-control-allow-headers")).toBe(
      "authorization, content-type, if-match",
    );
  });

  it("[W1] ICE servers are in none, unless it asks for them and shows a token", async () => {
    const linkOf = async (more: Record<string, string>) => {
      const { status, headers } = await ask({
        method: "OPTIONS",
        headers: preflight("POST", more),
      });
      expect(status).toBe(200);
      return headers.get("link");
    };
    const link = { "access-control-request-headers": "content-type, Link" };
    expect(await linkOf(bearer(token))).toBeNull();
    expect(await linkOf(link)).toBeNull();
    expect(await linkOf({ ...link, ...bearer("wrong") })).toBeNull();
    expect(
      await linkOf({ "access-control-request-headers": "x-link", ...bearer(token) }),
    ).toBeNull();
    expect(await linkOf({ ...link, ...bearer(token) })).toContain('rel="ice-server"');
  });

  it("[W1] one is never refused: a page would not learn why", async () => {
    const headers = preflight("POST", bearer("wrong"));
    expect((await ask({ method: "OPTIONS", headers })).status).toBe(200);
    for (const path of ["/whip/short", "/whep?token=x"]) {
      expect((await ask({ method: "OPTIONS", path, headers: preflight("GET") })).status).toBe(200);
    }
    const elsewhere = await call("/v1/sessions/short/whip", { method: "OPTIONS", headers });
    expect(elsewhere.status).toBe(200);
  });
});

describe("refusals", () => {
  const refused = async (asked: Asked, status: number, code: string): Promise<Headers> => {
    const answer = await ask(asked);
    const body = JSON.parse(answer.text) as Record<string, unknown>;
    expect([answer.status, body.code]).toEqual([status, code]);
    expect(body).toMatchObject({ status, type: `urn:duplex:problem:${code}`, error: body.detail });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expectCommon(answer.headers);
    return answer.headers;
  };
  const post = (more: Asked = {}): Asked => ({
    method: "POST",
    headers: { ...bearer(token), "content-type": SDP },
    body: sdpOf(),
    ...more,
  });
  const withAuthorization = (authorization: string) =>
    post({ headers: { authorization, "content-type": SDP } });

  it.each(DOORS)("[A1] POST to %s needs the token of a peer of this session", async (door) => {
    const path = `/${door}`;
    const other = await LiveSession.start("awake");
    const stranger = await other.invite();
    const challenged = [
      post({ path, headers: { "content-type": SDP } }),
      { ...withAuthorization(`Basic ${token}`), path },
      { ...withAuthorization(token), path },
      { ...withAuthorization("Bearer wrong"), path },
      { ...withAuthorization(`Bearer ${stranger.token}`), path },
    ];
    for (const asked of challenged) {
      const headers = await refused(asked, 401, "unauthorized");
      expect(headers.get("www-authenticate")).toBe('Bearer realm="duplex"');
    }
    await refused(post({ path: `${path}?access_token=x` }), 401, "token-in-url");
    const lowerCase = { authorization: `bearer  ${token}`, "content-type": "text/plain" };
    await refused(post({ path, headers: lowerCase }), 415, "unsupported-media-type");
  });

  it("[A2] only a peer that may publish publishes, only one that may subscribe plays", async () => {
    await refused(withAuthorization(KEY.authorization), 403, "not-permitted");
    for (const [door, request] of [
      ["whip", { role: "media-server" }],
      ["whep", { role: "media-server" }],
      ["whip", { role: "observer" }],
      ["whep", { role: "observer" }],
      ["whip", { publish: [] }],
      ["whip", { publish: ["data"] }],
      ["whep", { subscribe: [] }],
      ["whep", { subscribe: ["data"] }],
    ] as const) {
      const { token: other } = await session.invite(request);
      const asked = { ...withAuthorization(`Bearer ${other}`), path: `/${door}` };
      await refused(asked, 403, "not-permitted");
    }
  });

  it("[A1] a token that comes along where none is needed has to be good", async () => {
    for (const path of ["/whip", "/whep", `/whip/${RESOURCE}`]) {
      for (const method of ["GET", "OPTIONS"]) {
        const headers = await refused(
          { method, path, headers: bearer("wrong") },
          401,
          "unauthorized",
        );
        expect(headers.get("www-authenticate")).toBe('Bearer realm="duplex"');
      }
    }
    for (const method of ["PATCH", "DELETE"]) {
      const asked = { method, path: `/whep/${RESOURCE}`, headers: bearer("wrong") };
      await refused(asked, 401, "unauthorized");
      await refused({ ...asked, headers: KEY }, 403, "not-permitted");
      await refused({ ...asked, headers: {}, path: `${asked.path}?jwt=x` }, 401, "token-in-url");
    }
  });

  it.each(DOORS)("[W1] what cannot be an address of %s is not found", async (door) => {
    for (const method of ["GET", "POST", "PUT"]) {
      const response = await call(`/v1/sessions/short/${door}`, { method });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: "session-not-found" });
    }
  });

  it.each(DOORS)("[W2] an URL of %s that nobody was given is looked for nowhere", async (door) => {
    for (const resource of ["short", `${RESOURCE}0`, RESOURCE.toUpperCase(), "a.b"]) {
      for (const method of ["GET", "PATCH", "DELETE"]) {
        await refused({ method, path: `/${door}/${resource}` }, 404, "resource-not-found");
      }
    }
    const elsewhere = await call(`/v1/sessions/short/${door}/${RESOURCE}`, { method: "DELETE" });
    expect(elsewhere.status).toBe(404);
  });

  it.each(DOORS)("[W1] other methods of %s are refused with those there are", async (door) => {
    for (const method of ["PUT", "PATCH", "DELETE"]) {
      const headers = await refused({ method, path: `/${door}` }, 405, "method-not-allowed");
      expect(headers.get("allow")).toBe("GET, HEAD, OPTIONS, POST");
    }
    for (const method of ["POST", "PUT"]) {
      const asked = { method, path: `/${door}/${RESOURCE}`, headers: bearer(token) };
      const headers = await refused(asked, 405, "method-not-allowed");
      expect(headers.get("allow")).toBe("GET, HEAD, OPTIONS, PATCH, DELETE");
    }
  });

  it.each(DOORS)("[W1] what is sent to %s is SDP, of a bearable size", async (door) => {
    const path = `/${door}`;
    for (const type of ["application/json", "text/plain", FRAGMENT, ""]) {
      const headers = { ...bearer(token), "content-type": type };
      await refused(post({ path, headers }), 415, "unsupported-media-type");
    }
    await refused({ method: "POST", path, headers: bearer(token) }, 415, "unsupported-media-type");
    const typed = { ...bearer(token), "content-type": "Application/SDP; charset=utf-8" };
    for (const body of ["", "\r\n"]) {
      await refused(post({ path, headers: typed, body }), 422, "sdp-invalid");
    }
    await refused(post({ path, body: "x".repeat(65_537) }), 413, "message-too-large");
    const chunk = new TextEncoder().encode("x".repeat(40_000));
    const ofUnknownLength = new ReadableStream({
      start(controller) {
        controller.enqueue(chunk);
        controller.enqueue(chunk);
        controller.close();
      },
    });
    await refused(post({ path, body: ofUnknownLength }), 413, "message-too-large");
  });

  it.each(DOORS)("[A2] %s is about a peer that can be one", async (door) => {
    for (const peer of ["", "a%20b", "x".repeat(65), "%3Cpeer%3E"]) {
      await refused(post({ path: `/${door}?peer=${peer}` }), 404, "unknown-peer");
    }
  });

  it("[W1] they come in the order of what is known first", async () => {
    const wrong = { "content-type": "text/plain" };
    const body = "x".repeat(65_537);
    await refused({ method: "PUT", headers: bearer("wrong") }, 405, "method-not-allowed");
    await refused(post({ headers: wrong, body }), 401, "unauthorized");
    await refused(
      post({ headers: { ...wrong, ...bearer(token) }, body }),
      415,
      "unsupported-media-type",
    );
  });

  it("[S7] a peer that asks too often is told when to come again", async () => {
    const { token: hasty } = await session.invite();
    const asked = post({ headers: { ...bearer(hasty), "content-type": "text/plain" } });
    // A period may end on the way: then there is more room.
    let answer = await ask(asked);
    for (let count = 1; count < 2000 && answer.status === 415; count += 1)
      answer = await ask(asked);
    expect(answer.status).toBe(429);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "rate-limited" });
    expect(answer.headers.get("retry-after")).toBe("10");
  });
});

describe("origins", () => {
  const bindings = {
    ...(env as object),
    ALLOWED_ORIGINS: "https://app.example.com",
  } as unknown as Bindings as never;
  const from = (origin: string | undefined, method = "GET", more: Record<string, string> = {}) =>
    app.request(
      `https://duplex.test${session.path}/whep`,
      { method, headers: { ...(origin === undefined ? {} : { origin }), ...more } },
      bindings,
    );

  it("[A1] where they are named, pages of others can neither ask nor read", async () => {
    const good = await from("https://app.example.com");
    expect([good.status, good.headers.get("access-control-allow-origin")]).toEqual([
      200,
      "https://app.example.com",
    ]);
    expect(good.headers.get("vary")).toBe("Origin");
    expect((await from(undefined)).status).toBe(200);
    expect((await from("https://duplex.test")).status).toBe(200);
    const evil = await from("https://evil.example.com");
    expect(evil.status).toBe(403);
    expect(await evil.json()).toMatchObject({ code: "origin-not-allowed" });
    const asks = { "access-control-request-method": "POST" };
    for (const origin of ["https://app.example.com", "https://evil.example.com"]) {
      const { headers } = await from(origin, "OPTIONS", asks);
      expect(headers.get("access-control-allow-origin")).toBe(
        origin === "https://app.example.com" ? origin : null,
      );
    }
  });
});

describe("what the server says of the doors", () => {
  it("[M8] /openapi.json has every address and method of them", async () => {
    const api = (await (await call("/openapi.json")).json()) as {
      paths: Record<string, Record<string, { responses: Record<string, object> }>>;
    };
    for (const door of DOORS) {
      const endpoint = api.paths[`/v1/sessions/{id}/${door}`] ?? {};
      const resource = api.paths[`/v1/sessions/{id}/${door}/{resource}`] ?? {};
      expect(Object.keys(endpoint).sort()).toEqual(["get", "post"]);
      expect(Object.keys(resource).sort()).toEqual(["delete", "get", "patch"]);
      const statuses = Object.keys(endpoint.post?.responses ?? {});
      for (const status of ["201", "401", "403", "404", "405", "409", "413", "415", "422", "429"]) {
        expect(statuses).toContain(status);
      }
      expect(statuses.includes("406")).toBe(door === "whep");
      const patched = Object.keys(resource.patch?.responses ?? {});
      for (const status of ["200", "204", "400", "404", "412", "415", "428"]) {
        expect(patched).toContain(status);
      }
    }
  });
});
