import type { Flow } from "../flow.ts";
import type { Description } from "../sdp/description.ts";
import type { Section } from "../sdp/section.ts";
import { type AgreedPair, descriptionOf } from "./agreed-pair.ts";
import { isLive } from "./commit.ts";
import { receives, sends } from "./direction.ts";
import { agreedLimits } from "./flow-limits.ts";
import { isOf } from "./identity.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { type OfferedPlacement, offeredPlacements } from "./offered-placement.ts";
import { isSame } from "./same.ts";
import { type Ends, identityOf, termsOf } from "./terms.ts";

type Pending = NonNullable<Flow["pending"]>;
type Changes = Omit<Pending, "exchange">;

/** An open offer on a link that has agreed before. */
export interface Reoffer {
  readonly offer: Description;
  readonly offerer: string;
  readonly inForce: AgreedPair;
  /** The sections of the offer and where they would run. */
  readonly placements: readonly OfferedPlacement[];
}

/**
 * The flows, where the open offer changes some that run, with that change as `pending`: what an answer that
 * goes along with the offer would make of them. It holds only what differs, both from the record and from
 * what the offerer said before: an offer that says the same again leaves every record the very same.
 *
 * The offerer's section is the sender's side of what it sends and the receiver's side of what it gets; the
 * other side is what is in force.
 */
export function withPending(
  context: FlowContext,
  before: LinkFlows,
  reoffer: Reoffer,
): readonly Flow[] {
  const next = index(reoffer.placements);
  const own = descriptionOf(reoffer.inForce, reoffer.offerer);
  const former = index(offeredPlacements(context, before, own));
  const off = new Set(before.switchedOff);
  return before.flows.map((flow) => {
    if (!isLive(flow) || flow.state === "proposed") return flow;
    const place = next(flow);
    const changes: Changes = place
      ? {
          ...movedTo(flow, place, former(flow)),
          ...changesOf(flow, place.place.offered, { ...reoffer, own, isOff: off.has(flow.id) }),
        }
      : { ends: true };
    const { pending: _, ...settled } = flow;
    return Object.keys(changes).length === 0
      ? settled
      : { ...settled, pending: { exchange: context.exchange, ...changes } };
  });
}

/** The flows without what an offer would have made of them. */
export function withoutPending(flows: readonly Flow[]): readonly Flow[] {
  return flows.map((flow) => {
    const { pending, ...settled } = flow;
    return pending ? settled : flow;
  });
}

/** Finds the placement of a flow's section without comparing it with every section. */
function index(
  placements: readonly OfferedPlacement[],
): (flow: Flow) => OfferedPlacement | undefined {
  const byMid = new Map(placements.map((placement) => [placement.place.mid, placement]));
  const byIndex = new Map(placements.map((placement) => [placement.place.index, placement]));
  return (flow) =>
    [byMid.get(flow.mid), byIndex.get(flow.mLineIndex)].find(
      (placement) => placement && isOf(flow, placement.place),
    );
}

/** Another transport, where the offer groups the section otherwise than the offerer did before. */
function movedTo(
  flow: Flow,
  { transport }: OfferedPlacement,
  former: OfferedPlacement | undefined,
): Changes {
  return transport === flow.transport || transport === former?.transport ? {} : { transport };
}

interface Circumstances extends Reoffer {
  /** What the offerer said in the pair in force. */
  readonly own: Description;
  /** The pair in force switches the direction of the flow off. */
  readonly isOff: boolean;
}

function changesOf(flow: Flow, offered: Section, circumstances: Circumstances): Changes {
  const { own, inForce, offerer, isOff } = circumstances;
  const isSent = flow.from === offerer;
  const former = own.sections[flow.mLineIndex];
  const other = descriptionOf(inForce, isSent ? flow.to : flow.from).sections[flow.mLineIndex];
  if (!former || !other) return {};
  const wants = (section: Section): boolean =>
    flow.kind === "data" || (isSent ? sends(section) : receives(section));
  if (!wants(offered)) return isOff ? {} : { held: true };
  const isBack = isOff && !wants(former);
  if (isOff && !isBack) return {};
  const endsWith = (section: Section): Ends =>
    isSent ? { sender: section, receiver: other } : { sender: other, receiver: section };
  return {
    ...(isBack ? { held: false } : {}),
    ...termChanges(flow, circumstances, endsWith(former), endsWith(offered)),
    ...(isSent ? nameChanges(flow, circumstances, former, offered) : {}),
  };
}

function termChanges(
  flow: Flow,
  { offer, own, offerer, inForce }: Circumstances,
  former: Ends,
  next: Ends,
): Changes {
  const [was, is] = [termsOf(former, flow.kind), termsOf(next, flow.kind)];
  const toOfferer = flow.to === offerer;
  const limitsOf = ({ receiver }: Ends, description: Description, { layers }: typeof was) =>
    agreedLimits(
      receiver,
      toOfferer ? description : descriptionOf(inForce, flow.to),
      layers,
      flow.limits.requestedBps,
    );
  const limits = limitsOf(next, offer, is);
  return {
    ...news("codecs", flow.codecs, was.codecs, is.codecs),
    ...news("sources", flow.sources, was.sources, is.sources),
    ...news("layers", flow.layers, was.layers, is.layers),
    ...(isSame(limits, limitsOf(former, own, was)) ? {} : { limits }),
  };
}

function nameChanges(
  flow: Flow,
  { offer, own }: Circumstances,
  former: Section,
  next: Section,
): Changes {
  const [was, is] = [identityOf(former, own), identityOf(next, offer)];
  return {
    ...news("streams", flow.streams, was.streams, is.streams),
    ...news("track", flow.track, was.track, is.track),
  };
}

/** A member that differs from the record and from what was said before; what is not said changes nothing. */
function news<K extends keyof Changes>(
  name: K,
  recorded: Changes[K],
  was: Changes[K],
  is: Changes[K],
): Changes {
  return is === undefined || isSame(is, recorded) || isSame(is, was) ? {} : { [name]: is };
}
