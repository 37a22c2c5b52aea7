import type { Flow } from "../flow.ts";
import type { MediaLabels } from "../flow-query.ts";
import type { Description } from "../sdp/description.ts";
import type { Section } from "../sdp/section.ts";
import { type AgreedPair, descriptionOf } from "./agreed-pair.ts";
import { codecsOf } from "./codecs.ts";
import { commit } from "./commit.ts";
import { receives, sends } from "./direction.ts";
import { agreedLimits } from "./flow-limits.ts";
import { forget } from "./forget.ts";
import { liveFlowsOf } from "./identity.ts";
import { labelled } from "./labels.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { newFlow, type Route, routesOf } from "./new-flow.ts";
import { offeredPlacements } from "./offered-placement.ts";
import { withPending } from "./pending.ts";
import { synchronised } from "./sync-groups.ts";
import { identityOf, sctpOf, sourcesOf } from "./terms.ts";

/**
 * An offer came: each direction that it wants and that has no flow is proposed. Running flows are as
 * before; what a re-offer would change of them is their `pending`, until it is answered or gone
 * (media-flows.md section 4). `inForce` is the pair that was agreed before, `media` what the offerer says of
 * its media by mid.
 *
 * A proposed flow names the transport it would have; the record of a new one comes with the answer.
 */
export function proposeFlows(
  context: FlowContext,
  before: LinkFlows,
  offer: Description,
  offerer: string,
  inForce?: AgreedPair,
  media?: MediaLabels,
): LinkFlows {
  const placements = offeredPlacements(context, before, offer);
  const [forward, backward] = routesOf(context, offerer);
  const proposed = placements.flatMap(({ place, transport }) => {
    const { kind, offered } = place;
    if (kind === undefined) return [];
    const isNew = (route: Route): boolean =>
      liveFlowsOf(before.flows, place).every(({ from }) => from !== route.from) &&
      !(inForce && isDeclined(inForce, offerer, route, offered));
    const propose = (route: Route, own: Partial<Flow>): Flow => ({
      ...newFlow(context, before, { ...place, kind }, route),
      ...mediaOf(offered, kind),
      ...own,
      transport,
    });
    return [
      ...(sends(offered) && isNew(forward)
        ? [labelled(context, propose(forward, sentBy(offered, offer)), media)]
        : []),
      ...(receives(offered) && isNew(backward)
        ? [propose(backward, receivedBy(offered, offer, kind))]
        : []),
    ];
  });
  const running = inForce
    ? withPending(context, before, { offer, offerer, inForce, placements })
    : before.flows;
  if (proposed.length === 0) return commit(context, before, { flows: running });
  const remembered = forget({ ...before, flows: running }, context.room);
  const described = proposed
    .filter(({ from }) => from === offerer)
    .map(({ id }) => [id, offer] as const);
  return commit(context, before, {
    ...synchronised(
      context.link,
      remembered,
      [...remembered.flows, ...proposed],
      new Map(described),
    ),
    transports: remembered.transports,
    forgotten: remembered.forgotten,
  });
}

/** Whether the pair in force has the same wish of the offerer in it, and that the other end declined it. */
function isDeclined(
  inForce: AgreedPair,
  offerer: string,
  { from, to }: Route,
  { index, mid, kind }: Section,
): boolean {
  const isSent = from === offerer;
  const own = descriptionOf(inForce, offerer).sections[index];
  const other = descriptionOf(inForce, isSent ? to : from).sections[index];
  const isSection = own?.mid === mid && own?.kind === kind && !own?.rejected;
  if (!own || !other || !isSection || other.rejected) return false;
  return isSent ? sends(own) && !receives(other) : receives(own) && !sends(other);
}

function mediaOf(section: Section, kind: Flow["kind"]): Partial<Flow> {
  const { protocol: profile } = section;
  return kind === "data" ? { profile } : { profile, codecs: [...codecsOf(section)] };
}

function sentBy(section: Section, offer: Description): Partial<Flow> {
  const { streams = [], track, cname, content } = identityOf(section, offer);
  return {
    sources: sourcesOf(section),
    streams,
    ...(track === undefined ? {} : { track }),
    ...(cname === undefined ? {} : { cname }),
    ...(content === undefined ? {} : { content }),
  };
}

function receivedBy(section: Section, offer: Description, kind: Flow["kind"]): Partial<Flow> {
  return {
    limits: agreedLimits(section, offer, []),
    ...(kind === "data" ? { sctp: sctpOf(section) } : {}),
  };
}
