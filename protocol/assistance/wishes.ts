import { isLive } from "../flows/commit.ts";
import { type Link, linkIdOf, otherPeer, type Peer, type Session } from "../session.ts";
import type { AssistedLink, AssistedPath, Lack, Mapped, Rates } from "./assisted.ts";
import type { AssistanceNetwork } from "./config.ts";
import { assistedLink, type LinkKnowledge } from "./derive.ts";
import { dynamicPolicyOf } from "./dynamic-policy.ts";
import type { Wish } from "./holding.ts";
import { networkAssistanceSessionOf } from "./network-assistance.ts";
import { type AssistanceMode, policyFor } from "./policy.ts";
import type { QosProfile } from "./qod-profile.ts";
import { type QodSession, qodSessionsOf } from "./qod-session.ts";
import { qosSubscriptionOf } from "./qos-subscription.ts";
import { type RateDefaults, ratesOf } from "./rates.ts";
import type { Relay } from "./relays.ts";

/** One request that a network is to hold for a UE, or what it lacks; `links` are those it is for. */
export interface Wanted {
  readonly key: string;
  readonly ue: string;
  readonly network: string;
  readonly links: readonly string[];
  readonly mode: AssistanceMode;
  readonly wish?: Wish;
  readonly lacks?: Lack;
  /** No pair is known, or by the word of the other end alone: it is likely to be something else soon. */
  readonly isTentative?: true;
  /** Media run there already, by the word of the other end: what was before is over. */
  readonly isHearsay?: true;
  /** It can be asked for before all is known, and completed later (TS 26.510). */
  readonly canBeCompleted?: true;
}

/** What the deployment has. */
export interface Surroundings {
  readonly networks: readonly AssistanceNetwork[];
  readonly relays: readonly Relay[];
}

/**
 * What mobile networks are to hold for a session as it is: for every peer that is in one, by what was negotiated on its
 * links. A link of which nothing runs, because all is held or over, asks for nothing.
 */
export function wantedOf(session: Session, around: Surroundings): readonly Wanted[] {
  return [...session.peers.values()].flatMap((peer) => {
    const policy = policyFor(session, peer, around.networks);
    if (!policy) return [];
    const seen = peer.ue?.address;
    const knowledge = { relay: around.relays, ...(seen !== undefined && { seen }) };
    const links = linksOf(session, peer).flatMap(
      (link) => assistedBy(session, link, peer, knowledge) ?? [],
    );
    return links.length === 0 ? [] : wantedFor(peer, links, policy.network, policy.mode);
  });
}

/** What a UE has on a link, and what that follows from. */
interface Known {
  readonly causes: readonly unknown[];
  readonly assisted: AssistedLink | undefined;
}

// Measurements of one link are no reason to read the descriptions of all others again.
const known = new WeakMap<Link["flows"], Map<string, Known>>();

function assistedBy(
  session: Session,
  link: Link,
  { id, ue }: Peer,
  knowledge: LinkKnowledge,
): AssistedLink | undefined {
  const other = session.peers.get(otherPeer(link, id));
  const trickle = session.trickle.get(link.id);
  const causes = [link.inForce, trickle, ue, other?.role, session.config, knowledge.relay];
  const byUe = known.get(link.flows) ?? new Map<string, Known>();
  const found = byUe.get(id);
  if (found && causes.every((cause, index) => cause === found.causes[index])) return found.assisted;
  const assisted = assistedLink(session, link, id, knowledge);
  known.set(link.flows, byUe.set(id, { causes, assisted }));
  return assisted;
}

const linksOf = ({ links, peers }: Session, { id }: Peer): readonly Link[] =>
  [...peers.keys()].flatMap((other) => {
    const link = links.get(linkIdOf(id, other));
    return link?.flows.flows.some(isLive) ? [link] : [];
  });

