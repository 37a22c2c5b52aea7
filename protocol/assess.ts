import { ceilingOf } from "./ceilings.ts";
import type { Kind } from "./flow.ts";
import type { AgreedPair } from "./flows/agreed-pair.ts";
import { lowestOf } from "./flows/flow-limits.ts";
import type { Move } from "./move.ts";
import { type Problem, problem } from "./problem.ts";
import { Readings } from "./readings.ts";
import { checkDescription, checkHistory, checkPair, checkPolicy } from "./sdp/check.ts";
import { type Description, readDescription } from "./sdp/description.ts";
import { isFinding, type SdpFinding } from "./sdp/finding.ts";
import {
  type Before,
  type HistorySubject,
  type Leg,
  type Marks,
  marksOf,
  withMarks,
} from "./sdp/history.ts";
import { withoutOwnAddresses } from "./sdp/relay-only.ts";
import { easedForRenegotiation } from "./sdp/renumbered.ts";
import type { DescriptionRole } from "./sdp/rule.ts";
import type {
  AgreedExchange,
  Link,
  OpenExchange,
  Peer,
  Session,
  StoredDescription,
} from "./session.ts";

/** A description as the server understands it before it is forwarded (D1, A2). */
export interface Assessment {
  /** Absent when no flow can be derived from it and the policy is to report. */
  readonly description?: Description;
  readonly findings: readonly SdpFinding[];
  /** Why it goes no further. */
  readonly refused?: Problem;
}

/** Characters of text whose readings are remembered, of all sessions in memory: a reading is 12 to 38 times as large. */
const REMEMBERED_CHARACTERS = 1_048_576;

const readings = new Readings<StoredDescription, Description | SdpFinding>(REMEMBERED_CHARACTERS);

/** Reads a stored description; mostly it was read before. */
function reading(stored: StoredDescription): Description | SdpFinding {
  const known = readings.get(stored);
  if (known) return known;
  const read = readDescription(stored.sdp);
  readings.set(stored, stored.sdp.length, read);
  return read;
}

/** The description, or undefined when no flow can be derived from it. */
export function readable(stored: StoredDescription | undefined): Description | undefined {
  if (!stored) return undefined;
  const read = reading(stored);
  return !isFinding(read) && read.isUsable ? read : undefined;
}

/** The pair in force as flows are derived from it, or undefined when there is none that can be read. */
export function readablePair(inForce: AgreedExchange | null): AgreedPair | undefined {
  const offer = readable(inForce?.offer);
  const answer = readable(inForce?.answer);
  return inForce && offer && answer ? { offer, answer, offerer: inForce.offerer } : undefined;
}

/**
 * Assesses an offer, or an answer to the open one: by itself, with its offer, and in the history of its link
 * and session.
 *
 * Refused with `sdp-too-large`; with `sdp-invalid` and its `finding` where the policy is `enforce`; with
 * `not-permitted` when it would send or receive a kind that the token does not grant.
 */
export function assess(made: Move, stored: StoredDescription, open?: OpenExchange): Assessment {
  const role = open ? "answer" : "offer";
  const read = reading(stored);
  if (isFinding(read)) {
    const findings = [{ ...read, description: role }] as const;
    return { findings, refused: refusal(findings) };
  }
  const offered = readable(open?.offer);
  const byItself = checkDescription(read, role);
  const findings = [
    ...(made.link.inForce ? easedForRenegotiation(byItself, read) : byItself),
    ...(offered ? checkPair(offered, read) : []),
    ...checkHistory(historyOf(made, read, role, offered)),
    ...checkPolicy({ description: read, role, ...policyFor(made) }),
  ];
  const errors = findings.filter(({ level }) => level === "error");
  const { sdpPolicy } = made.session.config;
  const isTooLarge = errors.some(({ rule }) => rule === TOO_LARGE);
  if (errors.length > 0 && (sdpPolicy === "enforce" || isTooLarge)) {
    return { findings, refused: refusal(findings) };
  }
  const ungranted = firstUngranted(read, made.sender);
  if (ungranted) return { findings, refused: ungranted };
  return read.isUsable ? { findings, description: read } : { findings };
}

const TOO_LARGE = "sdp-too-large";

/** Findings that the sender is told; the others are for records. */
export function told(findings: readonly SdpFinding[]): SdpFinding[] {
  return findings.filter(({ level }) => level !== "info");
}

/** What explains whatever else is found: a description that comes back breaks many rules at once. */
const CAUSES = [TOO_LARGE, "ice-ufrag-same-both-ends", "loop-detected"];

const rankOf = ({ rule }: SdpFinding): number => {
  const rank = CAUSES.indexOf(rule);
  return rank < 0 ? CAUSES.length : rank;
};

/** The problem of findings with an error among them: the gravest is its `finding`, `findings` are all that matter. */
export function refusal(findings: readonly SdpFinding[]): Problem {
  const errors = findings.filter(({ level }) => level === "error");
  const [finding] = errors.toSorted((one, other) => rankOf(one) - rankOf(other)) as [SdpFinding];
  const code = finding.rule === TOO_LARGE ? TOO_LARGE : "sdp-invalid";
  return problem(code, finding.message, { finding, findings: told(findings) });
}

