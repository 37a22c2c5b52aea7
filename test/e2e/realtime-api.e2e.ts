import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CloudflareRealtime } from "../../adapters/cloudflare-realtime.ts";
import { sdpOf } from "../descriptions.ts";
import api from "../realtime-api.json" with { type: "json" };
import { checkBody } from "../realtime-schemas.ts";
import { type BodyCheck, RealtimeStandIn, STAND_IN } from "../realtime-stand-in.ts";

/** The adapter over real HTTP, each body checked by Ajv; inside workerd zod reads the same schemas. */

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema({ $id: "file:realtime", $defs: api.$defs });

const operations: Record<string, { request?: string; answer?: string }> = api.operations;

const byAjv: BodyCheck = (operation, part, body) => {
  const name = operations[operation]?.[part];
  if (name === undefined) return body === undefined ? [] : ["a body where none is"];
  const validate = ajv.compile({ $ref: `file:realtime#/$defs/${name}` });
  return validate(body) ? [] : [JSON.stringify(validate.errors)];
};

const standIn = new RealtimeStandIn(byAjv);
let server: Server;
let baseUrl = "";

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { method = "GET", headers } = request;
    try {
      const answer = await standIn.fetch(`http://sfu.test${request.url}`, {
        method,
        headers: { authorization: headers.authorization ?? "" },
        ...(text === "" ? {} : { body: text }),
      });
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(await answer.text());
    } catch {
      // No answer: the connection is cut.
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

describe("the API of the Realtime SFU", () => {
  it("[C1] takes all that the adapter asks, and the adapter what it answers", async () => {
    const { appId, appSecret } = STAND_IN;
    const backend = new CloudflareRealtime({ appId, appSecret, baseUrl });
    const section = { kind: "audio", mid: "0" } as const;
    const session = await backend.open({ iceLite: false });
    const sendonly = sdpOf({ sections: [{ ...section, direction: "sendonly" }] });
    await backend.publish(session, sendonly, [{ mid: "0", name: "voice" }]);
    await backend.publish(session, sendonly, []);
    const receiver = await backend.open({ iceLite: true });
    const layer = { rid: "f", ranked: true };
    await backend.subscribe(receiver, [{ session, name: "voice", layer }]);
    const recvonly = { ...section, direction: "recvonly" } as const;
    await backend.answer(receiver, sdpOf({ setup: "active", sections: [recvonly] }));
    await backend.update(receiver, [{ mid: "0", session, name: "voice", layer }]);
    const player = await backend.open({ iceLite: false });
    await backend.subscribe(player, [{ session, name: "voice" }], sdpOf({ sections: [recvonly] }));
    standIn.plant({ on: "/tracks/close", kind: "no-answer", effect: true });
    for (const each of [receiver, player, session]) await backend.close(each, "all");
    expect(standIn.active()).toEqual([]);
    expect(standIn.complaints).toEqual([]);
    const called = new Set(standIn.calls.map(({ operation }) => operation));
    expect([...called].sort()).toEqual(Object.keys(operations).sort());
  });

  it("[C1] is checked alike by Ajv and by what checks inside workerd", () => {
    const offer = { type: "offer", sdp: "v=0" };
    const bodies: unknown[] = [
      undefined,
      {},
      { tracks: [] },
      { tracks: [{ mid: "0" }], force: true },
      { tracks: [{ mid: "" }], force: true },
      { tracks: [{ mid: "0" }], force: false },
      { sessionDescription: offer },
      { sessionDescription: { ...offer, type: "answer" } },
      { sessionDescription: offer, autoDiscover: true },
      { sessionDescription: offer, tracks: [{ location: "local", mid: "0", trackName: "n" }] },
      { tracks: [{ location: "local", mid: "0", trackName: "n" }] },
      { tracks: [{ location: "remote", sessionId: "s", trackName: "n" }] },
      { tracks: [{ location: "remote", sessionId: "s", trackName: "n", mid: "0" }] },
      { tracks: [{ location: "remote", trackName: "n" }] },
      { tracks: [{ location: "remote", sessionId: "s", trackName: "n", simulcast: { rid: "f" } }] },
    ];
    let refused = 0;
    for (const operation of Object.keys(operations)) {
      for (const body of bodies) {
        const isFine = byAjv(operation, "request", body).length === 0;
        if (!isFine) refused += 1;
        const same = checkBody(operation, "request", body).length === 0;
        expect([operation, body, same]).toEqual([operation, body, isFine]);
      }
    }
    // What nothing could fail proves nothing.
    expect(refused).toBeGreaterThan(60);
  });
});