function wantedFor(
  peer: Peer,
  links: readonly AssistedLink[],
  network: AssistanceNetwork,
  mode: AssistanceMode,
): readonly Wanted[] {
  const common = { ue: peer.id, network: network.name, mode };
  if (network.api === "camara-qod") {
    const [first, ...others] = links as [AssistedLink, ...AssistedLink[]];
    const causes = [...others, network, mode, peer.ue];
    return remembered(first, causes, () => qodWanted(peer, links, network, common));
  }
  return links.flatMap((link) =>
    remembered(link, [network, mode], () => linkWanted(link, network, common)),
  );
}

/** What was wanted of links that have not changed since, by the first of them. */
const mapped = new WeakMap<
  AssistedLink,
  { readonly causes: readonly unknown[]; readonly wanted: readonly Wanted[] }
>();

// What is the same is the same object: in a large mesh little changes at a time, and comparing all of it takes long.
function remembered(
  first: AssistedLink,
  causes: readonly unknown[],
  want: () => readonly Wanted[],
): readonly Wanted[] {
  const before = mapped.get(first);
  const isSame =
    before?.causes.length === causes.length &&
    causes.every((cause, index) => cause === before.causes[index]);
  if (isSame) return before.wanted;
  const wanted = want();
  mapped.set(first, { causes, wanted });
  return wanted;
}

function linkWanted(
  link: AssistedLink,
  network: Api<"nef"> | Api<"rtc-af">,
  common: Common,
): readonly Wanted[] {
  return mappedFor(link, network).map(({ kind, profile, mapped: request }) => {
    const key = `${network.name} ${link.link} ${common.ue}${kind}`;
    const head = { ...common, key, links: [link.link] };
    if ("lacks" in request) return { ...head, lacks: request.lacks };
    const asked = { ...ratesOf(link, defaultsOf(network)), profile };
    const wish = { key, network: network.name, body: { ...request.body }, asked };
    const isPolicy = network.api === "rtc-af" && kind === "";
    return { ...head, wish, ...tentativeIn(link), ...(isPolicy && { canBeCompleted: true }) };
  });
}

/** What one link needs of one network. */
interface Need {
  /** Tells several of one link apart. */
  readonly kind: "" | " recommendations";
  readonly profile: string;
  readonly mapped: Mapped<object>;
}

type Api<A> = Extract<AssistanceNetwork, { readonly api: A }>;

function mappedFor(link: AssistedLink, network: Api<"nef"> | Api<"rtc-af">): readonly Need[] {
  const { dnn, snssai, multiplex, markings } = network;
  const common = {
    ...(dnn !== undefined && { dnn }),
    ...(snssai && { snssai: sliceOf(snssai) }),
    ...(markings && { markings }),
  };
  if (network.api === "nef") {
    const { qosReference, altQosReferences: altQoSReferences } = network.nef;
    const options = { qosReference, altQoSReferences, multiplex, ...common };
    return [{ kind: "", profile: qosReference, mapped: qosSubscriptionOf(link, options) }];
  }
  const { policyTemplateId: profile, recommendations } = network.rtcAf;
  const options = { policyTemplateId: profile, rates: defaultsOf(network), ...common };
  const policy = dynamicPolicyOf(link, { ...options, multiplex });
  const session = networkAssistanceSessionOf(link, options);
  return [
    { kind: "", profile, mapped: policy },
    ...(recommendations ? [{ kind: " recommendations", profile, mapped: session } as const] : []),
  ];
}

const sliceOf = ({ sst, sd }: NonNullable<AssistanceNetwork["snssai"]>) => ({
  sst,
  ...(sd !== undefined && { sd }),
});

const defaultsOf = ({ defaults }: AssistanceNetwork): RateDefaults => {
  const { audioBps, videoBps, dataBps } = defaults;
  return {
    ...(audioBps !== undefined && { audio: audioBps }),
    ...(videoBps !== undefined && { video: videoBps }),
    ...(dataBps !== undefined && { data: dataBps }),
  };
};

type Common = Pick<Wanted, "ue" | "network" | "mode">;
type QodNetwork = Api<"camara-qod">;

