import { expect } from "vitest";
import { Flow } from "../protocol/flow.ts";
import type { FlowChange } from "../protocol/flow-query.ts";
import { agreeFlows } from "../protocol/flows/agree.ts";
import type { AgreedPair } from "../protocol/flows/agreed-pair.ts";
import { candidateCounts, type Trickled } from "../protocol/flows/candidate-counts.ts";
import { changeFlow } from "../protocol/flows/change.ts";
import { endFlows } from "../protocol/flows/end.ts";
import { type FlowContext, type LinkFlows, NO_FLOWS } from "../protocol/flows/link-flows.ts";
import { proposeFlows } from "../protocol/flows/propose.ts";
import { reportTransport, type TransportReport } from "../protocol/flows/report.ts";
import { markStale } from "../protocol/flows/stale.ts";
import { type Withdrawal, withdrawFlows } from "../protocol/flows/withdraw.ts";
import { isProblem, type Problem } from "../protocol/problem.ts";
import { type Description, readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import { Transport } from "../protocol/transport.ts";
import { CORPUS, recordOf } from "./corpus.ts";

/** Reads a description that is within the limits. */
export function read(sdp: string): Description {
  const description = readDescription(sdp);
  if (isFinding(description)) throw new Error(`${description.rule}: ${description.message}`);
  return description;
}

/** A link as the session drives it: one exchange after the other, every step checked. */
export class Negotiation {
  flows: LinkFlows = NO_FLOWS;
  inForce: AgreedPair | undefined;
  #exchange = 0;
  #at = 1000;
  readonly #own: Partial<FlowContext>;

  constructor(own: Partial<FlowContext> = {}) {
    this.#own = own;
  }

  context(): FlowContext {
    this.#at += 10;
    return {
      link: "a~b",
      peers: ["a", "b"],
      at: this.#at,
      revision: this.flows.revision + 1,
      exchange: this.#exchange,
      ...this.#own,
    };
  }

  offer(sdp: string, offerer = "a"): LinkFlows {
    this.#exchange += 1;
    const { flows, inForce } = this;
    return this.#take(proposeFlows(this.context(), flows, read(sdp), offerer, inForce));
  }

  /** Answers an offer; the offer itself is not announced. */
  answer(
    offer: string,
    answer: string,
    offerer = "a",
    trickled: readonly Trickled[] = [],
  ): LinkFlows {
    const pair = { offer: read(offer), answer: read(answer), offerer };
    const context = this.context();
    const counts = candidateCounts(context.peers, pair, trickled);
    const { flows, inForce } = this;
    const next = this.#take(agreeFlows(context, flows, pair, counts, inForce));
    this.inForce = pair;
    return next;
  }

  exchange(offer: string, answer: string, offerer = "a"): LinkFlows {
    this.offer(offer, offerer);
    return this.answer(offer, answer, offerer);
  }

  record(name: string, offerer = "a"): LinkFlows {
    const { offer, answer } = recordOf(name);
    return this.exchange(offer, answer ?? "", offerer);
  }

  withdraw(reason: Withdrawal): LinkFlows {
    return this.#take(withdrawFlows(this.context(), this.flows, reason));
  }

  report(reporter: string, report: TransportReport): LinkFlows {
    return this.#take(reportTransport(this.context(), this.flows, reporter, report));
  }

  change(id: string, change: FlowChange, asker = "application"): LinkFlows {
    return this.#take(changeFlow(this.context(), this.flows, id, change, asker));
  }

  stale(stale: boolean): LinkFlows {
    return this.#take(markStale(this.context(), this.flows, stale));
  }

  end(reason: string): LinkFlows {
    return this.#take(endFlows(this.context(), this.flows, reason));
  }

  /** `0.1:a active` and so on, without what has ended. */
  get live(): string[] {
    return this.flows.flows.filter(({ state }) => state !== "ended").map(words);
  }

  get ended(): string[] {
    return this.flows.flows.filter(({ state }) => state === "ended").map(words);
  }

  flow(id: string): Flow {
    const flow = this.flows.flows.find((each) => each.id === `a~b:${id}`);
    if (!flow) throw new Error(`no flow ${id} in ${this.flows.flows.map(words)}`);
    return flow;
  }

  get transport(): Transport {
    const [transport, ...others] = this.flows.transports.filter(({ state }) => state !== "closed");
    if (!transport || others.length > 0) throw new Error("not one open transport");
    return transport;
  }

  #take(next: LinkFlows | Problem): LinkFlows {
    if (isProblem(next)) throw new Error(`${next.code}: ${next.detail}`);
    checkStep(this.flows, next);
    this.flows = next;
    return next;
  }
}

/** `0.1:a active`, `0.1:b held direction`. */
export const words = ({ id, state, reason }: Flow): string =>
  [id.replace("a~b:", ""), state, ...(reason ? [reason] : [])].join(" ");

const StrictFlow = Flow.strict();
const StrictTransport = Transport.strict();

/** What holds for every step, whatever it is. */
function checkStep(before: LinkFlows, next: LinkFlows): void {
  expect(JSON.parse(JSON.stringify(next))).toStrictEqual(next);
  const known = new Map([...before.flows, ...before.transports].map((each) => [each.id, each]));
  for (const record of [...next.flows, ...next.transports]) {
    if (known.get(record.id) !== record) expect(record.revision).toBe(before.revision + 1);
  }
  const isNew = (record: Flow | Transport) => known.get(record.id) !== record;
  for (const flow of next.flows.filter(isNew)) expect(StrictFlow.parse(flow)).toEqual(flow);
  for (const each of next.transports.filter(isNew)) {
    expect(StrictTransport.parse(each)).toEqual(each);
  }
  for (const records of [next.flows, next.transports]) {
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
  }
  if (JSON.stringify(before) === JSON.stringify(next)) expect(next).toBe(before);
}

const SESSION = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"];
/** A description of these lines, with a session part that says nothing. */
export const textOf = (...lines: string[]): string =>
  [...SESSION, ...lines].map((line) => `${line}\r\n`).join("");

export const AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 0";
export const VIDEO = ["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000"];
export const DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel";

/** An exchange of one section with the same lines on both sides, and more on each. */
export function sectionFlows(
  media: readonly string[],
  offered: readonly string[],
  answered: readonly string[],
): Negotiation {
  const link = new Negotiation();
  const lines = [...media, "a=mid:0"];
  link.exchange(textOf(...lines, ...offered), textOf(...lines, ...answered));
  return link;
}

/** Every pair of the corpus: name, offer, answer. */
export const PAIRS = [...CORPUS].flatMap(([name, { offer, answer }]) =>
  answer === null ? [] : [[name, offer, answer] as const],
);
