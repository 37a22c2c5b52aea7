import { afterEach, describe, expect, inject, it } from "vitest";
import WebSocket from "ws";
import { Signalling } from "../../client/signalling.ts";
import { Backend, until } from "./caller.ts";

/** Clients on real TCP sockets: without our SDK, and what of it needs no browser. */

const baseUrl = inject("baseUrl");
let open: Raw[] = [];

afterEach(() => {
  for (const raw of open) raw.socket.terminate();
  open = [];
});

class Raw {
  readonly socket: WebSocket;
  readonly frames: { type: string; [member: string]: unknown }[] = [];
  closed: { code: number; reason: string } | null = null;

  constructor(url: string, protocols: string[], headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, protocols, { headers });
    this.socket.on("message", (data) => this.frames.push(JSON.parse(String(data))));
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
    this.socket.on("error", () => undefined);
    open.push(this);
  }

  async next(type: string): Promise<{ type: string; [member: string]: unknown }> {
    await until(type, () => this.frames.some((frame) => frame.type === type), 20_000);
    const index = this.frames.findIndex((frame) => frame.type === type);
    return this.frames.splice(index, 1)[0]!;
  }

  async closing(): Promise<{ code: number; reason: string }> {
    await until("close", () => this.closed !== null, 20_000);
    return this.closed!;
  }

  send(message: object | string | Uint8Array): void {
    const isText = typeof message === "string" || message instanceof Uint8Array;
    this.socket.send(isText ? message : JSON.stringify(message));
  }
}

async function pair(): Promise<[Backend, Raw, Raw, string]> {
  const backend = await Backend.start(baseUrl);
  const one = await backend.invite();
  const two = await backend.invite();
  const alice = new Raw(one.signalling.url, ["duplex.v1", `bearer.${one.token}`]);
  await alice.next("welcome");
  const bob = new Raw(two.signalling.url, ["duplex.v1"], { authorization: `Bearer ${two.token}` });
  await bob.next("welcome");
  return [backend, alice, bob, two.peer.id];
}

