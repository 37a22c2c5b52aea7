import { abortAllDurableObjects, reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sdpOf } from "./descriptions.ts";
import { call, KEY, type LivePeer, LiveSession } from "./live-session.ts";

/** WHIP and WHEP over the real doors, with a media server that the test plays. */

afterEach(async () => {
  await reset();
});

type Direction = "sendonly" | "recvonly";

const CANDIDATE = "candidate:1 1 udp 2113937151 192.0.2.9 50000 typ host";
const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";

const media = (of: string, direction: Direction, more: object = {}): string =>
  sdpOf({
    of,
    sections: [
      { kind: "audio", direction },
      { kind: "video", direction },
    ],
    ...more,
  });

/** The runtime warns of `text()` where the type is none of text. */
const textOf = async (response: Response): Promise<string> =>
  new TextDecoder().decode(await response.arrayBuffer());

class Client {
  readonly session: LiveSession;
  readonly token: string;
  readonly id: string;
  url = "";
  tag = "";

  constructor(session: LiveSession, { token, peer }: { token: string; peer: { id: string } }) {
    this.session = session;
    this.token = token;
    this.id = peer.id;
  }

  post(door: "whip" | "whep", sdp: string, query = ""): Promise<Response> {
    return call(`${this.session.path}/${door}${query}`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.token}`, "content-type": SDP },
      body: sdp,
    });
  }

  take(response: Response): Response {
    this.url = new URL(response.headers.get("location") ?? "").pathname;
    this.tag = response.headers.get("etag") ?? "";
    return response;
  }

  patch(body: string, headers: object = { "if-match": this.tag }): Promise<Response> {
    return call(this.url, {
      method: "PATCH",
      headers: { "content-type": FRAGMENT, ...headers },
      body,
    });
  }

  delete(headers: object = {}): Promise<Response> {
    return call(this.url, { method: "DELETE", headers: { ...headers } });
  }
}

async function central() {
  const session = await LiveSession.start("awake", { topology: "central" });
  const sfu = await session.join({ role: "media-server" });
  const client = async (request: object = {}) => new Client(session, await session.invite(request));
  return { session, sfu, client };
}

/** Answers the next offer, and trickles one candidate. */
async function answer(sfu: LivePeer, direction: Direction, more: object = {}) {
  const { from, exchange } = await sfu.next("offer");
  await sfu.send({
    type: "answer",
    to: from,
    exchange,
    sdp: media(`sfu${from}`, direction, { setup: "active", ...more }),
  });
  const candidates = [{ candidate: CANDIDATE, sdpMid: "0" }];
  await sfu.send({ type: "candidates", to: from, exchange, candidates, complete: true });
  return { from, exchange };
}

async function publish(sfu: LivePeer, client: Client): Promise<Response> {
  const [response] = await Promise.all([
    client.post("whip", media("cam", "sendonly")),
    answer(sfu, "recvonly"),
  ]);
  return client.take(response);
}

const restart = (ufrag: string): string =>
  [
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${ufrag}0123456789012345678901`,
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=mid:0",
    `a=${CANDIDATE.replace("192.0.2.9", "192.0.2.77")}`,
    "",
  ].join("\r\n");

describe("WHIP over HTTP", () => {
  it("[W3] a publisher is answered with all candidates, URL, tag and ICE servers", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    const response = await publish(sfu, cam);
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toBe(SDP);
    expect(response.headers.get("location")).toMatch(
      /^https:\/\/duplex\.test\/v1\/sessions\/[^/?]+\/whip\/[0-9a-z]{26}$/,
    );
    expect(response.headers.get("etag")).toBe('"ice-1"');
    const sdp = await textOf(response);
    expect(sdp).toContain(`a=${CANDIDATE}\r\n`);
    expect(sdp).toContain("a=rtcp-mux-only\r\n");
    expect(sdp).not.toContain("a=sendonly");
  });

  it("[W6] trickle reaches the media server, broken candidates do not", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    await publish(sfu, cam);
    const broken = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:nonsense\r\n";
    expect((await cam.patch(broken)).status).toBe(204);
    const good = `${broken}a=${CANDIDATE}\r\na=end-of-candidates\r\n`;
    const response = await cam.patch(good);
    expect([response.status, response.headers.get("etag"), await textOf(response)]).toEqual([
      204,
      null,
      "",
    ]);
    expect(await sfu.next("candidates")).toMatchObject({
      from: cam.id,
      exchange: 1,
      candidates: [{ candidate: CANDIDATE, sdpMid: "0" }],
      complete: true,
    });
  });

