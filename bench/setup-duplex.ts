import type { FlowDetail } from "../protocol/flow-summary.ts";
import type { Candidate } from "../protocol/message-parts.ts";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import { LoadBackend } from "./load-call.ts";
import type { Invitation } from "./load-peer.ts";
import { burstsOf, callScript } from "./setup-descriptions.ts";
import type { SetUp } from "./setup-plan.ts";
import { type Counts, Wire } from "./setup-wire.ts";
import { connectedReport } from "./transport-report.ts";

/** A call by the messages that the SDK of Duplex sends (client/link-port.ts, client/local-candidates.ts). */

type Unnumbered<T> = T extends FromPeer ? Omit<T, "id"> : never;

class DuplexPeer {
  readonly id: string;
  readonly #wire: Wire;
  #requests = 1;

  constructor({ peer, token, signalling }: Invitation, counts: Counts, flows: FlowDetail) {
    this.id = peer.id;
    const url = new URL(signalling.url);
    url.searchParams.set("flows", flows);
    url.searchParams.set("defaults", "omit");
    this.#wire = new Wire(url, counts, ["duplex.v1", `bearer.${token}`]);
  }

  async next<T extends ToPeer["type"]>(type: T): Promise<Extract<ToPeer, { type: T }>> {
    const text = await this.#wire.next(type, (frame) => frame.startsWith(`{"type":"${type}"`));
    return JSON.parse(text) as Extract<ToPeer, { type: T }>;
  }

  tell(message: Unnumbered<FromPeer>): void {
    this.#wire.send(JSON.stringify(message));
  }

  /** Sends what is answered by an `ack`; throws when it is refused. */
  async request(message: Unnumbered<FromPeer>): Promise<Extract<ToPeer, { type: "ack" }>> {
    const id = this.#requests++;
    const reply = this.#wire.next(`ack of ${message.type}`, (frame) =>
      new RegExp(`"re":${id}\\b`).test(frame),
    );
    this.#wire.send(JSON.stringify({ ...message, id }));
    const text = await reply;
    const frame = JSON.parse(text) as ToPeer;
    if (frame.type !== "ack") throw new Error(`${message.type} refused: ${text}`);
    return frame;
  }

  /** Sends one message for each burst, the last one says that these are all. */
  async trickle(to: string, exchange: number, bursts: readonly (readonly Candidate[])[]) {
    const last = bursts.length - 1;
    await Promise.all(
      bursts.map((burst, index) => {
        const complete = index === last ? { complete: true } : {};
        return this.request({
          type: "candidates",
          to,
          exchange,
          candidates: burst.map(withoutRepetition),
          ...complete,
        });
      }),
    );
  }

  /** Waits for the candidates of the other end. */
  async hears(count: number): Promise<void> {
    for (let heard = 0, complete = false; !complete; ) {
      const frame = await this.next("candidates");
      heard += frame.candidates.length;
      complete = frame.complete === true;
      if (complete && heard !== count) throw new Error(`${heard} of ${count} candidates`);
    }
  }

  /** Tells that media run, and waits until the server has said so. */
  async connected(to: string, port: number): Promise<void> {
    this.tell({ type: "transport", to, state: "checking" });
    this.tell(connectedReport(to, port));
    for (;;) {
      const { changed } = await this.next("flows");
      if (changed.some(({ state }) => state === "active")) return;
    }
  }

  close(): void {
    this.#wire.close();
  }
}

/** The SDK leaves out the generation where the text of the candidate has it. */
const withoutRepetition = ({ usernameFragment: _, ...candidate }: Candidate): Candidate =>
  candidate;

/** Sessions and tokens are made beforehand by the back end: that is what `prepare` costs. */
export async function prepareDuplex(
  baseUrl: string,
  key: string,
  counts: Counts,
  { flows = "brief", reports = false }: { flows?: FlowDetail; reports?: boolean } = {},
): Promise<SetUp> {
  const backend = new LoadBackend(baseUrl, key);
  const session = await backend.session({ emptyTtlSeconds: 60 });
  const invite = () => backend.call<Invitation>("POST", `v1/sessions/${session}/peers`, 201, {});
  const invitations = [await invite(), await invite()] as const;
  const { offerer, answerer } = callScript();
  const peers: DuplexPeer[] = [];
  const enter = async (invitation: Invitation): Promise<DuplexPeer> => {
    const peer = new DuplexPeer(invitation, counts, flows);
    peers.push(peer);
    await peer.next("welcome");
    return peer;
  };
  const run = async (): Promise<void> => {
    const callee = await enter(invitations[0]);
    const caller = await enter(invitations[1]);
    await callee.next("peer-joined");
    const offered = caller.request({ type: "offer", to: callee.id, sdp: offerer.sdp });
    const calling = offered.then(({ exchange = 0 }) =>
      caller.trickle(callee.id, exchange, burstsOf(offerer)),
    );
    const answering = callee.next("offer").then(async ({ exchange }) => {
      const answer = { type: "answer", to: caller.id, exchange, sdp: answerer.sdp } as const;
      const answered = callee.request(answer);
      await Promise.all([answered, callee.trickle(caller.id, exchange, burstsOf(answerer))]);
    });
    await Promise.all([
      calling,
      answering,
      caller.next("answer"),
      callee.hears(offerer.candidates.length),
      caller.hears(answerer.candidates.length),
    ]);
    if (!reports) return;
    await Promise.all([caller.connected(callee.id, 50_001), callee.connected(caller.id, 49_998)]);
  };
  const close = async (): Promise<void> => {
    for (const peer of peers) peer.close();
    await backend.call("DELETE", `v1/sessions/${session}`, 204);
  };
  return { run, close };
}
