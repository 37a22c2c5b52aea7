import { setTimeout as delay } from "node:timers/promises";
import { type Call, type Step, videoFlow } from "./call.ts";
import { demandResults } from "./conversation-checks.ts";
import { demand, within } from "./judgement.ts";
import { newest, plays } from "./player.ts";

/** What happens to the socket and to ICE while media flow. */

const BACK_MS = 10_000;
const BLOCKED_MS = 1_500;
const LONGEST_GAP_MS = 1_000;
const RETOLD_MS = 1_000;

async function playUnknown({ stage, scene, first }: Call): Promise<void> {
  await stage.verdicts.judge("unknown-messages", async () => {
    const { passage, session, conversation } = scene;
    const flow = await videoFlow(scene, first.id, "downlink");
    const sinceMs = performance.now();
    passage.insert({ type: "kit-unknown", body: { of: ["the kit"] }, revision: "none" });
    passage.add({ kitUnknown: { is: [1, null, "a member of a later version"] } });
    try {
      await session.steer(flow, { maxBitrateBps: 5_000_000 });
      await within(
        3_000,
        "the server to tell a changed context",
        () => conversation.toldOf("context", sinceMs)[0],
      );
      await demandResults(conversation, sinceMs);
    } finally {
      passage.add(undefined);
    }
    await session.steer(flow, { maxBitrateBps: null });
    await plays(
      first.connection,
      "a player, after a message of an unknown type",
      3_000,
      performance.now(),
    );
  });
}

async function playRestart({ stage, scene, publisher, first }: Call): Promise<void> {
  const before = publisher.remoteCredentials;
  const flows = await scene.session.live(({ from }) => from === publisher.id);
  const isRestarted = await stage.verdicts.judge("ice-restart", async () => {
    await publisher.restart();
    const after = publisher.remoteCredentials;
    const isNew = after.ufrag !== before.ufrag && after.pwd !== before.pwd;
    demand(isNew, "expected another ufrag and pwd in the answer to an ICE restart; saw the same");
  });
  if (!isRestarted) {
    stage.verdicts.skip("restart-flows", "ICE was not restarted");
    return;
  }
  await stage.verdicts.judge("restart-flows", async () => {
    await publisher.connected();
    await plays(
      first.connection,
      "a player, after the publisher's ICE restart",
      8_000,
      performance.now() + 1_000,
    );
    const after = await scene.session.live(({ from }) => from === publisher.id);
    const lost = flows.filter(({ id }) => !after.some((flow) => flow.id === id));
    demand(
      lost.length === 0,
      `expected the flows to go on; ended: ${lost.map(({ id }) => id).join(", ")}`,
    );
  });
}

/** The longest time without a picture. */
function longestGapMs({ first: { connection } }: Call, fromMs: number, toMs: number): number {
  const moments = connection
    .since(fromMs, ({ kind, atMs }) => kind === "video" && atMs < toMs)
    .map(({ atMs }) => atMs);
  const all = [fromMs, ...moments, toMs];
  return Math.max(...all.slice(1).map((atMs, index) => atMs - (all[index] ?? atMs)));
}

async function playCut(call: Call): Promise<void> {
  const { stage, scene, first } = call;
  const { passage, conversation } = scene;
  const sockets = conversation.sockets.length;
  const cutMs = performance.now();
  passage.block(true);
  passage.cut();
  await delay(BLOCKED_MS);
  passage.block(false);
  const freeMs = performance.now();
  const isBack = await stage.verdicts.judge("reconnects", async () => {
    const welcome = await within(
      BACK_MS,
      "the media server to open its socket again",
      () => conversation.toldOf("welcome", cutMs)[0],
      () => `${conversation.sockets.length - sockets} sockets since it was cut`,
    );
    const query = conversation.sockets.at(-1)?.query ?? "";
    demand(
      welcome.message.resumed,
      `expected a resumed stay (no \`fresh=true\`, within 60 s); saw resumed: false, query "${query}"`,
    );
  });
  const endMs = performance.now();
  await stage.verdicts.judge("media-without-socket", () => {
    if (newest(first.connection, ({ kind }) => kind === "video") === undefined) return;
    const gapMs = longestGapMs(call, cutMs, endMs);
    const gap = `${(gapMs / 1000).toFixed(1)} s without a picture`;
    demand(gapMs < LONGEST_GAP_MS, `expected RTP to go on while the socket was lost; saw ${gap}`);
  });
  if (!isBack) {
    stage.verdicts.skip("told-again", "it did not come back");
    return;
  }
  await stage.verdicts.judge("told-again", async () => {
    await delay(RETOLD_MS);
    const told = conversation.toldOf("context", freeMs);
    demand(told.length > 0, "expected the server to tell the contexts again; it did not");
    await demandResults(conversation, freeMs);
  });
}

export const SOCKET_STEPS: readonly Step[] = [
  { checks: ["unknown-messages"], play: playUnknown },
  { checks: ["ice-restart", "restart-flows"], play: playRestart },
  { checks: ["reconnects", "media-without-socket", "told-again"], play: playCut },
];
