import type { Codec, Flow } from "./flow.ts";
import { withFindings } from "./recorded-findings.ts";
import type { SdpFinding } from "./sdp/finding.ts";
import { RELAY_PT_MISMATCH } from "./sdp/rules/relays.ts";
import { findingOf } from "./sdp/rules/trickle.ts";
import { type Effect, type Link, type Session, type Step, withLink } from "./session.ts";
import { toBothEnds } from "./source-findings.ts";

/**
 * After an event: a relay passes packets on as they are, so what a payload type means on the leg it comes from it
 * must mean on the leg it goes to (RFC 7667 s3.2.2). Where it does not, both ends of that leg are told, once.
 */
export function withRelayFindings(before: Session, made: Step, at: number): Step {
  const isSame = [...made.session.links.values()].every(
    ({ id, flows }) => flows === before.links.get(id)?.flows,
  );
  const relayed = isSame ? [] : relayedFlows(made.session);
  if (relayed.length === 0) return made;
  const wanted = new Set(relayed.flatMap(({ flow }) => flow.sourceFlows));
  const sources = new Map(
    [...made.session.links.values()]
      .flatMap(({ flows }) => flows.flows)
      .filter(({ id }) => wanted.has(id))
      .map((flow) => [flow.id, flow]),
  );
  let { session } = made;
  const told: Effect[] = [];
  for (const { link: found, flow } of relayed) {
    const carried = flow.sourceFlows.flatMap((id) => sources.get(id) ?? []);
    const pts = new Set(carried.flatMap((source) => otherMeanings(source, flow)));
    const finding = mismatch(found, flow, [...pts]);
    const link = session.links.get(found.id) ?? found;
    if (pts.size === 0 || link.findings.some(({ message }) => message === finding.message)) continue;
    const { from, exchange } = flow;
    session = withLink(session, withFindings(link, [finding], { from, at, exchange }));
    told.push(...toBothEnds(link, exchange, finding));
  }
  return told.length === 0 ? made : { ...made, session, effects: [...made.effects, ...told] };
}

function relayedFlows({ links }: Session): readonly { link: Link; flow: Flow }[] {
  return [...links.values()].flatMap((link) =>
    link.flows.flows
      .filter(({ topology, state }) => topology === "relay" && state !== "ended")
      .map((flow) => ({ link, flow })),
  );
}

const encodingOf = ({ name, rate, channels = 1 }: Codec): string =>
  `${name.toLowerCase()}/${rate}/${channels}`;

/** Payload types of one leg that the other does not have, or has for something else. */
function otherMeanings({ codecs }: Flow, onward: Flow): readonly number[] {
  const meant = new Map(onward.codecs.map((codec) => [codec.pt, encodingOf(codec)]));
  return codecs.filter((codec) => meant.get(codec.pt) !== encodingOf(codec)).map(({ pt }) => pt);
}

function mismatch(link: Link, flow: Flow, pts: readonly number[]): SdpFinding {
  const role = link.inForce?.offerer === flow.from ? "offer" : "answer";
  const section = { index: flow.mLineIndex, mid: flow.mid === "" ? undefined : flow.mid };
  const about = `payload types ${pts.toSorted((one, other) => one - other).join(", ")} of ${flow.kind}`;
  return {
    ...findingOf(RELAY_PT_MISMATCH, role, section),
    message: `${about}: ${RELAY_PT_MISMATCH.message}`,
  };
}
