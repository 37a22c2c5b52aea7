import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Flow } from "../../protocol/flow.ts";
import { type Browser, launchChromium, launchFirefox } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";
import { HttpClient } from "./http-client.ts";
import { inviteMediaServer, type MediaServer, startMediaServer } from "./media-server.ts";

/** Stream contexts with a media server that does what they ask: pictures between browsers prove it. */

const baseUrl = inject("baseUrl");

let chromium: Browser;
let firefox: Browser;
let server: MediaServer;
beforeAll(async () => {
  [chromium, firefox, server] = await Promise.all([
    launchChromium(),
    launchFirefox(),
    startMediaServer(),
  ]);
});
afterAll(async () => {
  await Promise.all([chromium?.close(), firefox?.close(), server?.kill()]);
});

const central = async (): Promise<{ backend: Backend; sfu: string }> => {
  const backend = await Backend.start(baseUrl, { topology: "central" });
  const invitation = (await inviteMediaServer(server, backend)) as { peer: { id: string } };
  return { backend, sfu: invitation.peer.id };
};

/** Three browsers decode two pictures each, beside a media server. */
const SMALL = { width: 160, height: 120 };

const WINDOW_MS = 1000;

/** Waits until so many pictures and as many sounds come in, and each of them moves on; others have come to rest. */
const sees = async (caller: Caller, sfu: string, others: number): Promise<void> => {
  const progress = async (): Promise<Map<string, number>> => {
    const { inbound } = await caller.stats(sfu);
    return new Map(
      inbound.map(({ kind, mid, frames, packets }) => [
        `${kind} ${mid}`,
        kind === "video" ? frames : packets,
      ]),
    );
  };
  await until(`${caller.browser} sees and hears ${others}`, async () => {
    // Of who has just left, something may still be on its way: only the newest window counts.
    const before = await progress();
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const moved = [...(await progress())].filter(
      ([stream, count]) => count > (before.get(stream) ?? 0),
    );
    const ofKind = (kind: string) => moved.filter(([stream]) => stream.startsWith(kind)).length;
    return ofKind("video") === others && ofKind("audio") === others;
  });
};

const active = async (backend: Backend): Promise<Flow[]> =>
  (await backend.flows()).flows.filter(({ state }) => state === "active");

describe("native peers of a central session", () => {
  it("[M7] see and hear each other; who comes later too, in place of who left", async () => {
    const { backend, sfu } = await central();
    const first = await Caller.join(chromium, backend, SMALL);
    const callers = [first];
    for (const browser of [firefox, chromium])
      callers.push(await Caller.join(browser, backend, SMALL));
    await Promise.all(callers.map((caller) => sees(caller, sfu, 2)));
    await until("each downlink has its one source", async () => {
      const flows = await active(backend);
      const downlinks = flows.filter(({ from }) => from === sfu);
      return (
        downlinks.length === 12 &&
        downlinks.every(({ sourceFlows, to, kind, topology }) => {
          const [source] = flows.filter(({ id }) => id === sourceFlows[0]);
          const fits = source?.kind === kind && source.from !== to && topology === "projecting";
          return fits && sourceFlows.length === 1;
        })
      );
    });
    await first.close();
    const [, ...rest] = callers;
    await Promise.all(rest.map((caller) => sees(caller, sfu, 1)));
    const late = await Caller.join(chromium, backend, SMALL);
    const there = [...rest, late];
    await Promise.all(there.map((caller) => sees(caller, sfu, 2)));
    await Promise.all(there.map((caller) => caller.close()));
  }, 240_000);
});

describe("a simulcast", () => {
  it("[M7] is forwarded in the layer that a downlink's limit allows; not at all while it is held", async () => {
    const { backend, sfu } = await central();
    // A browser gives all its pages the size of picture that the first one asked for.
    const large = await launchChromium();
    await HttpClient.open(large, backend, "whip", {
      simulcast: true,
      width: 1280,
      height: 720,
    });
    const eye = await HttpClient.open(firefox, backend, "whep");
    const other = await HttpClient.open(chromium, backend, "whep");
    // A busy machine lets the browser leave its best layer out: the middle one is large too.
    const isLarge = (player: HttpClient) =>
      until(`${player.page.browser} has a large picture`, async () => {
        const { frameWidth } = await player.plays();
        return frameWidth >= 640;
      });
    await Promise.all([isLarge(eye), isLarge(other)]);
    const downlink = async (): Promise<Flow> => {
      const flows = await active(backend);
      const found = flows.find(
        ({ from, to, kind }) => from === sfu && to === eye.id && kind === "video",
      );
      if (found === undefined) throw new Error("no downlink");
      return found;
    };
    const { id, layer: best } = await downlink();
    await backend.change(id, { maxBitrateBps: 250_000 });
    await until("its picture is small", async () => (await eye.plays()).frameWidth === 320);
    const { layer: smallest } = await backend.flow(id);
    expect(smallest).not.toBe(best);
    // Nobody else's picture is touched.
    await isLarge(other);
    await backend.change(id, { maxBitrateBps: null });
    await isLarge(eye);
    await backend.change(id, { held: true });
    await until("it is not forwarded", async () => (await backend.flow(id)).forwarding === false);
    await backend.change(id, { held: false });
    await eye.plays();
    expect((await backend.flow(id)).forwarding).toBe(true);
    await Promise.all([large, eye, other].map((each) => each.close()));
  }, 240_000);
});
