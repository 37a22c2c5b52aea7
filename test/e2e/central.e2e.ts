import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Browser, launchChromium } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";
import { inviteMediaServer, type MediaServer, startMediaServer } from "./media-server.ts";

/** Native peers of a central session, through the example media server. */

const baseUrl = inject("baseUrl");

let browser: Browser;
let server: MediaServer;
beforeAll(async () => {
  [browser, server] = await Promise.all([launchChromium(), startMediaServer()]);
});
afterAll(async () => {
  await Promise.all([browser?.close(), server?.kill()]);
});

const WIDTH = 960;

/** Publishes a camera in three layers. */
const publishLayers = (caller: Caller): Promise<void> =>
  caller.page.evaluate(async (width) => {
    const stream = await navigator.mediaDevices.getUserMedia({
      video: { width, height: (width * 9) / 16, frameRate: 15 },
    });
    const [track] = stream.getVideoTracks();
    if (!track) throw new Error("no camera");
    const sendEncodings = [
      { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
      { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
      { rid: "f", maxBitrate: 1_500_000 },
    ];
    window.call.session.publish(track, { streams: [stream], sendEncodings });
  }, WIDTH);

/** Width of the picture that is decoded now. */
async function frameWidth(caller: Caller, peer: string): Promise<number> {
  const stats = await caller.rawStats(peer);
  const video = stats.find((stat) => stat.type === "inbound-rtp" && stat.kind === "video");
  return Number(video?.frameWidth ?? 0);
}

describe("a central session of native peers", () => {
  it("[M7] the layer follows the limit of who receives, and the record says which", async () => {
    const backend = await Backend.start(baseUrl, { topology: "central" });
    const invitation = (await inviteMediaServer(server, backend)) as { peer: { id: string } };
    const sfu = invitation.peer.id;
    const cam = await Caller.join(browser, backend, { kinds: [] });
    const eye = await Caller.join(browser, backend, { kinds: [] });
    await publishLayers(cam);
    await eye.receives(sfu, ["video"]);
    const downlink = async () => {
      const { flows } = await backend.flows(`?peer=${eye.id}`);
      return flows.find(
        ({ to, kind, state }) => to === eye.id && kind === "video" && state === "active",
      );
    };
    const shows = (layer: string, width: number) =>
      until(`${layer} is shown`, async () => {
        const isChosen = (await downlink())?.layer === layer;
        return isChosen && (await frameWidth(eye, sfu)) === width;
      });
    await shows("f", WIDTH);
    const flow = (await downlink())?.id ?? "";
    const uplink = (await backend.flows(`?peer=${cam.id}`)).flows.find(
      ({ from, kind }) => from === cam.id && kind === "video",
    );
    expect((await downlink())?.sourceFlows).toEqual([uplink?.id]);
    expect(uplink?.layers.map(({ rid }) => rid)).toEqual(["q", "h", "f"]);
    await eye.page.evaluate(
      (id) => window.call.session.changeFlow(id, { maxBitrateBps: 200_000 }),
      flow,
    );
    await shows("q", WIDTH / 4);
    await eye.page.evaluate(
      (id) => window.call.session.changeFlow(id, { maxBitrateBps: null }),
      flow,
    );
    await shows("f", WIDTH);
    await Promise.all([cam.close(), eye.close()]);
  }, 180_000);

  it("[C3] a media server that drains hands its peers over to the next one, and nobody joins anew", async () => {
    const backend = await Backend.start(baseUrl, { topology: "central" });
    const second = await startMediaServer();
    const first = (await inviteMediaServer(server, backend)) as { peer: { id: string } };
    const cam = await Caller.join(browser, backend);
    const eye = await Caller.join(browser, backend, { kinds: [] });
    await eye.receives(first.peer.id);
    const next = (await inviteMediaServer(second, backend)) as { peer: { id: string } };
    await server.stop();
    await eye.receives(next.peer.id);
    const { peers } = await backend.read<{ peers: { id: string }[] }>("/peers");
    expect(peers.map(({ id }) => id).sort()).toEqual([cam.id, eye.id, next.peer.id].sort());
    await Promise.all([cam.close(), eye.close()]);
    await second.kill();
  }, 180_000);
});
