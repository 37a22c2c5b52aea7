import { readablePair } from "../assess.ts";
import type { AgreedPair } from "../flows/agreed-pair.ts";
import type { Section } from "../sdp/section.ts";
import { type AgreedExchange, otherPeer } from "../session.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { caused, type Evidence, type Judgement, seen } from "./judgement.ts";
import { entriesOfType, hasPlayed, type Meeting } from "./meeting.ts";

/** The pair that was agreed, as far as it is known: by its descriptions, else by what the timeline says of them. */
export interface Agreement {
  readonly offerer: string;
  readonly answerer: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Undefined where it is not known. */
  readonly sections: readonly AgreedMedia[] | undefined;
  readonly isReadable: boolean;
  readonly evidence: readonly Evidence[];
}

interface AgreedMedia {
  readonly index: number;
  readonly kind: string;
  readonly isOffered: boolean;
  readonly isTaken: boolean;
  /** One end sends what the other receives, or it is a data channel. */
  readonly isWanted: boolean;
  /** Rejected without naming any format of the offer: what browsers say when they have none of them. */
  readonly hasNoFormat: boolean;
}

type Described = Extract<TimelineEntry, { type: "offer" | "answer" }>;

export function agreementOf(meeting: Meeting): Agreement | undefined {
  const { link, entries, departure } = meeting;
  const answer = entriesOfType(entries, "answer").at(-1);
  const offer = entriesOfType(entries, "offer").findLast(
    ({ exchange }) => exchange === (answer?.exchange ?? link.inForce?.exchange),
  );
  const evidence = [offer, answer].flatMap((entry) => (entry ? [describedEvidence(entry)] : []));
  const at = agreedAt(meeting, answer);
  if (link.inForce) {
    const { offerer } = link.inForce;
    const sections = sectionsInForce(link.inForce);
    const isReadable = sections !== undefined;
    return { offerer, answerer: otherPeer(link, offerer), at, sections, isReadable, evidence };
  }
  if (!departure || (!answer && !hasAgreedFlows(meeting))) return undefined;
  const offerer = answer ? otherPeer(link, answer.by) : link.peers[0];
  const sections = offer && answer && summarised(offer, answer);
  return { offerer, answerer: otherPeer(link, offerer), at, sections, isReadable: true, evidence };
}

/** A flow that was more than proposed when its peer left. */
const hasAgreedFlows = ({ flows }: Meeting): boolean =>
  flows.some(({ state, history }) =>
    [state, ...history.map((past) => past.state)].some(
      (each) => each !== "proposed" && each !== "ended",
    ),
  );

function describedEvidence(entry: Described): Evidence {
  const sections = entry.media.map(({ kind, direction, rejected }) =>
    [kind, rejected ? "rejected" : direction].join(" "),
  );
  return seen(entry, `${entry.type} of ${entry.by}: ${sections.join(", ") || "no media"}`);
}

/** When the answer came; transports are made then, those of the first one with the first. */
function agreedAt({ session, flows, at }: Meeting, answer: Described | undefined): number {
  if (answer) return session.createdAt + answer.at;
  const since = flows.map(({ timing }) => timing.createdAt);
  return since.length > 0 ? Math.min(...since) : at;
}

const agreed = new WeakMap<AgreedExchange, readonly AgreedMedia[] | "unreadable">();

/**
 * Undefined where the descriptions cannot be read. Remembered as long as they are in force: to read all those of a large
 * session again would take long, and the place of what negotiation needs (see `outlineOf`).
 */
function sectionsInForce(inForce: AgreedExchange): readonly AgreedMedia[] | undefined {
  const known = agreed.get(inForce);
  if (known) return known === "unreadable" ? undefined : known;
  const pair = readablePair(inForce);
  const sections = pair && sectionsOf(pair);
  agreed.set(inForce, sections ?? "unreadable");
  return sections;
}

