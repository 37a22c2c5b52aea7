import { expect } from "vitest";
import { Flow } from "../protocol/flow.ts";
import type { FlowSources, MediaLabels } from "../protocol/flow-query.ts";
import type { QualityReport } from "../protocol/message-parts.ts";
import type { Problem } from "../protocol/problem.ts";
import { type Link, linkIdOf, type Step } from "../protocol/session.ts";
import type { Grant, SessionRequest } from "../protocol/session-config.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { Transport } from "../protocol/transport.ts";
import { recordOf } from "./corpus.ts";
import { accepted, PureSession } from "./pure-session.ts";

type Sdp = readonly [offer: string, answer: string];

/** The two texts of a record. */
export function pairOf(record: string): Sdp {
  const { offer, answer } = recordOf(record);
  if (answer === null) throw new Error(`${record} has no answer`);
  return [offer, answer];
}

/**
 * A pair as another connection of the same stacks would have made it: other SSRCs, CNAMEs, credentials,
 * certificates and tracks.
 */
export function variant([offer, answer]: Sdp, number: number): Sdp {
  return [varied(offer, number), varied(answer, number)];
}

function varied(sdp: string, number: number): string {
  const ssrcs = new Set([...sdp.matchAll(/^a=ssrc:(\d+)/gm)].map(([, ssrc]) => ssrc ?? ""));
  const inSources = /^a=ssrc(?:-group)?:.*$/gm;
  return sdp
    .replaceAll(inSources, (line) =>
      line.replaceAll(/\d{5,}/g, (text) => (ssrcs.has(text) ? `${Number(text) - number}` : text)),
    )
    .replaceAll(/ cname:\S+/g, (text) => `${text}${number}`)
    .replaceAll(/^(a=ice-(?:ufrag|pwd):.*)$/gm, `$1${number}`)
    .replaceAll(/^(a=fingerprint:sha-256 )../gm, `$1${String(10 + number)}`)
    .replaceAll(/^(a=msid:\S+ \S+)$/gm, `$1-${number}`);
}

const StrictFlow = Flow.strict();
const StrictTransport = Transport.strict();

/** A session whose peers exchange real descriptions; every record of every step is checked. */
export class Call extends PureSession {
  constructor(config: SessionRequest = {}) {
    super({ sdpPolicy: "report", ...config });
  }

  override do(event: SessionEvent): Step | Problem {
    const before = this.session;
    const result = super.do(event);
    for (const { id, flows } of this.session.links.values()) {
      const old = before.links.get(id)?.flows;
      if (flows === old) continue;
      expect(JSON.parse(JSON.stringify(flows))).toStrictEqual(flows);
      const known = new Set<object>([...(old?.flows ?? []), ...(old?.transports ?? [])]);
      for (const flow of flows.flows.filter((each) => !known.has(each))) {
        expect(StrictFlow.parse(flow)).toEqual(flow);
      }
      for (const transport of flows.transports.filter((each) => !known.has(each))) {
        expect(StrictTransport.parse(transport)).toEqual(transport);
      }
    }
    return result;
  }

  peers(...ids: string[]): this {
    for (const id of ids) accepted(this.join(id));
    return this;
  }

  serve(id = "sfu"): this {
    accepted(this.join(id, "media-server"));
    return this;
  }

  grantee(id: string, more: Partial<Grant>): this {
    accepted(this.join(id, "peer", more));
    return this;
  }

  link(one: string, other: string): Link {
    const link = this.session.links.get(linkIdOf(one, other));
    if (!link) throw new Error(`no link of ${one} and ${other}`);
    return link;
  }

  /** An offer and its answer, with what each says of its media. */
  exchange(
    from: string,
    to: string,
    [offer, answer]: Sdp,
    media: { readonly offer?: MediaLabels; readonly answer?: MediaLabels } = {},
  ): this {
    this.at += 10;
    const offered = media.offer ? { media: media.offer } : {};
    const answered = media.answer ? { media: media.answer } : {};
    accepted(this.send(from, { type: "offer", to, sdp: offer, ...offered }));
    const { exchange } = this.link(from, to);
    accepted(this.send(to, { type: "answer", to: from, exchange, sdp: answer, ...answered }));
    return this;
  }

  /** Both ends of a link see its transports connected. */
  connect(one: string, other: string): this {
    this.at += 10;
    accepted(this.send(one, { type: "transport", to: other, state: "connected" }));
    return this;
  }

  flow(id: string): Flow {
    for (const link of this.session.links.values()) {
      const flow = link.flows.flows.find((each) => each.id === id);
      if (flow) return flow;
    }
    throw new Error(`no flow ${id}`);
  }

  get flows(): readonly Flow[] {
    return [...this.session.links.values()].flatMap((link) => link.flows.flows);
  }

  get live(): readonly Flow[] {
    return this.flows.filter(({ state }) => state !== "ended");
  }

  get transports(): readonly Transport[] {
    return [...this.session.links.values()].flatMap((link) => link.flows.transports);
  }

  transportOf(flow: string): Transport {
    const { transport } = this.flow(flow);
    const found = this.transports.find(({ id }) => id === transport);
    if (!found) throw new Error(`no transport ${transport}`);
    return found;
  }

  /** The sender of a flow says which flows it carries on. */
  tell(flow: string, sourceFlows: string[], more: Omit<FlowSources, "sourceFlows"> = {}) {
    this.at += 10;
    const { from } = this.flow(flow);
    return this.send(from, { type: "sources", flow, sourceFlows, ...more });
  }

  carry(flow: string, sourceFlows: string[], more: Omit<FlowSources, "sourceFlows"> = {}): Flow {
    accepted(this.tell(flow, sourceFlows, more));
    return this.flow(flow);
  }

  report(from: string, to: string, ...flows: QualityReport[]): Step | Problem {
    this.at += 10;
    return this.send(from, { type: "quality", to, flows });
  }

  /** Rules of the findings that are about media in use: they came after the descriptions. */
  told(peer: string): string[] {
    return this.take(peer, "findings").flatMap((message) =>
      message.type === "findings" ? message.findings.map(({ rule }) => rule) : [],
    );
  }
}

/** `alice~bob:0.1:alice active` and so on. */
export const words = ({ id, state, reason }: Flow): string =>
  [id, state, ...(reason ? [reason] : [])].join(" ");
