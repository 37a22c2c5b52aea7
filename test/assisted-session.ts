import type { Advice } from "../protocol/assistance/advice-message.ts";
import type { FlowAssistance } from "../protocol/assistance/record.ts";
import type { Flow } from "../protocol/flow.ts";
import type { FlowChange } from "../protocol/flow-query.ts";
import { TO_PEER } from "../protocol/messages.ts";
import type { SessionRequest } from "../protocol/session-config.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted, PureSession } from "./pure-session.ts";

export type Sections = NonNullable<NonNullable<Parameters<typeof sdpOf>[0]>["sections"]>;

export const CALL: Sections = [{ kind: "audio" }, { kind: "video" }];

/** What Opus in one channel usually takes, with its RTP headers, bits per second. */
export const SPEECH_BPS = 68_800;

/** A record of a network that holds what it was asked for. */
export const record = (more: Partial<FlowAssistance> = {}): FlowAssistance => ({
  network: "alpha",
  api: "camara-qod",
  state: "granted",
  since: 1_700_000_000_000,
  asked: { uplinkBps: 2_000_000, downlinkBps: 2_000_000, profile: "QOS_M" },
  ...more,
});

/** Peers that call each other while mobile networks do something for them. */
export class AssistedSession extends PureSession {
  #version = 1;

  constructor(config: SessionRequest, ...peers: Parameters<PureSession["join"]>[]) {
    super(config);
    for (const peer of peers) accepted(this.join(...peer));
  }

  offer(from: string, to: string, sections: Sections = CALL): number {
    this.#version += 1;
    const sdp = sdpOf({ of: from, setup: "actpass", sections, version: this.#version });
    return accepted(this.send(from, { type: "offer", to, sdp })).ack?.exchange ?? 0;
  }

  answer(from: string, to: string, exchange: number, sections: Sections = CALL): void {
    this.#version += 1;
    const sdp = sdpOf({ of: from, setup: "active", sections, version: this.#version });
    accepted(this.send(from, { type: "answer", to, exchange, sdp }));
  }

  call(from: string, to: string, sections: Sections = CALL): void {
    this.answer(to, from, this.offer(from, to, sections), sections);
  }

  assist(link: string, peer: string, assistance: FlowAssistance | null): void {
    this.at += 1000;
    accepted(this.do({ type: "assistance", link, peer, assistance, at: this.at }));
  }

  change(flow: string, change: FlowChange): void {
    accepted(this.do({ type: "change-flow", flow, change, at: this.at }));
  }

  get flows(): Flow[] {
    return [...this.session.links.values()].flatMap((link) => [...link.flows.flows]);
  }

  flow(id: string): Flow {
    const found = this.flows.find((flow) => flow.id === id);
    if (!found) throw new Error(`no flow ${id} in ${this.flows.map((flow) => flow.id)}`);
    return found;
  }

  /** Limit and its source of the live flows of a sender, by the other end of the link and the mid. */
  limitsOf(from: string): Record<string, string> {
    const sent = this.flows.filter((flow) => flow.from === from && flow.state !== "ended");
    return Object.fromEntries(
      sent.map(({ to, mid, limits: { effectiveBps, source } }) => [
        `${to} ${mid}`,
        `${effectiveBps} ${source}`,
      ]),
    );
  }

  /** What a peer was advised since the last time. */
  adviceTo(peer: string): Advice[] {
    return this.take(peer, "advice").flatMap((message) => {
      if (message.type !== "advice") return [];
      const { type: _, ...advice } = TO_PEER.advice.strict().parse(message);
      return [advice];
    });
  }
}
