import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import { newSession, revisionOf, type Session } from "../protocol/session.ts";
import { type Role, SessionRequest } from "../protocol/session-config.ts";
import { type SessionEvent, step } from "../protocol/step.ts";
import { sdpOf } from "../test/descriptions.ts";
import type { Bench, Table } from "./bench.ts";

/**
 * How many `flows` frames a session sends, and how large they are: they must grow with what changed, not with the
 * square of who is there. Central sessions, where one link has two ends and everybody else nothing to do with it.
 */

const SIZES = [2, 5, 10, 20, 50];
const SERVER = "server";
const SECTIONS = [{ kind: "audio" }, { kind: "video" }] as const;
/** Looks at the clock around so many steps: one is shorter than the clock can tell. */
const TIMED_STEPS = 2000;
/** The fastest of them counts: the others were disturbed. */
const ROUNDS = 7;

interface Sent {
  readonly frames: number;
  readonly bytes: number;
  /** Events that changed flows. */
  readonly changes: number;
}

const NOTHING: Sent = { frames: 0, bytes: 0, changes: 0 };

const sum = (one: Sent, other: Sent): Sent => ({
  frames: one.frames + other.frames,
  bytes: one.bytes + other.bytes,
  changes: one.changes + other.changes,
});

/** A session with nothing around it, and what it has sent of flows. */
class CountedSession {
  session: Session;
  sent = NOTHING;
  #at = 1_700_000_000_000;

  constructor(peers: number) {
    const config = SessionRequest.parse({ topology: "central", maxPeers: peers + 1 });
    this.session = newSession("bench", config, this.#at);
  }

  do(event: SessionEvent): void {
    const before = revisionOf(this.session);
    const result = step(this.session, event);
    if (isProblem(result)) throw new Error(`${result.code}: ${result.detail}`);
    this.session = result.session;
    const frames = result.effects.flatMap((effect) =>
      effect.type === "send" && effect.message.type === "flows" ? [effect.message] : [],
    );
    const changes = revisionOf(result.session) > before ? 1 : 0;
    this.sent = sum(this.sent, { frames: frames.length, bytes: bytesOf(frames), changes });
  }

  join(peer: string, role: Role): void {
    const at = this.#at;
    const kinds = ["audio", "video", "data"] as const;
    const grant = { session: "bench", peer, role, publish: kinds, subscribe: kinds };
    const ice = { iceServers: [] };
    this.do({ type: "join", grant: { ...grant, expiresAt: at + 3_600_000 }, ice, at });
  }

  send(peer: string, message: FromPeer): void {
    this.#at += 1;
    this.do({ type: "message", peer, message, at: this.#at });
  }

  /** What an act sent, apart from what was sent before. */
  of(act: () => void): Sent {
    const { frames, bytes, changes } = this.sent;
    act();
    return sum(this.sent, { frames: -frames, bytes: -bytes, changes: -changes });
  }

  connect(peer: string): void {
    this.join(peer, "peer");
    const sdp = sdpOf({ of: peer, sections: SECTIONS });
    this.send(peer, { type: "offer", to: SERVER, sdp });
    const exchange = [...this.session.links.values()].at(-1)?.exchange ?? 0;
    const answer = sdpOf({ of: SERVER, setup: "active", sections: SECTIONS });
    this.send(SERVER, { type: "answer", to: peer, exchange, sdp: answer });
    this.send(peer, { type: "transport", to: SERVER, state: "connected" });
  }
}

const bytesOf = (frames: readonly ToPeer[]): number =>
  frames.reduce((all, frame) => all + Buffer.byteLength(JSON.stringify(frame)), 0);

/** The flow of a peer's microphone. */
function uplinkOf({ links }: Session, peer: string): string {
  const flows = [...links.values()].flatMap((link) => link.flows.flows);
  const found = flows.find(({ from, kind }) => from === peer && kind === "audio");
  if (!found) throw new Error(`${peer} sends nothing`);
  return found.id;
}

interface Measured {
  readonly peers: number;
  readonly setUp: Sent;
  readonly hold: Sent;
  readonly leave: Sent;
  /** Milliseconds for many changes of one flow. */
  readonly ms: number;
}

function measure(peers: number): Measured {
  const counted = new CountedSession(peers);
  const setUp = counted.of(() => {
    counted.join(SERVER, "media-server");
    for (let peer = 0; peer < peers; peer++) counted.connect(`peer${peer}`);
  });
  const flow = uplinkOf(counted.session, "peer0");
  const hold = counted.of(() => counted.send("peer0", { type: "flow", flow, held: true }));
  const times = Array.from({ length: ROUNDS }, () => timeOf(counted.session, flow));
  const ms = Math.min(...times);
  const leave = counted.of(() => counted.send("peer1", { type: "leave" }));
  return { peers, setUp, hold, leave, ms };
}

/** Milliseconds that many changes of a flow take, one by one. */
function timeOf(before: Session, flow: string): number {
  let session = before;
  const since = performance.now();
  for (let round = 0; round < TIMED_STEPS; round++) {
    const message = { type: "flow", flow, held: round % 2 === 1 } as const;
    const result = step(session, { type: "message", peer: "peer0", message, at: before.createdAt });
    if (isProblem(result)) throw new Error(result.detail);
    session = result.session;
  }
  return performance.now() - since;
}

const perChange = ({ frames, changes }: Sent): string => (frames / changes).toFixed(2);

function tableOf(measured: readonly Measured[]): Table {
  const [least] = measured;
  const times = (value: number, of: number | undefined): string => (value / (of ?? 1)).toFixed(2);
  return {
    head: [
      "peers",
      "changes in the set-up",
      "frames",
      "frames per change",
      "bytes per change",
      "if all were told",
      "frames of a hold",
      "bytes of a hold",
      "frames of a leave",
      "time of a hold",
    ],
    rows: measured.map(({ peers, setUp, hold, leave, ms }) => [
      String(peers),
      String(setUp.changes),
      String(setUp.frames),
      perChange(setUp),
      String(Math.round(setUp.bytes / setUp.changes)),
      // Each change to everybody who was there by then.
      String(Math.round((setUp.changes * (peers + 3)) / 2)),
      String(hold.frames),
      String(hold.bytes),
      String(leave.frames),
      `x ${times(ms, least?.ms)}`,
    ]),
  };
}

/** Problem: an `Error` when frames grow faster than what changed. */
export const flowEvents: Bench = {
  name: "flow-events",
  title: "`flows` frames in central sessions",
  run: () => {
    for (const peers of SIZES) measure(peers);
    const measured = SIZES.map(measure);
    const rates = measured.map(({ setUp }) => setUp.frames / setUp.changes);
    const isFlat = Math.max(...rates) <= Math.min(...rates) * 1.1;
    if (!isFlat) throw new Error(`frames per change grow with the peers: ${rates.join(", ")}`);
    return {
      tables: [tableOf(measured)],
      raw: measured,
      about: [
        "Each peer joins, agrees with the media server on audio and video both ways, and reports its transport as",
        "connected. Then one peer holds a flow, and one leaves. A change goes to the two ends of its link and nobody",
        "else, so that frames per change do not depend on how many are there; “if all were told” is what they would be",
        "otherwise. The time of a hold is that of `step` alone, relative to the smallest session: it looks at every link,",
        "which costs less than the change itself.",
      ],
    };
  },
};