/**
 * One session per application server: two of one device and one server overlap, and the second is refused (409), so what
 * goes to one TURN server is asked for together, whichever link it is of.
 */
function qodWanted(
  peer: Peer,
  links: readonly AssistedLink[],
  network: QodNetwork,
  common: Common,
): readonly Wanted[] {
  const { qod } = network;
  const phoneNumber = peer.ue?.phoneNumber;
  const rates = defaultsOf(network);
  const options = {
    durationSeconds: qod.durationSeconds,
    device: qod.device,
    profiles: qod.profiles.map(profileOf),
    rates,
    ...(qod.profile !== undefined && { profile: qod.profile }),
    ...(phoneNumber !== undefined && { phoneNumber }),
  };
  const byServer = Map.groupBy(
    links.flatMap((link) => partsOf(link)),
    (part) => onlyOf(qodSessionsOf(part, options)).server,
  );
  return [...byServer].map(([server, parts]) => {
    const whole = wholeOf(parts as [AssistedLink, ...AssistedLink[]]);
    const key = `${network.name} ${server} ${peer.id}`;
    const head = { ...common, key, links: [...new Set(parts.map(({ link }) => link))] };
    const { result } = onlyOf(qodSessionsOf(whole, options));
    if ("lacks" in result) return { ...head, lacks: result.lacks };
    const { body } = result;
    const asked = { ...ratesOf(whole, rates), profile: body.qosProfile };
    const wish = { key, network: network.name, body: { ...body }, asked };
    const timed = { ...wish, durationSeconds: body.duration };
    return { ...head, wish: timed, ...tentativeIn(whole) };
  });
}

function tentativeIn({ transports }: AssistedLink): Pick<Wanted, "isTentative" | "isHearsay"> {
  const paths = transports.map(({ path }) => path);
  if (paths.every(isSettled)) return {};
  const isHearsay = paths.every((path) => path.isHearsay || isSettled(path));
  return { isTentative: true, ...(isHearsay && { isHearsay }) };
}

/** Nothing more is to come: the UE has told its pair, or relays are all there can be, and how they are reached. */
const isSettled = ({ known, isHearsay, protocol, remotes }: AssistedPath): boolean =>
  (known === "pair" && !isHearsay) ||
  (known === "relay" && protocol !== undefined && remotes.every(({ port }) => port !== undefined));

/** What goes to one server has one session. */
const onlyOf = (sessions: readonly QodSession[]): QodSession => (sessions as [QodSession])[0];

/** All parts as if they were one link. */
function wholeOf(parts: readonly [AssistedLink, ...AssistedLink[]]): AssistedLink {
  const [{ ceilings: _, ...first }] = parts;
  const ceilings = sharedCeilings(parts);
  return {
    ...first,
    ...(ceilings && { ceilings }),
    transports: parts.flatMap((part) => part.transports),
  };
}

/** No link takes more than its own, so all no more than the sum; a link without one may take any. */
function sharedCeilings(parts: readonly AssistedLink[]): Rates | undefined {
  const links = [...new Map(parts.map((part) => [part.link, part])).values()];
  const sumOf = (direction: keyof Rates): number | undefined => {
    const said = links.flatMap(({ ceilings }) => ceilings?.[direction] ?? []);
    return said.length < links.length ? undefined : said.reduce((sum, bps) => sum + bps, 0);
  };
  const [uplinkBps, downlinkBps] = [sumOf("uplinkBps"), sumOf("downlinkBps")];
  if (uplinkBps === undefined && downlinkBps === undefined) return undefined;
  return {
    ...(uplinkBps === undefined ? {} : { uplinkBps }),
    ...(downlinkBps === undefined ? {} : { downlinkBps }),
  };
}

/** A transport each: they may go to different servers. */
const partsOf = (link: AssistedLink): readonly AssistedLink[] =>
  link.transports.map((transport) => ({ ...link, transports: [transport] }));

/** Zod gives members that are not there as undefined. */
const profileOf = (profile: QodNetwork["qod"]["profiles"][number]): QosProfile =>
  profile as unknown as QosProfile;