function sectionsOf({ offer, answer }: AgreedPair): readonly AgreedMedia[] {
  return offer.sections.map((offered, index) => {
    const answered = answer.sections[index];
    return {
      index,
      kind: offered.kind,
      isOffered: !offered.rejected,
      isTaken: answered !== undefined && !answered.rejected,
      isWanted: answered !== undefined && agree(offered, answered),
      hasNoFormat: answered !== undefined && namesNoFormat(offered, answered),
    };
  });
}

/** Chromium lists `0` alone where it has no codec, which an offer may list as well. */
const namesNoFormat = (offered: Section, { rejected, isReadable, formats, rtpMaps }: Section) =>
  rejected &&
  isReadable &&
  offered.kind !== "application" &&
  ((formats.join() === "0" && rtpMaps.length === 0) ||
    !formats.some((format) => offered.formats.includes(format)));

interface Directed {
  readonly kind: string;
  readonly direction?: string | undefined;
}

const sends = ({ direction }: Directed): boolean =>
  direction === "sendrecv" || direction === "sendonly";
const receives = ({ direction }: Directed): boolean =>
  direction === "sendrecv" || direction === "recvonly";

const agree = (one: Directed, other: Directed): boolean =>
  one.kind === "application" || (sends(one) && receives(other)) || (sends(other) && receives(one));

/** Of summaries: formats are not in them. */
function summarised(offer: Described, answer: Described): readonly AgreedMedia[] {
  return offer.media.map((offered, index) => {
    const answered = answer.media[index];
    return {
      index,
      kind: offered.kind,
      isOffered: !offered.rejected,
      isTaken: answered !== undefined && !answered.rejected,
      isWanted: answered !== undefined && agree(offered, answered),
      hasNoFormat: false,
    };
  });
}

/**
 * Agreed, but on nothing that could flow; undefined where something can, where it is not known, and where media ran: it
 * was taken away on purpose.
 */
export function judgeAgreement(meeting: Meeting, agreement: Agreement): Judgement | undefined {
  const { offerer, answerer, sections, isReadable, evidence } = agreement;
  if (!isReadable) {
    return caused("failed", "sdp-unreadable", {}, [...evidence, ...errorsIn(meeting)]);
  }
  const offered = sections?.filter(({ isOffered }) => isOffered);
  const taken = offered?.filter(({ isTaken }) => isTaken);
  if (!offered || !taken || hasPlayed(meeting) || taken.some(({ isWanted }) => isWanted)) {
    return undefined;
  }
  const lacking = withoutCodec(offered);
  if (lacking.length > 0) return noCommonCodec("failed", agreement, lacking);
  return offered.length > 0 && taken.length === 0
    ? caused("failed", "all-rejected", { offerer, answerer }, evidence)
    : caused("waiting", "no-media-wanted", { offerer, answerer }, evidence);
}

const withoutCodec = (sections: readonly AgreedMedia[]): readonly AgreedMedia[] =>
  sections.filter(({ isOffered, hasNoFormat }) => isOffered && hasNoFormat);

/** Something runs, and something else does not for want of a codec. */
export function judgeMissingCodec(agreement: Agreement): Judgement | undefined {
  const lacking = withoutCodec(agreement.sections ?? []);
  return lacking.length > 0 ? noCommonCodec("degraded", agreement, lacking) : undefined;
}

function noCommonCodec(
  state: Judgement["state"],
  { offerer, answerer, evidence }: Agreement,
  lacking: readonly AgreedMedia[],
): Judgement {
  const kind = [...new Set(lacking.map((each) => each.kind))].join(" or ");
  return caused(state, "no-common-codec", { offerer, answerer, kind }, [
    ...evidence,
    ...lacking.map(({ index }) => ({
      says: `the answer rejects m-section ${index} and lists none of the formats that were offered`,
    })),
  ]);
}

/** Errors of rules that were let through. */
export const errorsIn = ({ link, session }: Meeting): readonly Evidence[] =>
  link.findings
    .filter(({ level, refused }) => level === "error" && !refused)
    .slice(-MOST_FINDINGS)
    .map(({ rule, message, at }) => ({
      says: message,
      at: at - session.createdAt,
      finding: rule,
    }));

const MOST_FINDINGS = 4;
