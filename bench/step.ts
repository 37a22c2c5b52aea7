import type { FromPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import { nextDeadline } from "../protocol/session-deadline.ts";
import { step } from "../protocol/step.ts";
import { candidateOf, sdpOf } from "../test/descriptions.ts";
import { accepted, PureSession } from "../test/pure-session.ts";
import type { Bench, BenchOptions, Outcome } from "./bench.ts";
import { alternate, type Contender, medianOf, type Rounds, ratioOf, saysRounds } from "./rounds.ts";

/**
 * What one frame costs in the core alone, in Node, by how many peers its session has: a frame between two peers must
 * not cost more because others are there.
 */

const SIZES = { central: [2, 5, 20, 50], mesh: [2, 5, 20] } as const;
const ROUNDS = 7;
const SERVER = "server";

const SHAPE = { sections: [{ kind: "audio" }, { kind: "video" }] } as const;

type Topology = "central" | "mesh";

/** All have negotiated: with the media server, or each with each. */
function sessionOf(topology: Topology, peers: number): PureSession {
  const central = topology === "central";
  const pure = new PureSession({ topology, maxPeers: 100 });
  if (central) pure.join(SERVER, "media-server");
  const names = Array.from({ length: peers }, (_none, n) => `peer${n}`);
  names.forEach((one, n) => {
    pure.join(one);
    for (const other of central ? [SERVER] : names.slice(0, n)) connect(pure, one, other);
  });
  return pure;
}

function connect(pure: PureSession, one: string, other: string): void {
  // Many offers at once are refused.
  pure.at += 1_000;
  const offer = sdpOf({ ...SHAPE, of: one });
  const { ack } = accepted(pure.send(one, { type: "offer", to: other, sdp: offer }));
  const answer = sdpOf({ ...SHAPE, of: other, setup: "active" });
  const exchange = ack?.exchange ?? 0;
  accepted(pure.send(other, { type: "answer", to: one, exchange, sdp: answer }));
  accepted(pure.send(one, { type: "transport", to: other, state: "connected" }));
}

/** How many of a kind are timed together: a frame alone is shorter than the clock can tell. */
const TIMED_FRAMES = {
  message: 1_000_000,
  candidates: 30_000,
  transport: 2_000,
  offer: 400,
} as const;

/** Frames of one peer, sent in this order to the same session each time: it does not fill up. */
const BURSTS = {
  message: (to: string) => [{ type: "message", to, body: { key: "value", number: 1 } }],
  candidates: (to: string) =>
    [1, 2, 3].map((n) => ({
      type: "candidates",
      to,
      exchange: 1,
      candidates: [candidateOf(n, "ufragpeer1")],
    })),
  transport: (to: string) =>
    (["disconnected", "connected"] as const).map((state) => ({ type: "transport", to, state })),
  offer: (to: string) => [{ type: "offer", to, sdp: sdpOf({ ...SHAPE, of: "peer1", version: 2 }) }],
} as const satisfies Record<keyof typeof TIMED_FRAMES, (to: string) => readonly FromPeer[]>;

const KINDS = ["message", "candidates", "transport", "offer"] as const;

/** Microseconds of processor time per frame, with what the object asks after each: when something is due. */
function frameTime(
  { session, at }: PureSession,
  messages: readonly FromPeer[],
  frames: number,
): number {
  const began = process.cpuUsage();
  for (let frame = 0; frame < frames; frame += messages.length) {
    let now = session;
    for (const message of messages) {
      const result = step(now, { type: "message", peer: "peer1", message, at });
      if (isProblem(result)) throw new Error(`${result.code}: ${result.detail}`);
      now = result.session;
      nextDeadline(now);
    }
  }
  const { user, system } = process.cpuUsage(began);
  return (user + system) / frames;
}

const nameOf = (topology: Topology, peers: number): string => `${topology} ${peers}`;

function contender(topology: Topology, peers: number): Contender {
  const pure = sessionOf(topology, peers);
  const to = topology === "central" ? SERVER : "peer0";
  return {
    name: nameOf(topology, peers),
    measure: async () =>
      Object.fromEntries(
        KINDS.map((kind) => [kind, frameTime(pure, BURSTS[kind](to), TIMED_FRAMES[kind])]),
      ),
  };
}

const rowOf = (rounds: Rounds, topology: Topology, peers: number): readonly string[] => {
  const name = nameOf(topology, peers);
  return [
    topology,
    String(peers),
    ...KINDS.flatMap((kind) => [
      medianOf(rounds.get(name) ?? [], kind).toFixed(1),
      ratioOf(rounds, name, nameOf(topology, 2), kind),
    ]),
  ];
};

async function measure({ rounds = ROUNDS }: BenchOptions): Promise<Outcome> {
  const scenes = Object.entries(SIZES).flatMap(([topology, sizes]) =>
    sizes.map((peers) => [topology as Topology, peers] as const),
  );
  const measured = await alternate(
    scenes.map(([topology, peers]) => contender(topology, peers)),
    rounds,
  );
  return {
    tables: [
      {
        head: ["topology", "peers", ...KINDS.flatMap((kind) => [`${kind}, µs`, "ratio"])],
        rows: scenes.map(([topology, peers]) => rowOf(measured, topology, peers)),
      },
    ],
    raw: [...measured],
    with: [`${rounds} rounds`],
    about: [
      "`step` alone, in Node, for frames of one peer to another in a session where every link has an exchange in force:",
      "processor time per frame, and against the session of two peers, round by round. A `message` and candidates",
      "change no link; a report on a transport changes the flows of one, and with them what follows for others; an offer",
      "is compared with what everybody else has said.",
      saysRounds(measured, rounds),
    ],
  };
}

export const stepAlone: Bench = {
  name: "step",
  title: "One frame in the core alone",
  run: measure,
};
