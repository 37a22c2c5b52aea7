import type { Transport } from "../../protocol/transport.ts";
import { candidateOf, type Shape, sdpOf } from "../descriptions.ts";
import type { Backend, Invitation } from "./caller.ts";

/** Calls of any size without browsers: peers that speak the protocol and make up what they measure. */

type Frame = Readonly<Record<string, unknown>> & { readonly type: string };

const WAIT_MS = 15_000;

/** A peer of a scene, on a socket of its own. */
export class ScenePeer {
  readonly id: string;
  readonly name: string;
  readonly #socket: WebSocket;
  readonly #frames: Frame[] = [];
  #heard: () => void = () => undefined;

  private constructor(id: string, name: string, socket: WebSocket) {
    this.id = id;
    this.name = name;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.type === "probe") this.send({ type: "alive", n: frame.n });
      this.#frames.push(frame);
      this.#heard();
    });
  }

  static async join(backend: Backend, name: string, role = "peer"): Promise<ScenePeer> {
    return ScenePeer.enter(backend, name, await backend.invite({ name, role }));
  }

  /** With an invitation that was used before, it comes back. */
  static async enter(
    backend: Backend,
    name: string,
    { peer, token }: Invitation,
  ): Promise<ScenePeer> {
    const url = new URL(`v1/sessions/${backend.id}/signalling`, backend.baseUrl);
    url.protocol = "ws:";
    url.searchParams.set("flows", "brief");
    const socket = new WebSocket(url, ["duplex.v1", `bearer.${token}`]);
    const joined = new ScenePeer(peer.id, name, socket);
    await joined.next("welcome");
    return joined;
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The next frame of a type, and of a peer where one is named; those before it are passed over. */
  async next(type: string, from?: string): Promise<Frame> {
    const end = Date.now() + WAIT_MS;
    for (;;) {
      const at = this.#frames.findIndex(
        (frame) => frame.type === type && (from === undefined || frame.from === from),
      );
      const [found] = at < 0 ? [] : this.#frames.splice(at, 1);
      if (found) return found;
      if (Date.now() > end) throw new Error(`${this.name} was sent no ${type}`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
        setTimeout(resolve, 500);
      });
    }
  }

  close(): void {
    this.#socket.close();
  }
}

const end = (n: number, candidateType = "host") => ({
  candidateType,
  address: `192.0.2.${n}`,
  port: 40_000 + n,
  protocol: "udp",
});

let names = 0;

/** An offer and its answer; every end of every link has a certificate of its own. Gives the exchange. */
export async function negotiate(
  one: ScenePeer,
  other: ScenePeer,
  sections: Shape["sections"] & object,
  back: Shape["sections"] & object = sections,
): Promise<number> {
  const [of, by] = [`offerer${names}`, `answerer${names}`];
  names += 1;
  one.send({ type: "offer", to: other.id, sdp: sdpOf({ of, sections }) });
  const { exchange } = await other.next("offer", one.id);
  one.send({
    type: "candidates",
    to: other.id,
    exchange,
    candidates: [candidateOf(names, `ufrag${of}`)],
  });
  other.send({
    type: "answer",
    to: one.id,
    exchange,
    sdp: sdpOf({ of: by, setup: "active", sections: back }),
  });
  await one.next("answer", other.id);
  return Number(exchange);
}

/** Both ends tell the state of the transport, and the pair of one that is connected. */
export function transport(one: ScenePeer, other: ScenePeer, state: Transport["state"]): void {
  names += 1;
  const [a, b] = [1 + (names % 200), 1 + ((names * 7) % 200)];
  const isUp = state === "connected";
  const tell = (peer: ScenePeer, to: ScenePeer, local: number, remote: number): void =>
    peer.send({
      type: "transport",
      to: to.id,
      state,
      ...(isUp && { pair: { local: end(local), remote: end(remote, "srflx") } }),
    });
  tell(one, other, a, b);
  tell(other, one, b, a);
}

/** What every end measures of every active flow, once. */
export async function measure(
  backend: Backend,
  peers: readonly ScenePeer[],
  n: number,
): Promise<void> {
  const { flows } = await backend.flows("?state=active");
  for (const peer of peers) {
    const own = flows.filter(({ from, to }) => from === peer.id || to === peer.id);
    const byOther = Map.groupBy(own, ({ from, to }) => (from === peer.id ? to : from));
    for (const [to, group] of byOther) {
      const reports = group.map(({ id, kind, from }, index) => {
        const bitrateBps =
          (kind === "video" ? 900_000 : 40_000) + ((n * 37 + index * 11) % 9) * 9_000;
        const received = { packets: n * 250, packetsLost: (n * 3) % 5, jitterMs: 4 + (n % 5) };
        const sent = { packets: n * 252, roundTripMs: 40 + (n % 7) };
        const picture = kind === "video" ? { framesPerSecond: 29 + (n % 2) } : {};
        return { flow: id, bitrateBps, ...picture, ...(from === peer.id ? sent : received) };
      });
      peer.send({ type: "quality", to, flows: reports });
    }
  }
}