  it("[W6] an ICE restart brings new credentials and a new tag; the old one is over", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    await publish(sfu, cam);
    const [response] = await Promise.all([
      cam.patch(restart("fresh")),
      answer(sfu, "recvonly", { ufrag: "again", version: 2 }),
    ]);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(FRAGMENT);
    expect(response.headers.get("etag")).toBe('"ice-2"');
    const fragment = await textOf(response);
    expect(fragment).toContain("a=ice-ufrag:again\r\n");
    expect(fragment).toContain(`a=${CANDIDATE}\r\n`);
    // The answer may have been lost: the same request is answered in the same way, and nothing is restarted again.
    const repeated = await cam.patch(restart("fresh"));
    expect([repeated.status, await textOf(repeated)]).toEqual([200, fragment]);
    expect((await cam.patch(restart("third"))).status).toBe(412);
    const old = restart("ufragcam");
    expect((await cam.patch(old, { "if-match": "*" })).status).toBe(412);
    expect(await sfu.all("offer")).toEqual([]);
  });

  it("[W6] what is trickled before a restart is answered reaches the media server all the same", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    await publish(sfu, cam);
    const before = { "if-match": cam.tag };
    const later = CANDIDATE.replace("192.0.2.9", "192.0.2.78");
    const [restarted, trickled] = await Promise.all([
      cam.patch(restart("fresh")),
      cam.patch(`${restart("fresh")}a=${later}\r\n`, before),
      answer(sfu, "recvonly", { ufrag: "again", version: 2 }),
    ]);
    expect([restarted.status, trickled.status]).toEqual([200, 200]);
    expect(trickled.headers.get("etag")).toBe(restarted.headers.get("etag"));
    const heard = await sfu.next("candidates");
    expect(heard).toMatchObject({ from: cam.id, exchange: 2 });
    expect(heard.candidates.map(({ candidate }) => candidate)).toContain(later);
  });

  it("[W2] DELETE ends it, whatever If-Match says, and everything after is 404", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    await publish(sfu, cam);
    expect((await call(cam.url)).status).toBe(204);
    expect((await cam.delete({ "if-match": '"stale"' })).status).toBe(200);
    expect(await sfu.next("peer-left")).toMatchObject({ peer: cam.id, reason: "left" });
    expect((await cam.delete()).status).toBe(404);
    expect((await cam.patch("a=end-of-candidates\r\n")).status).toBe(404);
    expect((await call(cam.url)).status).toBe(404);
  });

  it("[W2] DELETE of a session whose media ended a moment before is answered as if it had been first", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    await publish(sfu, cam);
    await sfu.send({ type: "transport", to: cam.id, state: "closed" });
    await sfu.next("peer-left");
    expect((await call(cam.url)).status).toBe(404);
    const { token } = await client();
    expect((await cam.delete({ authorization: `Bearer ${token}` })).status).toBe(404);
    expect((await cam.delete()).status).toBe(200);
    expect((await cam.delete()).status).toBe(404);
  });

  it("[W2] a token that comes along has to be the session's own", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    await publish(sfu, cam);
    const { token } = await client();
    expect((await cam.delete({ authorization: `Bearer ${token}` })).status).toBe(401);
    expect((await cam.delete({ authorization: `bearer ${cam.token}` })).status).toBe(200);
  });

  it("[W3] nobody answers: 504, and the media server learns that it is over", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    const response = await cam.post("whip", media("cam", "sendonly"));
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({
      code: "media-server-timeout",
      error: expect.any(String),
    });
    expect(await sfu.next("peer-left")).toMatchObject({ peer: cam.id });
  }, 15_000);

  it("[W3] nobody is there: 503, come again", async () => {
    const session = await LiveSession.start("awake", { topology: "central" });
    const cam = new Client(session, await session.invite());
    const response = await cam.post("whip", media("cam", "sendonly"));
    expect([response.status, Number(response.headers.get("retry-after")) > 0]).toEqual([503, true]);
  });

  it("[W3] two videos: 422; an answer without the video: 422", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    const twice = sdpOf({
      sections: [
        { kind: "video", direction: "sendonly" },
        { kind: "video", direction: "sendonly" },
      ],
    });
    expect((await cam.post("whip", twice)).status).toBe(422);
    const [response] = await Promise.all([
      cam.post("whip", media("cam", "sendonly")),
      sfu.next("offer").then(({ from, exchange }) =>
        sfu.send({
          type: "answer",
          to: from,
          exchange,
          sdp: sdpOf({
            setup: "active",
            sections: [
              { kind: "audio", direction: "recvonly" },
              { kind: "video", direction: "recvonly", port: 0 },
            ],
          }).replace("BUNDLE 0 1", "BUNDLE 0"),
        }),
      ),
    ]);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "offer-rejected" });
  });

  it("[W5] a second publisher waits for the first one's end", async () => {
    const { sfu, client } = await central();
    const cam = await client();
    await publish(sfu, cam);
    await sfu.send({ type: "transport", to: cam.id, state: "connected" });
    await sfu.settled();
    const busy = await cam.post("whip", media("cam", "sendonly"));
    expect([busy.status, busy.headers.get("retry-after")]).toEqual([409, "5"]);
    await sfu.send({ type: "transport", to: cam.id, state: "disconnected" });
    await sfu.settled();
    const former = cam.url;
    expect((await publish(sfu, cam)).status).toBe(201);
    expect((await call(former)).status).toBe(404);
  });
});

