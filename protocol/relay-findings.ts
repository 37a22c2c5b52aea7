import type { Flow } from "./flow.ts";
import { encodingOf } from "./flows/codecs.ts";
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
  const links = [...made.session.links.values()];
  const isAsBefore = links.every(({ id, flows }) => flows === before.links.get(id)?.flows);
  if (isAsBefore || !links.some(({ flows }) => flows.flows.some(isRelayed))) return made;
  const byId = new Map(links.flatMap(({ flows }) => flows.flows.map((flow) => [flow.id, flow])));
  let { session } = made;
  const told: Effect[] = [];
  for (const link of links) {
    let next = link;
    for (const flow of link.flows.flows.filter(isRelayed)) {
      const carried = flow.sourceFlows
        .map((id) => byId.get(id))
        .filter((source) => source !== undefined);
      const pts = new Set(carried.flatMap((source) => otherMeanings(source, flow)));
      const finding = mismatch(link, flow, [...pts]);
      const isTold = next.findings.some(({ message }) => message === finding.message);
      if (pts.size === 0 || isTold) continue;
      const { from, exchange } = flow;
      next = withFindings(next, [finding], { from, at, exchange });
      told.push(...toBothEnds(link, exchange, finding));
    }
    if (next !== link) session = withLink(session, next);
  }
  return told.length === 0 ? made : { ...made, session, effects: [...made.effects, ...told] };
}

const isRelayed = ({ topology, state }: Flow): boolean => topology === "relay" && state !== "ended";

/** Payload types of one leg that the other does not have, or has for something else. */
function otherMeanings({ codecs }: Flow, onward: Flow): readonly number[] {
  const meant = new Map(onward.codecs.map((codec) => [codec.pt, encodingOf(codec)]));
  return codecs.filter((codec) => meant.get(codec.pt) !== encodingOf(codec)).map(({ pt }) => pt);
}

function mismatch(link: Link, flow: Flow, pts: readonly number[]): SdpFinding {
  const role = link.inForce?.offerer === flow.from ? "offer" : "answer";
  const section = { index: flow.mLineIndex, mid: flow.mid === "" ? undefined : flow.mid };
  const about = `payload types ${pts.join(", ")} of ${flow.kind}`;
  return {
    ...findingOf(RELAY_PT_MISMATCH, role, section),
    message: `${about}: ${RELAY_PT_MISMATCH.message}`,
  };
}
