import type { Flow } from "./flow.ts";
import { isLive } from "./flows/commit.ts";
import { ssrcsOf } from "./flows/known-sources.ts";
import { withFindings } from "./recorded-findings.ts";
import type { SdpFinding } from "./sdp/finding.ts";
import { SSRC_COLLISION } from "./sdp/rules/pair-sources.ts";
import { LOOP_DETECTED, SSRC_CLAIMED } from "./sdp/rules/parties.ts";
import { findingOf, type TrickleRule } from "./sdp/rules/trickle.ts";
import { type Effect, type Link, otherPeer, type Session, type Step, withLink } from "./session.ts";

/**
 * What flows say of each other by their SSRCs. The rules see those that descriptions announce; here are also
 * those that only reports tell, repair streams included, and those that a relay brings together (RFC 3550
 * s8.2, RFC 8834 s12.2.2).
 */

interface Located {
  readonly link: Link;
  readonly flow: Flow;
  /** The space of SSRCs it is in. */
  readonly rtpSession: string;
}

interface Clash extends Located {
  readonly rule: TrickleRule;
  readonly ssrc: number;
}

/**
 * After an event: SSRCs that mean two sources in one RTP session, and media that come back to where they were
 * sent from, become findings of the link where they turned up; both of its ends are told, once.
 */
export function withSourceFindings(before: Session, made: Step, at: number): Step {
  const touched = touchedFlows(before, made.session);
  if (touched.length === 0) return made;
  const places = Map.groupBy(placesOf(made.session, touched), ({ key }) => key);
  const scene: Scene = {
    at: (key) => places.get(key) ?? [],
    originsOf: originsIn(made.session),
  };
  const clashes = touched.flatMap((located) => clashesOf(located, scene));
  const byLink = Map.groupBy(clashes, ({ link }) => link);
  let { session } = made;
  const told: Effect[] = [];
  for (const [link, found] of byLink) {
    let next = link;
    for (const clash of found) {
      if (isTold(next, clash)) continue;
      const finding = clashFinding(clash);
      const { from, exchange } = clash.flow;
      next = withFindings(next, [finding], { from, at, exchange });
      told.push(...toBothEnds(link, exchange, finding));
    }
    if (next !== link) session = withLink(session, next);
  }
  return told.length === 0 ? made : { ...made, session, effects: [...made.effects, ...told] };
}

/** Running flows whose SSRCs, or whose space of them, are not what they were. */
function touchedFlows(before: Session, { links }: Session): readonly Located[] {
  return [...links.values()].flatMap((link) => {
    const old = before.links.get(link.id)?.flows;
    if (link.flows === old) return [];
    const sources = new Map(old?.flows.map((flow) => [flow.id, flow.sources]));
    const sessions = new Map(old?.transports.map(({ id, rtpSession }) => [id, rtpSession]));
    return locatedOn(link).filter(
      ({ flow, rtpSession }) =>
        flow.sources !== sources.get(flow.id) || rtpSession !== sessions.get(flow.transport),
    );
  });
}

function locatedOn(link: Link): readonly Located[] {
  const sessions = new Map(link.flows.transports.map(({ id, rtpSession }) => [id, rtpSession]));
  return link.flows.flows.flatMap((flow) => {
    const rtpSession = sessions.get(flow.transport);
    const isRunning = isLive(flow) && flow.state !== "proposed" && flow.sources.length > 0;
    return isRunning && rtpSession !== undefined ? [{ link, flow, rtpSession }] : [];
  });
}

interface Place extends Located {
  readonly key: string;
}

interface Scene {
  readonly at: (key: string) => readonly Place[];
  /** Ids of the flows in which what a flow sends began. */
  readonly originsOf: (flow: string) => ReadonlySet<string>;
}

const inSession = (rtpSession: string, ssrc: number): string => `in ${rtpSession} ${ssrc}`;
const ofSender = (sender: string, cname: string, ssrc: number): string =>
  JSON.stringify([sender, cname, ssrc]);