describe("bad moments", () => {
  it("[A3] the token of a kicked peer gets no ICE servers", async () => {
    const { session, client } = await central();
    const cam = await client();
    const ask = () =>
      call(`${session.path}/whip`, {
        method: "OPTIONS",
        headers: { authorization: `Bearer ${cam.token}` },
      });
    expect((await ask()).status).toBe(200);
    await call(`${session.path}/peers/${cam.id}`, { method: "DELETE", headers: KEY });
    const refused = await ask();
    expect([refused.status, refused.headers.get("link")]).toEqual([401, null]);
  });

  it("[S3] a socket with the token of a publisher that waits: the POST is answered, the socket is welcome", async () => {
    const { session, sfu, client } = await central();
    const invitation = await session.invite();
    const cam = new Client(session, invitation);
    const waiting = cam.post("whip", media("cam", "sendonly"));
    await sfu.next("offer");
    const page = await session.connect(invitation);
    expect((await waiting).status).toBe(404);
    expect(page.closed).toBeNull();
    expect((await client()).id).not.toBe(cam.id);
  });

  it("[R4] an object that dies while a POST waits leaves a publisher that is over in time", async () => {
    const { session, sfu, client } = await central();
    const cam = await client();
    const waiting = cam.post("whip", media("cam", "sendonly"));
    await sfu.next("offer");
    await abortAllDurableObjects();
    expect((await waiting).status).toBe(500);
    const peers = async () => (await session.read<{ peers: { id: string }[] }>("/peers")).peers;
    expect((await peers()).map(({ id }) => id)).toContain(cam.id);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
    await session.alarm();
    expect((await peers()).map(({ id }) => id)).not.toContain(cam.id);
    vi.useRealTimers();
  });
});

