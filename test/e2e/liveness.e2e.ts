import { readFileSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { sdpOf } from "../descriptions.ts";
import { Backend, until } from "./caller.ts";
import { type Server, startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

/** Clients that do not read, or that are silent, on real TCP connections to a server of their own. */

let server: Server;
let state: string;
const open: Raw[] = [];

beforeAll(async () => {
  state = temporaryFolder("liveness");
  server = await startServer({
    file: process.execPath,
    args: [fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url))],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { DUPLEX_STATE: state },
    readyLimitMs: 90_000,
  });
});

afterAll(async () => {
  for (const raw of open) raw.socket.terminate();
  const left = await server.stop();
  rmSync(state, { recursive: true, force: true });
  expect(left).toEqual([]);
});

interface Frame {
  readonly type: string;
  readonly [member: string]: unknown;
}

interface Invitation {
  readonly peer: { readonly id: string };
  readonly token: string;
  readonly signalling: { readonly url: string };
}

class Raw {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  code: number | null = null;

  constructor({ signalling, token }: Invitation) {
    // Without compression: what waits is as large as it looks.
    this.socket = new WebSocket(signalling.url, ["duplex.v1", `bearer.${token}`], {
      perMessageDeflate: false,
    });
    this.socket.on("message", (data) => this.frames.push(JSON.parse(String(data))));
    this.socket.on("close", (code) => {
      this.code = code;
    });
    this.socket.on("error", () => undefined);
    open.push(this);
  }

  async next(type: string, limitMs = 30_000): Promise<Frame> {
    await until(type, () => this.frames.some((frame) => frame.type === type), limitMs);
    const index = this.frames.findIndex((frame) => frame.type === type);
    return this.frames.splice(index, 1)[0]!;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** From now on nothing is read from the TCP connection; what is written to it still goes out. */
  stopReading(): void {
    (this.socket as unknown as { _socket: Socket })._socket.pause();
  }
}

/** Resident memory of the server's runtime, MiB. */
function memoryMiB(): number {
  const sizes = server.processes().map(({ pid }) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      if (!/^Name:\s+workerd/m.test(status)) return 0;
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

const stateOf = async (backend: Backend, peer: string): Promise<string | undefined> => {
  const { peers } = await backend.read<{ peers: { id: string; state: string }[] }>("/peers");
  return peers.find(({ id }) => id === peer)?.state;
};

describe("a peer that does not read", () => {
  it("[S8] is lost after 8 MiB, again and again; memory stays, and a bystander's messages arrive", async () => {
    const backend = await Backend.start(server.baseUrl);
    const [one, two, three] = [
      await backend.invite(),
      await backend.invite(),
      await backend.invite(),
    ] as [Invitation, Invitation, Invitation];
    const alice = new Raw(one);
    await alice.next("welcome");
    const carol = new Raw(three);
    await carol.next("welcome");
    const filler = `a=x:${"y".repeat(100)}\r\n`;
    const sizes: number[] = [];
    for (let round = 0; round < 8; round++) {
      const mallory = new Raw(two);
      await mallory.next("welcome");
      if (round === 0) {
        alice.send({
          type: "offer",
          id: 1,
          to: two.peer.id,
          sdp: sdpOf() + filler.repeat(4_700),
        });
        await alice.next("ack");
      }
      mallory.stopReading();
      for (let id = 10; id < 40; id++) mallory.send({ type: "state", id });
      alice.send({ type: "message", to: three.peer.id, body: round });
      expect((await carol.next("message")).body).toBe(round);
      await until("lost", async () => (await stateOf(backend, two.peer.id)) === "away", 20_000);
      sizes.push(Math.round(memoryMiB()));
    }
    // Each socket that was cut off held 8 MiB and more; those that the runtime keeps would add up.
    expect(sizes.at(-1)! - sizes[1]!, sizes.join(" ")).toBeLessThan(40);
  }, 120_000);
});

describe("a peer that is silent", () => {
  it("[S5] is asked when others cannot reach it, and lost, not gone, when it says nothing", async () => {
    const backend = await Backend.start(server.baseUrl);
    const [one, two] = [await backend.invite(), await backend.invite()] as [Invitation, Invitation];
    const alice = new Raw(one);
    await alice.next("welcome");
    const bob = new Raw(two);
    await bob.next("welcome");
    alice.send({ type: "offer", id: 1, to: two.peer.id, sdp: sdpOf() });
    const { exchange } = await bob.next("offer");
    const sdp = sdpOf({ setup: "active" });
    bob.send({ type: "answer", id: 1, to: one.peer.id, exchange, sdp });
    await bob.next("ack");
    bob.send({ type: "ping" });
    await bob.next("pong");
    const pingedAt = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const report = (id: number) =>
      alice.send({ type: "transport", id, to: two.peer.id, state: "disconnected" });
    report(2);
    bob.send({ type: "alive", n: (await bob.next("probe")).n });
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    bob.stopReading();
    report(3);
    await until("lost", async () => (await stateOf(backend, two.peer.id)) === "away", 45_000);
    expect(Date.now() - pingedAt).toBeGreaterThan(30_000);
    expect(alice.frames.some(({ type }) => type === "peer-left")).toBe(false);
    const again = new Raw(two);
    expect(await again.next("welcome")).toMatchObject({ resumed: true });
    expect(alice.frames.some(({ type }) => type === "peer-left")).toBe(false);
  }, 90_000);
});
