import type {
  AssistedLink,
  AssistedPath,
  AssistedSection,
  AssistedStream,
} from "../protocol/assistance/assisted.ts";
import { assistedLink, type LinkKnowledge } from "../protocol/assistance/derive.ts";
import type { Candidate } from "../protocol/message-parts.ts";
import type { PairEnd, SelectedPair } from "../protocol/transport.ts";
import { Call } from "./flow-call.ts";
import { accepted } from "./pure-session.ts";

/** A call of `a`, who offers, and `b`, as a mobile network is told of it. */
export class AssistedCall extends Call {
  static of(pair: readonly [offer: string, answer: string], config = {}): AssistedCall {
    const call = new AssistedCall(config);
    call.peers("a", "b").exchange("a", "b", pair);
    return call;
  }

  seen(ue: string, knowledge: LinkKnowledge = {}): AssistedLink | undefined {
    const [other = ""] = [...this.session.peers.keys()].filter((id) => id !== ue);
    return assistedLink(this.session, this.link(ue, other), ue, knowledge);
  }

  of(ue: string, knowledge: LinkKnowledge = {}): AssistedLink {
    const found = this.seen(ue, knowledge);
    if (!found) throw new Error(`nothing is agreed for ${ue}`);
    return found;
  }

  /** Of the first transport. */
  path(ue: string, knowledge: LinkKnowledge = {}): AssistedPath {
    const [transport] = this.of(ue, knowledge).transports;
    if (!transport) throw new Error("no transport");
    return transport.path;
  }

  section(ue: string, mid: string): AssistedSection {
    const sections = this.of(ue).transports.flatMap((each) => each.sections);
    const found = [...sections, ...(this.of(ue).removed ?? [])].find((each) => each.mid === mid);
    if (!found) throw new Error(`no section ${mid}`);
    return found;
  }

  stream(ue: string, mid: string, direction: "uplink" | "downlink"): AssistedStream {
    const { [direction]: stream } = this.section(ue, mid);
    if (!stream) throw new Error(`no ${direction} of ${mid}`);
    return stream;
  }

  /** A peer reports its selected pair. */
  select(
    peer: string,
    local: Partial<PairEnd>,
    remote: Partial<PairEnd>,
    more: { rtcpPair?: SelectedPair } = {},
  ): this {
    const to = peer === "a" ? "b" : "a";
    const end = (own: Partial<PairEnd>): PairEnd => ({ candidateType: "host", ...own });
    const pair = { local: end(local), remote: end(remote) };
    this.at += 10;
    accepted(this.send(peer, { type: "transport", to, state: "connected", pair, ...more }));
    return this;
  }

  /** Candidates that come after the description, each without `candidate:`. */
  trickle(from: string, ...lines: readonly (string | Candidate)[]): this {
    const to = from === "a" ? "b" : "a";
    const { exchange } = this.link("a", "b");
    const candidates = lines.map((line) =>
      typeof line === "string" ? { candidate: `candidate:${line}`, sdpMid: "0" } : line,
    );
    this.at += 10;
    accepted(this.send(from, { type: "candidates", to, exchange, candidates }));
    return this;
  }
}

/** One m-section of a text, read by other means than those that are tested. */
export class RawSection {
  readonly lines: readonly string[];

  constructor(text: string) {
    this.lines = text.split("\r\n");
  }

  values(prefix: string): string[] {
    return this.lines
      .filter((line) => line.startsWith(prefix))
      .map((line) => line.slice(prefix.length));
  }

  get formats(): number[] {
    return (this.lines[0] ?? "").split(" ").slice(3).map(Number);
  }

  get ssrcs(): Set<number> {
    return new Set(this.values("a=ssrc:").map((value) => Number.parseInt(value, 10)));
  }

  /** Last of the four that it says. */
  direction(session: RawSection): string {
    const said = ({ lines }: RawSection) =>
      lines.findLast((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line));
    return (said(this) ?? said(session) ?? "a=sendrecv").slice(2);
  }
}

/** Session part and sections of a text. */
export function rawSections(sdp: string): [RawSection, ...RawSection[]] {
  const [session = "", ...sections] = sdp.split(/^(?=m=)/m);
  return [new RawSection(session), ...sections.map((text) => new RawSection(text))];
}