describe("WHEP over HTTP", () => {
  it("[W4] a player waits, then plays what a publisher sends; flows link both", async () => {
    const { session, sfu, client } = await central();
    const [cam, eye] = [await client(), await client()];
    const early = await eye.post("whep", media("eye", "recvonly"));
    expect([early.status, early.headers.get("retry-after")]).toEqual([409, "2"]);
    await publish(sfu, cam);
    const [response] = await Promise.all([
      eye.post("whep", media("eye", "recvonly")),
      answer(sfu, "sendonly"),
    ]);
    expect(eye.take(response).status).toBe(201);
    const contexts = (await sfu.all("context")).filter(({ peer }) => peer === eye.id);
    expect(contexts).toMatchObject([
      { op: "open", direction: "downlink", kind: "audio" },
      { op: "open", direction: "downlink", kind: "video" },
    ]);
    for (const { flow = "", sourceFlows = [] } of contexts) {
      await sfu.send({
        type: "sources",
        flow,
        sourceFlows: [...sourceFlows],
        topology: "projecting",
      });
    }
    await sfu.settled();
    const { flows } = await session.read<{
      flows: { id: string; from: string; to: string; sourceFlows: string[] }[];
    }>("/flows");
    const ups = flows.filter(({ from }) => from === cam.id).map(({ id }) => id);
    const downs = flows.filter(({ to }) => to === eye.id);
    expect(downs.map(({ sourceFlows }) => sourceFlows)).toEqual(ups.map((id) => [id]));
  });

  it("[W7] a counter-offer is 406, and PATCH takes the answer once", async () => {
    const { sfu, client } = await central();
    const [cam, eye] = [await client(), await client()];
    await publish(sfu, cam);
    const [response] = await Promise.all([
      eye.post("whep", media("eye", "recvonly")),
      sfu.next("offer").then(async ({ from }) => {
        const sdp = media("sfueye", "sendonly");
        await sfu.send({ type: "offer", to: from, sdp });
        await sfu.send({
          type: "candidates",
          to: from,
          exchange: 2,
          candidates: [],
          complete: true,
        });
      }),
    ]);
    expect(eye.take(response).status).toBe(406);
    expect(response.headers.get("content-type")).toContain(SDP);
    const reply = (sdp: string) =>
      call(eye.url, { method: "PATCH", headers: { "content-type": SDP }, body: sdp });
    expect((await reply(media("eye", "recvonly", { setup: "active" }))).status).toBe(204);
    expect(await sfu.next("answer")).toMatchObject({ from: eye.id, exchange: 2 });
    expect((await reply(media("eye", "recvonly", { setup: "active" }))).status).toBe(409);
    const trickled = `a=ice-ufrag:ufrageye\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=${CANDIDATE}\r\n`;
    expect((await eye.patch(trickled)).status).toBe(204);
    expect(await sfu.next("candidates")).toMatchObject({ from: eye.id, exchange: 2 });
    expect((await eye.patch(restart("fresh"))).status).toBe(409);
  });
});

describe("without a media server", () => {
  it("[W3] a publisher sends to the one peer that is there", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    const cam = new Client(session, await session.invite());
    expect((await publish(alice, cam)).status).toBe(201);
    expect((await cam.delete()).status).toBe(200);
  });
});

describe("R4 for HTTP clients", () => {
  it("[R4] what they are is remembered, whatever is evicted between requests", async () => {
    const { session, sfu, client } = await central();
    const cam = await client();
    await publish(sfu, cam);
    const evicting = new LiveSession(session.id, "evicted");
    await evicting.pause();
    expect((await cam.patch(`m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=${CANDIDATE}\r\n`)).status).toBe(
      204,
    );
    expect(await sfu.next("candidates")).toMatchObject({ from: cam.id });
    await evicting.pause();
    const [response] = await Promise.all([
      cam.patch(restart("fresh")),
      answer(sfu, "recvonly", { ufrag: "again", version: 2 }),
    ]);
    expect(response.status).toBe(200);
    await evicting.pause();
    expect((await cam.patch(restart("ufragcam"), { "if-match": "*" })).status).toBe(412);
    await evicting.pause();
    expect((await cam.delete()).status).toBe(200);
  });
});
