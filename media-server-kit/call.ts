import { judgeAnswer } from "./answer-checks.ts";
import type { CheckId } from "./catalogue.ts";
import { Failure, within } from "./judgement.ts";
import { NativePeer } from "./native-peer.ts";
import { Player, plays } from "./player.ts";
import { Publisher } from "./publisher.ts";
import { openContexts, openScene, type Scene, type Stage } from "./stage.ts";

/** One publisher of a simulcast, two players and a native peer, in one session: most checks are made there. */

export interface Call {
  readonly stage: Stage;
  readonly scene: Scene;
  readonly publisher: Publisher;
  readonly first: Player;
  readonly second: Player;
  readonly native: NativePeer;
  /** When all of them were there. */
  readonly openedMs: number;
}

/** A part of the call that judges some checks. */
export interface Step {
  readonly checks: readonly CheckId[];
  readonly play: (call: Call) => Promise<void>;
}

const MEDIA_MS = 10_000;
const ALIVE_MS = 5_000;
/** No number that a server reaches. */
const OWN_PROBE = 2_000_000_001;

async function judgeAlive({ verdicts }: Stage, { passage, conversation }: Scene): Promise<void> {
  await verdicts.judge("alive", async () => {
    passage.insert(
      { type: "probe", n: OWN_PROBE },
      (message) => message.type === "alive" && message.n === OWN_PROBE,
    );
    await within(
      ALIVE_MS,
      `\`alive\` with n ${OWN_PROBE}`,
      () =>
        conversation.saidOf("alive").some(({ message }) => message.n === OWN_PROBE) || undefined,
    );
  });
}

/** The failure that something ended in, or what it gave. */
async function attempt<T>(act: Promise<T>): Promise<T | Failure> {
  try {
    return await act;
  } catch (fault) {
    if (fault instanceof Failure) return fault;
    throw fault;
  }
}

/** Opens an HTTP client, and judges how its offer is answered. */
async function openClient<T>(
  { verdicts }: Stage,
  { conversation }: Scene,
  door: "whip" | "whep",
  start: () => Promise<T>,
): Promise<T | undefined> {
  const sinceMs = performance.now();
  const client = await attempt(start());
  const isOffered = conversation.toldOf("offer", sinceMs).length > 0;
  const isRight = isOffered && (await judgeAnswer(verdicts, conversation, door, sinceMs));
  if (!(client instanceof Failure)) return client;
  // What was said was right, and the client was refused all the same: it knows why.
  if (isRight || !isOffered) await verdicts.judge(`${door}-answer`, () => Promise.reject(client));
  return undefined;
}

async function closeAll(parts: readonly ({ close: () => Promise<void> } | undefined)[]) {
  await Promise.all(parts.map((part) => part?.close()));
}

/** Opens the call, and judges that; undefined where nothing can follow. */
export async function openCall(stage: Stage): Promise<Call | undefined> {
  const { verdicts } = stage;
  let opened: Scene | undefined;
  await verdicts.judge("joins", async () => {
    opened = await openScene(stage);
  });
  const scene = opened;
  if (scene === undefined) return undefined;
  await judgeAlive(stage, scene);
  const publisher = await openClient(stage, scene, "whip", () =>
    Publisher.start(scene.session, ["q", "h", "f"]),
  );
  if (publisher === undefined) return undefined;
  const play = () => openClient(stage, scene, "whep", () => Player.start(scene.session));
  const first = await play();
  const second = first && (await play());
  if (first === undefined || second === undefined) {
    await closeAll([publisher, first]);
    return undefined;
  }
  const native = await NativePeer.start(scene.session, scene.server);
  const openedMs = performance.now();
  const call: Call = { stage, scene, publisher, first, second, native, openedMs };
  if (await judgeMedia(call)) return call;
  await closeCall(call);
  return undefined;
}

export async function closeCall({ publisher, first, second, native }: Call): Promise<void> {
  await closeAll([publisher, first, second, native]);
}

async function judgeMedia({ stage, scene, publisher, first, second, native }: Call) {
  const { verdicts } = stage;
  const toPlayers = await verdicts.judge("rtp-to-players", async () => {
    await publisher.connected();
    await plays(first.connection, "the first player", MEDIA_MS);
    await plays(second.connection, "the second player", MEDIA_MS);
  });
  await verdicts.judge("rtp-to-native", () =>
    plays(native.connection, `native peer ${native.id}`, MEDIA_MS).catch((fault: unknown) => {
      if (!(fault instanceof Failure)) throw fault;
      const offers = scene.conversation
        .saidOf("offer")
        .filter(({ message }) => message.to === native.id);
      throw new Failure(
        `${fault.message}; ${offers.length} offers to it, ${native.answered} answered`,
      );
    }),
  );
  return toPlayers;
}

/** The context of a flow that carries video, of a peer. */
export function videoFlow(
  scene: Scene,
  peer: string,
  direction: "uplink" | "downlink",
): Promise<string> {
  return within(
    5_000,
    `a video ${direction} context of ${peer} that has a flow`,
    () =>
      openContexts(scene).find(
        (each) =>
          each.peer === peer &&
          each.direction === direction &&
          each.kind === "video" &&
          each.flow !== undefined,
      )?.flow,
  );
}
