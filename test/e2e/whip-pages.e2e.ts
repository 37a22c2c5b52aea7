import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Browser, type BrowserName, launch } from "./browsers.ts";
import { Backend } from "./caller.ts";

/** The doors of WHIP and WHEP seen by pages of another origin: what browsers let them send and read. */

const baseUrl = inject("baseUrl");
const RESOURCE = "0123456789abcdefghjkmnpqr";

let elsewhere: Server;
let origin: string;
let path: string;
let authorization: string;

beforeAll(async () => {
  elsewhere = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>x</title>");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
  const backend = await Backend.start(baseUrl);
  path = `${baseUrl}v1/sessions/${backend.id}`;
  authorization = `Bearer ${(await backend.invite()).token}`;
});

afterAll(() => new Promise<void>((resolve) => elsewhere.close(() => resolve())));

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Runs in the page. */
const ask = async ({ method, url, headers, body }: Asked) => {
  const response = await fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
  };
};

describe.each<BrowserName>(["chromium", "firefox"])("a page elsewhere, in %s", (name) => {
  let browser: Browser;
  let send: (asked: Asked) => ReturnType<typeof ask>;

  beforeAll(async () => {
    browser = await launch(name);
    const page = await browser.open(origin);
    send = (asked) => page.evaluate(ask, asked);
  });
  afterAll(() => browser?.close());

  it("[W1] finds WHEP, and reads what it may send and which ICE servers there are", async () => {
    const found = await send({ method: "HEAD", url: `${path}/whep`, headers: {} });
    expect([found.status, found.headers["content-type"]]).toEqual([200, "application/sdp"]);
    const asked = { method: "OPTIONS", url: `${path}/whip`, headers: { authorization } };
    const { status, headers } = await send(asked);
    expect(status).toBe(200);
    expect(headers["accept-post"]).toBe("application/sdp");
    expect(headers["access-control-allow-methods"]).toContain("PATCH");
    expect(headers.link).toMatch(/<turn:[^>]+>; rel="ice-server"; username="/);
  });

  it("[W1] sends each method with the headers of all clients, and reads why it is refused", async () => {
    const odd = { "if-match": "*", etag: '"x"', "oven-capabilities": "max_width=1920" };
    const headers = { ...odd, authorization, "content-type": "application/sdp" };
    const fragment = { ...headers, "content-type": "application/trickle-ice-sdpfrag" };
    const resource = `${path}/whep/${RESOURCE}`;
    const outcomes = await Promise.all(
      [
        { method: "POST", url: `${path}/whip`, headers, body: "" },
        { method: "POST", url: `${path}/whep`, headers: fragment, body: "" },
        { method: "POST", url: `${path}/whep`, headers: { ...headers, authorization: "Basic x" } },
        { method: "PATCH", url: resource, headers: fragment, body: "a=ice-lite" },
        { method: "DELETE", url: resource, headers },
        { method: "PUT", url: `${path}/whip`, headers: {} },
      ].map((asked) => send(asked).catch(() => undefined)),
    );
    const read = outcomes.map((outcome) => {
      if (!outcome) return undefined;
      const { code, error } = JSON.parse(outcome.text) as Record<string, unknown>;
      return [outcome.status, code, typeof error];
    });
    expect(read).toEqual([
      [422, "sdp-invalid", "string"],
      [415, "unsupported-media-type", "string"],
      [401, "unauthorized", "string"],
      [404, "resource-not-found", "string"],
      [404, "resource-not-found", "string"],
      // PUT is among no methods: the browser does not send it.
      undefined,
    ]);
    expect(outcomes[2]?.headers["www-authenticate"]).toBe('Bearer realm="duplex"');
  });
});
