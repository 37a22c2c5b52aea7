import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Browser, launch, type Page } from "./browsers.ts";
import { allocate } from "./turn-client.ts";

interface IceServer {
  readonly urls: string[];
  readonly username: string;
  readonly credential: string;
}

interface Credentials {
  readonly iceServers: IceServer[];
  readonly ttlSeconds: number;
  readonly expiresAt: number;
}

const baseUrl = inject("baseUrl");
const turn = inject("turn");

const credentials = async (body: object = {}): Promise<Credentials> => {
  const answer = await fetch(new URL("v1/turn/credentials", baseUrl), {
    method: "POST",
    headers: { Authorization: "Bearer dev-key", "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  return answer.json() as Promise<Credentials>;
};

const turnEntry = async (body?: object): Promise<IceServer> => {
  const { iceServers } = await credentials(body);
  const entry = iceServers.find(({ urls }) => urls.some((url) => url.startsWith("turn:")));
  expect(entry).toBeDefined();
  return entry!;
};

/** base64(HMAC-SHA1(secret, username)), draft-uberti-behave-turn-rest-00 s2.2. */
const sign = (username: string, secret: string): string =>
  createHmac("sha1", secret).update(username).digest("base64");

const spoil = (credential: string): string =>
  (credential.startsWith("A") ? "B" : "A") + credential.slice(1);

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

describe("time-limited credentials at coturn", () => {
  it("[A3] are accepted as issued, name their expiry and live at most as long as configured", async () => {
    const { ttlSeconds } = await credentials({ ttlSeconds: 172_800 });
    expect(ttlSeconds).toBe(turn.ttlSeconds);
    const { username, credential, urls } = await turnEntry();
    expect(urls).toEqual(
      ["udp", "tcp"].map((transport) => `turn:${turn.host}:${turn.port}?transport=${transport}`),
    );
    const [expiry, peer] = username.split(":");
    expect(Math.abs(Number(expiry) - inSeconds(turn.ttlSeconds))).toBeLessThan(10);
    expect(peer).toBeTruthy();
    expect(await allocate(turn, username, credential)).toMatchObject({ granted: true });
  });

  it("[A3] are refused with 401 when tampered with", async () => {
    const { username, credential } = await turnEntry();
    const refused = { granted: false, code: 401 };
    expect(await allocate(turn, username, spoil(credential))).toEqual(refused);
    const [, peer] = username.split(":");
    expect(await allocate(turn, `${inSeconds(9_999)}:${peer}`, credential)).toEqual(refused);
  });

  it("[A3] are refused with 401 once expired", async () => {
    const { username, credential } = await turnEntry({ ttlSeconds: 1 });
    expect(await allocate(turn, username, credential)).toMatchObject({ granted: true });
    await expect
      .poll(() => allocate(turn, username, credential), { timeout: 10_000, interval: 500 })
      .toEqual({ granted: false, code: 401 });
  });

  it("[A3] are signed with the first secret while the one rotated out is still accepted", async () => {
    const { username, credential } = await turnEntry();
    const [first, old] = turn.secrets;
    expect(credential).toBe(sign(username, first!));
    const issuedBefore = `${inSeconds(60)}:someone`;
    const accepted = await allocate(turn, issuedBefore, sign(issuedBefore, old!));
    expect(accepted).toMatchObject({ granted: true });
    const refused = await allocate(turn, issuedBefore, sign(issuedBefore, "never configured"));
    expect(refused).toEqual({ granted: false, code: 401 });
  });
});

/** Two ends in one page that may only use relays; gives the types of candidates they found. */
const connectByRelay = (page: Page, iceServers: RTCIceServer[]): Promise<string[]> =>
  page.evaluate(async (servers) => {
    const config: RTCConfiguration = { iceServers: servers, iceTransportPolicy: "relay" };
    const caller = new RTCPeerConnection(config);
    const callee = new RTCPeerConnection(config);
    const types = new Set<string>();
    // Resolves with the end of gathering, which is an empty candidate or none.
    const trickle = (from: RTCPeerConnection, to: RTCPeerConnection) =>
      new Promise<void>((resolve) => {
        from.onicecandidate = ({ candidate }) => {
          if (!candidate?.candidate) return resolve();
          types.add(candidate.type ?? "unknown");
          void to.addIceCandidate(candidate);
        };
      });
    const gathered = Promise.all([trickle(caller, callee), trickle(callee, caller)]);
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    for (const track of stream.getTracks()) caller.addTrack(track, stream);
    await caller.setLocalDescription();
    await callee.setRemoteDescription(caller.localDescription!);
    await callee.setLocalDescription();
    await caller.setRemoteDescription(callee.localDescription!);
    await Promise.race([gathered, new Promise((done) => setTimeout(done, 15_000))]);
    Object.assign(globalThis, { callee });
    return [...types];
  }, iceServers);

const decodedFrames = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const { callee } = globalThis as unknown as { callee: RTCPeerConnection };
    const reports = [...(await callee.getStats()).values()];
    const video = reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
    return video?.framesDecoded ?? 0;
  }, undefined);

describe.each(["chromium", "firefox"] as const)("relay only in %s", (name) => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launch(name);
    page = await browser.open(new URL("healthz", baseUrl).href);
  });

  afterAll(async () => {
    await browser?.close();
  });

  it("[A3] media flows through the TURN server with issued credentials", async () => {
    expect(await connectByRelay(page, [await turnEntry()])).toEqual(["relay"]);
    await expect.poll(() => decodedFrames(page), { timeout: 20_000 }).toBeGreaterThanOrEqual(5);
  });

  it("[A3] no relay is had with tampered credentials", async () => {
    const entry = await turnEntry();
    const tampered = { ...entry, credential: spoil(entry.credential) };
    expect(await connectByRelay(page, [tampered])).toEqual([]);
    expect(await decodedFrames(page)).toBe(0);
  });
});