/** The pair in force as the sender of a new description sees it. */
function beforeOf({ inForce }: Link, sender: Peer): Before | undefined {
  const offer = readable(inForce?.offer);
  const answer = readable(inForce?.answer);
  if (!inForce || !offer || !answer) return undefined;
  return inForce.offerer === sender.id
    ? { own: offer, other: answer, ownRole: "offer" }
    : { own: answer, other: offer, ownRole: "answer" };
}

const MINUTE_MS = 60_000;

/** Offers that are remembered: enough to say that they are too many. */
const MOST_OFFERS = 64;

/** The newest offers of the last minute. */
export function recentOffers({ offeredAt }: Link, at: number): readonly number[] {
  return offeredAt.filter((time) => time > at - MINUTE_MS).slice(1 - MOST_OFFERS);
}

const isServer = (session: Session, peer: string): boolean =>
  session.peers.get(peer)?.role === "media-server";

function historyOf(
  { session, link, sender, receiver, at }: Move,
  description: Description,
  role: DescriptionRole,
  offer: Description | undefined,
): HistorySubject {
  const said = link.said[link.peers[0] === sender.id ? 0 : 1];
  const others = [...session.links.values()].flatMap((other) =>
    legsOf(session, other).filter(({ peer }) => other.id !== link.id || peer !== sender.id),
  );
  return {
    description,
    role,
    offer,
    before: beforeOf(link, sender),
    past: said.past,
    marks: said.marks,
    sender: { id: sender.id, isServer: sender.role === "media-server" },
    receiver: { id: receiver.id, isServer: receiver.role === "media-server" },
    legs: [
      ...others,
      {
        peer: sender.id,
        to: receiver.id,
        isServer: isServer(session, sender.id),
        marks: said.ended,
      },
    ],
    topology: session.config.topology,
    offersInMinute: recentOffers(link, at).length + 1,
  };
}

/** Both ends of a link; an offer that is open has been said as well. */
function legsOf(session: Session, { peers, said, open }: Link): readonly Leg[] {
  const offered = open && marksIn(open.offer);
  return peers.map((peer, end) => {
    const { marks } = said[end as 0 | 1];
    return {
      peer,
      to: peers[end === 0 ? 1 : 0],
      isServer: isServer(session, peer),
      marks: offered && open?.offerer === peer ? withMarks(marks, offered) : marks,
    };
  });
}

const marksOfOffers = new WeakMap<StoredDescription, Marks | undefined>();

/** The marks of an open offer: every new description is compared with them, and they are small. */
function marksIn(offer: StoredDescription): Marks | undefined {
  if (!marksOfOffers.has(offer)) {
    const description = readable(offer);
    marksOfOffers.set(offer, description && marksOf(description));
  }
  return marksOfOffers.get(offer);
}

/** Whether a peer must not show addresses of its own; a media server is no person's device (decision 0017). */
export function isRelayOnly({ session, sender }: Pick<Move, "session" | "sender">): boolean {
  return session.config.iceTransportPolicy === "relay" && sender.role !== "media-server";
}

/**
 * A description as others see it: as received, but for the addresses that a relay-only session keeps from them
 * (decision 0017). Where the policy is to enforce, one with such addresses is refused and never gets here.
 */
export function forwardable(made: Move, received: StoredDescription): StoredDescription {
  if (made.session.config.sdpPolicy === "enforce" || !isRelayOnly(made)) return received;
  const read = reading(received);
  const { sdp, withheld } = isFinding(read) ? NOTHING_READ : withoutOwnAddresses(read);
  return withheld === 0 ? received : { sdp, withheld };
}

/** Too large: it is refused under either policy. */
const NOTHING_READ = { sdp: "", withheld: 0 };

/** What the session allows the author of a description. */
function policyFor({ session, sender, receiver }: Move) {
  const ceilings = [
    ceilingOf(session, sender, "downlink") ?? [],
    ceilingOf(session, receiver, "uplink") ?? [],
  ].flat();
  return {
    isRelayOnly: isRelayOnly({ session, sender }),
    hasNoTrickle: sender.endpoint !== undefined,
    http: httpOf(sender, receiver),
    maxReceiveBps: lowestOf(ceilings)?.bps,
  };
}

const httpOf = (sender: Peer, receiver: Peer) => {
  const { door } = sender.http ?? receiver.http ?? {};
  return door && { door, isClient: sender.http !== undefined };
};

/** A description may send only what its peer may publish, and receive only what it may subscribe (A2). */
function firstUngranted(description: Description, sender: Peer): Problem | undefined {
  for (const section of description.sections) {
    if (section.rejected) continue;
    const refused = ungrantedIn(section, sender);
    if (!refused) continue;
    return problem("not-permitted", `the token does not grant to ${refused.act} ${refused.kind}`, {
      ...refused,
      mLine: section.index,
      ...(section.mid === undefined ? {} : { mid: section.mid }),
    });
  }
  return undefined;
}

function ungrantedIn(
  section: Description["sections"][number],
  { publish, subscribe }: Peer,
): { act: "publish" | "subscribe"; kind: Kind } | undefined {
  const { kind, direction } = section;
  if (kind === "application") {
    return publish.includes("data") ? undefined : { act: "publish", kind: "data" };
  }
  if (kind !== "audio" && kind !== "video") return undefined;
  const sends = direction === "sendrecv" || direction === "sendonly";
  if (sends && !publish.includes(kind)) return { act: "publish", kind };
  const receives = direction === "sendrecv" || direction === "recvonly";
  if (receives && !subscribe.includes(kind)) return { act: "subscribe", kind };
  return undefined;
}
