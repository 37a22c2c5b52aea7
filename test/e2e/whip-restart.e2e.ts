import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { isProblem } from "../../protocol/problem.ts";
import { completedAnswer } from "../../protocol/whip/completed-answer.ts";
import { credentialsOf, readFragment } from "../../protocol/whip/fragment.ts";
import { patchedOffer } from "../../protocol/whip/patched-offer.ts";
import { restartFragment } from "../../protocol/whip/restart-fragment.ts";
import { type Browser, type BrowserName, launch, type Page } from "./browsers.ts";

/** Descriptions that WHIP makes out of fragments, taken by the connections of real browsers. */

declare global {
  interface Window {
    pair: { client: RTCPeerConnection; server: RTCPeerConnection };
  }
}

type Side = keyof Window["pair"];

/** Runs in the page: two connections, the client's with audio, video and data to send. */
const begin = (): void => {
  const client = new RTCPeerConnection();
  client.addTransceiver("audio", { direction: "sendonly" });
  client.addTransceiver("video", { direction: "sendonly" });
  client.createDataChannel("x");
  window.pair = { client, server: new RTCPeerConnection() };
};

/** Runs in the page: makes a whole description, with all its candidates. */
const describeSide = async ({ side, restart }: { side: Side; restart: boolean }) => {
  const connection = window.pair[side];
  const gathered = new Promise<void>((resolve) => {
    connection.onicecandidate = ({ candidate }) => candidate ?? resolve();
  });
  const made =
    side === "server"
      ? await connection.createAnswer()
      : await connection.createOffer({ iceRestart: restart });
  await connection.setLocalDescription(made);
  await gathered;
  return String(connection.localDescription?.sdp);
};

/** Runs in the page. */
const take = ({ side, sdp }: { side: Side; sdp: string }) =>
  window.pair[side].setRemoteDescription({ type: side === "server" ? "offer" : "answer", sdp });

/**
 * Runs in the page: waits until checks between two candidates of which neither was known have succeeded, which
 * takes the credentials of both; gives all candidates there are then. Which pair is used shows only with media.
 */
const checked = async ({ side, known }: { side: Side; known: string[] }) => {
  for (let tries = 0; tries < 200; tries += 1) {
    const stats = [...(await window.pair[side].getStats()).values()];
    const isNew = stats.some(
      ({ type, state, localCandidateId, remoteCandidateId }) =>
        type === "candidate-pair" &&
        state === "succeeded" &&
        !known.includes(localCandidateId) &&
        !known.includes(remoteCandidateId),
    );
    if (isNew && window.pair[side].connectionState === "connected") {
      return stats.filter(({ type }) => type.endsWith("-candidate")).map(({ id }) => String(id));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing new between them: ${window.pair[side].connectionState}`);
};

/** What a client sends of an offer in which ICE restarts: the first section's candidates, credentials before it. */
function fragmentOf(offer: string): string {
  const lines = offer.split("\r\n");
  const first = (start: string) => lines.find((line) => line.startsWith(start)) ?? "";
  const [, section = ""] = offer.split(/^(?=m=)/m);
  const candidates = section.split("\r\n").filter((line) => line.startsWith("a=candidate:"));
  return [
    ...["a=ice-ufrag:", "a=ice-pwd:", "m=", "a=mid:"].map(first),
    ...candidates,
    "a=end-of-candidates",
  ].join("\r\n");
}

/** A description with what a fragment says. */
function withFragment(sdp: string, body: string): string {
  const fragment = readFragment(body);
  if (isProblem(fragment)) throw new Error(fragment.detail);
  const { iceUfrag = "", icePwd = "" } = credentialsOf(fragment);
  return patchedOffer(sdp, { ...fragment, iceUfrag, icePwd });
}

describe.each<BrowserName>(["chromium", "firefox"])("connections of %s", (name) => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launch(name);
    page = await browser.open(inject("baseUrl"));
  });
  afterAll(() => browser?.close());

  it("[W6] take the completed answer, and restart ICE by what is made of fragments, twice", async () => {
    await page.evaluate(begin, undefined);
    let offer = await page.evaluate(describeSide, { side: "client", restart: false });
    await page.evaluate(take, { side: "server", sdp: offer });
    let answer = completedAnswer(
      await page.evaluate(describeSide, { side: "server", restart: false }),
    );
    expect(answer.split("a=rtcp-mux-only\r\n")).toHaveLength(3);
    await page.evaluate(take, { side: "client", sdp: answer });
    const known: Record<Side, string[]> = { client: [], server: [] };
    const connected = async () => {
      for (const side of ["client", "server"] as const) {
        known[side] = await page.evaluate(checked, { side, known: known[side] });
      }
    };
    await connected();
    for (let generation = 1; generation <= 2; generation += 1) {
      const fresh = await page.evaluate(describeSide, { side: "client", restart: true });
      offer = withFragment(offer, fragmentOf(fresh));
      await page.evaluate(take, { side: "server", sdp: offer });
      const said = restartFragment(
        await page.evaluate(describeSide, { side: "server", restart: false }),
      );
      if (isProblem(said)) throw new Error(said.detail);
      answer = withFragment(answer, said);
      await page.evaluate(take, { side: "client", sdp: answer });
      await connected();
    }
  });
});