describe("a client of one's own", () => {
  it("[A1] joins by subprotocol or by header, whatever the order of subprotocols", async () => {
    const [backend, , bob] = await pair();
    expect(bob.socket.protocol).toBe("duplex.v1");
    const third = await backend.invite();
    const carol = new Raw(third.signalling.url, [`bearer.${third.token}`, "duplex.v1"]);
    await carol.next("welcome");
    expect(carol.socket.protocol).toBe("duplex.v1");
  });

  it("[A1] a refused upgrade tells why in its body", async () => {
    const { signalling } = await (await Backend.start(baseUrl)).invite();
    for (const [url, protocols, code] of [
      [signalling.url, ["duplex.v1", "bearer.wrong"], "unauthorized"],
      [`${signalling.url}?token=x`, ["duplex.v1"], "token-in-url"],
    ] as const) {
      const body = await new Promise<string>((resolve, reject) => {
        const socket = new WebSocket(url, [...protocols]);
        socket.on("open", () => reject(new Error("was let in")));
        socket.on("error", () => undefined);
        socket.on("unexpected-response", (_request, response) => {
          let text = "";
          response.on("data", (chunk) => {
            text += String(chunk);
          });
          response.on("end", () => resolve(text));
        });
      });
      expect(JSON.parse(body)).toMatchObject({ code, status: 401 });
    }
  });

  it("[S7] a frame over the limit gets its problem, and the limit is told", async () => {
    const [, alice, bob] = await pair();
    alice.send("x".repeat(1_048_577));
    expect(await alice.next("problem")).toMatchObject({
      code: "message-too-large",
      maxBytes: 1_048_576,
    });
    alice.send(new Uint8Array([0, 1, 2]));
    expect(await alice.next("problem")).toMatchObject({ code: "malformed-message" });
    alice.send("x".repeat(2_000_000));
    await alice.next("problem");
    expect(bob.closed).toBeNull();
  });

  it("[S7] who goes on sending frames over the limit is closed with 1009", async () => {
    const [, alice, bob] = await pair();
    const large = "x".repeat(1_048_577);
    for (let sent = 0; sent < 80 && alice.closed === null; sent++) {
      alice.send(large);
      await until(
        "answered",
        () => alice.frames.some(({ type }) => type === "problem") || alice.closed !== null,
      );
      alice.frames.length = 0;
    }
    expect((await alice.closing()).code).toBe(1009);
    expect(bob.closed).toBeNull();
  });

  it("[S3] close codes arrive: replaced, left, session ended; and a client's own close is answered", async () => {
    const [backend, alice, bob, bobId] = await pair();
    bob.socket.close(4321, "mine");
    expect(await bob.closing()).toEqual({ code: 4321, reason: "mine" });
    alice.send({ type: "leave", id: 1 });
    expect(await alice.closing()).toEqual({ code: 1000, reason: "left" });
    const three = await backend.invite();
    const carol = new Raw(three.signalling.url, ["duplex.v1", `bearer.${three.token}`]);
    const { peers } = (await carol.next("welcome")) as unknown as {
      peers: { id: string; state: string }[];
    };
    expect(peers).toMatchObject([{ id: bobId, state: "away" }]);
    const again = new Raw(three.signalling.url, ["duplex.v1", `bearer.${three.token}`]);
    expect(await again.next("welcome")).toMatchObject({ resumed: true });
    expect(await carol.next("closing")).toEqual({
      type: "closing",
      code: 4001,
      reason: "replaced",
    });
    await fetch(new URL(`v1/sessions/${backend.id}`, baseUrl), {
      method: "DELETE",
      headers: { authorization: "Bearer dev-key" },
    });
    expect(await again.next("closing")).toEqual({
      type: "closing",
      code: 4000,
      reason: "session ended",
    });
    // The runtime keeps the TCP connection of a socket it closed until the object sleeps.
    const codes = await Promise.all([carol.closing(), again.closing()]);
    expect(codes).toEqual([
      { code: 4001, reason: "replaced" },
      { code: 4000, reason: "session ended" },
    ]);
  });

  it("[M11] after 12 idle seconds, when the runtime has put the object to sleep, a message still arrives", async () => {
    const [, alice, bob, bobId] = await pair();
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    alice.send({ type: "message", id: 1, to: bobId, body: "awake?" });
    expect(await bob.next("message")).toMatchObject({ body: "awake?" });
    expect(await alice.next("ack")).toMatchObject({ re: 1 });
    alice.send('{"type":"ping"}');
    expect(await alice.next("pong")).toEqual({ type: "pong" });
  });
});

describe("the socket of the SDK", () => {
  it("[A1] a peer stays longer than its token with a function that gets newer ones, and leaves with a fixed one", async () => {
    const [backend, , bob] = await pair();
    const asked: (string | undefined)[] = [];
    const newer = async (peer: string): Promise<string> => {
      const path = `v1/sessions/${backend.id}/peers/${peer}/token`;
      const headers = { authorization: "Bearer dev-key", "content-type": "application/json" };
      const body = JSON.stringify({ ttlSeconds: 60 });
      const answer = await fetch(new URL(path, baseUrl), { method: "POST", headers, body });
      return ((await answer.json()) as { token: string }).token;
    };
    const [stays, goes] = [
      await backend.invite({ ttlSeconds: 6 }),
      await backend.invite({ ttlSeconds: 6 }),
    ];
    const { signalling } = await Signalling.open({
      url: stays.signalling.url,
      token: async (peer) => {
        asked.push(peer);
        return peer === undefined ? stays.token : newer(peer);
      },
    });
    const fixed = await Signalling.open({ url: goes.signalling.url, token: goes.token });
    const left = () => bob.frames.filter(({ type }) => type === "peer-left");
    await until("the one with the fixed token is gone", () => left().length > 0, 15_000);
    // Both tokens ended in the same second or the one before.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(left()).toMatchObject([{ peer: goes.peer.id, reason: "expired" }]);
    expect(asked).toEqual([undefined, stays.peer.id]);
    const { peers } = await backend.read<{ peers: { id: string; state: string }[] }>("/peers");
    expect(peers.find(({ id }) => id === stays.peer.id)).toMatchObject({ state: "connected" });
    signalling.close("left");
    fixed.signalling.close("left");
  });
});