/** Where each SSRC is: in the RTP sessions that are touched, and with the CNAME of those who send to them. */
function placesOf({ links }: Session, touched: readonly Located[]): readonly Place[] {
  const sessions = new Set(touched.map(({ rtpSession }) => rtpSession));
  const returned = new Set(touched.map(({ flow: { to } }) => to));
  return [...links.values()].flatMap((link) =>
    locatedOn(link).flatMap((located) => {
      const { flow, rtpSession } = located;
      const { from, cname } = flow;
      const ssrcs = flow.sources.flatMap(ssrcsOf);
      return [
        ...(sessions.has(rtpSession)
          ? ssrcs.map((ssrc) => ({ ...located, key: inSession(rtpSession, ssrc) }))
          : []),
        ...(returned.has(from) && cname !== undefined
          ? ssrcs.map((ssrc) => ({ ...located, key: ofSender(from, cname, ssrc) }))
          : []),
      ];
    }),
  );
}

function clashesOf(located: Located, { at, originsOf }: Scene): readonly Clash[] {
  const { flow, link, rtpSession } = located;
  const { cname, to } = flow;
  const origins = originsOf(flow.id);
  const isStranger = (other: Place): boolean =>
    other.flow.from !== flow.from &&
    ![...originsOf(other.flow.id)].some((origin) => origins.has(origin));
  return flow.sources.flatMap(ssrcsOf).flatMap((ssrc): Clash[] => {
    const others = at(inSession(rtpSession, ssrc)).filter(isStranger);
    const own = cname === undefined ? [] : at(ofSender(to, cname, ssrc));
    // The same SSRC with the same CNAME is no accident: it is the same source (RFC 3550 s8.2).
    if (own.some(isStranger)) return [{ ...located, rule: LOOP_DETECTED, ssrc }];
    const elsewhere = others.filter((other) => other.link.id !== link.id);
    const claimed = elsewhere.length > 0 ? [located, ...elsewhere] : [];
    return [
      ...(others.length > elsewhere.length ? [{ ...located, rule: SSRC_COLLISION, ssrc }] : []),
      ...claimed.map((each) => ({ ...each, rule: SSRC_CLAIMED, ssrc })),
    ];
  });
}

/**
 * What relays carry on, whoever passes it on, has the SSRC of where it began: it is the same source. Other
 * middleboxes and endpoints send sources of their own.
 */
function originsIn({ links }: Session): Scene["originsOf"] {
  const relayed = new Map(
    [...links.values()]
      .flatMap(({ flows }) => flows.flows)
      .filter(({ topology, sourceFlows }) => topology === "relay" && sourceFlows.length > 0)
      .map(({ id, sourceFlows }) => [id, sourceFlows]),
  );
  const known = new Map<string, ReadonlySet<string>>();
  const originsOf = (id: string): ReadonlySet<string> => {
    const found = known.get(id);
    if (found) return found;
    const sources = relayed.get(id);
    const origins = new Set(sources ? sources.flatMap((source) => [...originsOf(source)]) : [id]);
    known.set(id, origins);
    return origins;
  };
  return originsOf;
}

/** What the rules say of descriptions, said of media. */
const MESSAGES: ReadonlyMap<TrickleRule, string> = new Map([
  [
    SSRC_COLLISION,
    "both ends send with this SSRC in one RTP session; one of them must take another, or receivers cannot tell the sources apart",
  ],
  [SSRC_CLAIMED, SSRC_CLAIMED.message],
  [
    LOOP_DETECTED,
    "with this SSRC and the CNAME of the receiver its own media come back to it; stop passing them on to where they come from",
  ],
]);

function clashFinding({ link, flow, rule, ssrc }: Clash): SdpFinding {
  const role = link.inForce?.offerer === flow.from ? "offer" : "answer";
  const section = { index: flow.mLineIndex, mid: flow.mid === "" ? undefined : flow.mid };
  return { ...findingOf(rule, role, section), message: `SSRC ${ssrc}: ${MESSAGES.get(rule)}` };
}

/** Told already, of a description or of media. A loop is one, with however many sources. */
function isTold({ findings }: Link, { rule, ssrc, flow }: Clash): boolean {
  return findings.some(
    (finding) =>
      finding.rule === rule.id &&
      finding.refused === undefined &&
      (rule === LOOP_DETECTED
        ? finding.from === flow.from
        : finding.message.startsWith(`SSRC ${ssrc}:`)),
  );
}

/** A finding about a link, told to both of its ends. */
export function toBothEnds(link: Link, exchange: number, finding: SdpFinding): readonly Effect[] {
  return link.peers.map((peer) => ({
    type: "send",
    to: peer,
    message: { type: "findings", to: otherPeer(link, peer), exchange, findings: [finding] },
  }));
}
