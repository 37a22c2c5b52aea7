import { setTimeout as delay } from "node:timers/promises";
import type { CheckId } from "./catalogue.ts";
import { demandResults, demandSilenceOfClosed, demandValid } from "./conversation-checks.ts";
import { demand, within } from "./judgement.ts";
import { Player, plays } from "./player.ts";
import { Publisher } from "./publisher.ts";
import { openScene, postInvitation, type Stage } from "./stage.ts";

/** Scenes of their own sessions, played while the call goes on. */

/** What is played besides the call. */
export interface OwnScene {
  readonly checks: readonly CheckId[];
  readonly play: (stage: Stage) => Promise<void>;
}

const WRONG_SECRET = "not-the-secret-of-this-media-server";

/** The door of invitations. */
async function playDoor({ verdicts, options }: Stage): Promise<void> {
  const { secret } = options;
  await verdicts.judge("invitation-body", async () => {
    const status = await postInvitation(options, "{", secret);
    demand(status >= 400 && status < 500, `expected 4xx to a body that is no JSON; saw ${status}`);
  });
  if (secret === undefined) {
    verdicts.skip("secret", "only with --secret");
    return;
  }
  await verdicts.judge("secret", async () => {
    for (const shown of [WRONG_SECRET, undefined]) {
      const status = await postInvitation(options, {}, shown);
      const what = shown === undefined ? "no secret" : "a wrong secret";
      demand(status === 401 || status === 403, `expected 401 or 403 to ${what}; saw ${status}`);
    }
  });
}

const MEDIA_MS = 10_000;
const RETURN_MS = 3_000;

/** A second session, which ends while the first goes on. */
async function playSecondSession(stage: Stage): Promise<void> {
  const { verdicts } = stage;
  const scene = await openScene(stage);
  const { session, conversation } = scene;
  let publisher: Publisher | undefined;
  let player: Player | undefined;
  const isServed = await verdicts.judge("second-session", async () => {
    publisher = await Publisher.start(session);
    player = await Player.start(session);
    await plays(player.connection, "the player of a second session", MEDIA_MS);
    const strangers = player.connection.since(
      0,
      (each) => each.publisher !== undefined && each.publisher !== publisher?.id,
    );
    demand(
      strangers.length === 0,
      `expected only media of its own session; saw ${strangers[0]?.publisher}`,
    );
    await demandResults(conversation);
  });
  await session.end();
  if (!isServed) verdicts.skip("session-ends", "the session was not served");
  else {
    await verdicts.judge("session-ends", async () => {
      await within(5_000, "the server to close the socket (4000)", () =>
        conversation.toldOf("closing").some(({ message }) => message.code === 4000),
      );
      const sockets = conversation.sockets.length;
      await delay(RETURN_MS);
      const more = conversation.sockets.length - sockets;
      demand(more === 0, `expected it to stay away after 4000; saw ${more} sockets`);
      demandValid(conversation);
      demandSilenceOfClosed(conversation);
    });
  }
  await Promise.all([publisher?.close(), player?.close()]);
}

const LOST_MS = 60_000;

/** A publisher whose process is gone. */
async function playVanished(stage: Stage): Promise<void> {
  const scene = await openScene(stage);
  const { conversation, session } = scene;
  await stage.verdicts.judge("vanished", async () => {
    const publisher = await Publisher.start(session);
    const reports = () =>
      conversation.saidOf("transport").filter(({ message }) => message.to === publisher.id);
    const states = () => reports().map(({ message }) => message.state);
    await within(MEDIA_MS, "`transport` connected", () => states().includes("connected"));
    await publisher.vanish();
    await within(
      LOST_MS,
      "`transport` disconnected or failed of a publisher that is gone without a word",
      () => states().some((state) => ["disconnected", "failed", "closed"].includes(state)),
      () => states().join(", "),
    );
  });
  await session.end();
}

export const DOOR: OwnScene = { checks: ["invitation-body", "secret"], play: playDoor };
export const SECOND_SESSION: OwnScene = {
  checks: ["second-session", "session-ends"],
  play: playSecondSession,
};
export const VANISHED: OwnScene = { checks: ["vanished"], play: playVanished };
