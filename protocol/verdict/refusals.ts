import { LIMITS } from "../limits.ts";
import { PROBLEMS } from "../problem.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { caused, type Evidence, type Judgement, seen } from "./judgement.ts";
import { entriesOfType, type Meeting } from "./meeting.ts";

/** Messages and descriptions that were refused. */

type Refused = Extract<TimelineEntry, { type: "refused" }>;
type Found = Extract<TimelineEntry, { type: "finding" }>;

/** Refusals that correct clients run into: they come of races, and something else follows. */
const RACES: readonly string[] = ["glare", "stale-negotiation", "nothing-offered", "peer-away"];

/** What decides whether two peers come together; a candidate is one of many. */
const DECISIVE: readonly string[] = ["offer", "answer"];

export type Decisive = Refused & { readonly message: string };

const isRefusalOf =
  (messages: readonly string[]) =>
  (entry: Refused): entry is Decisive =>
    messages.some((message) => message === entry.message) && !RACES.includes(entry.code);

/** When it was refused last: one like the one before is the same entry once more. */
const lastOf = ({ at, until = at }: Refused): number => until;

/** Whether something was refused, once more at least, after an entry. */
export const isRefusedAfter = (entry: Refused, since: TimelineEntry | undefined): boolean =>
  since === undefined || entry.n > since.n || lastOf(entry) > since.at;

/** The newest refusal of what would have set up a link, after an entry. */
export const newestRefusal = (
  entries: readonly TimelineEntry[],
  since: TimelineEntry | undefined,
): Decisive | undefined =>
  entriesOfType(entries, "refused")
    .filter(isRefusalOf(DECISIVE))
    .filter((entry) => isRefusedAfter(entry, since))
    .toSorted((one, other) => lastOf(one) - lastOf(other))
    .at(-1);

/** The newest refusal of candidates of a peer. */
export const refusedCandidates = (
  entries: readonly TimelineEntry[],
  peer: string,
): Decisive | undefined =>
  entriesOfType(entries, "refused")
    .filter(isRefusalOf(["candidates"]))
    .findLast(({ by }) => by === peer);

/** What a refusal means. */
export function judgeRefusal(entry: Decisive): Judgement {
  const { by, code, message, times = 1 } = entry;
  const often = times > 1 ? `, ${times} times` : "";
  const evidence = [seen(entry, `the ${message} of ${by} was refused with ${code}${often}`)];
  return code === "not-permitted"
    ? caused("failed", "not-permitted", { peer: by, message }, evidence)
    : caused("failed", "message-refused", { peer: by, message, code }, evidence);
}

/** The newest description that a rule refused; by the record of the link where the entries had to go. */
export interface RefusedDescription {
  readonly by: string;
  readonly rule: string;
  readonly description: string;
  /** Milliseconds from the start of the session. */
  readonly at: number;
  readonly evidence: readonly Evidence[];
}

export function refusedDescription(
  meeting: Meeting,
  since: TimelineEntry | undefined,
): RefusedDescription | undefined {
  const { session, link, entries, departure, begunAt } = meeting;
  const oldest = since?.n ?? 0;
  const errors = entriesOfType(entries, "finding").filter(
    (entry) => entry.n > oldest && entry.refused && entry.level === "error" && isWhole(entry),
  );
  const newest = errors.at(-1);
  if (newest) {
    const together = errors.filter(({ at, by }) => at === newest.at && by === newest.by);
    const [first] = together as [Found, ...Found[]];
    return { ...named(first), at: newest.at, evidence: together.map(foundEvidence) };
  }
  if (since || departure) return undefined;
  const openedAt = link.open ? link.open.expiresAt - LIMITS.offerExpiryMs : begunAt;
  const recorded = link.findings.findLast(
    (finding) =>
      finding.refused && finding.level === "error" && finding.at >= openedAt && isWhole(finding),
  );
  if (!recorded) return undefined;
  const at = recorded.at - session.createdAt;
  const { rule, from } = recorded;
  const evidence = { says: recorded.message, at, finding: rule };
  return { ...named({ ...recorded, by: from }), at, evidence: [evidence] };
}

/** About a description, not about a single candidate. */
const isWhole = ({ rule }: { readonly rule: string }): boolean => !rule.startsWith("candidate-");

const named = ({
  by,
  rule,
  description = "offer",
}: Pick<Found, "by" | "rule" | "description">): Pick<
  RefusedDescription,
  "by" | "rule" | "description"
> => ({ by, rule, description: description === "pair" ? "answer" : description });

function foundEvidence({ n, at, by, rule, line, mid }: Found): Evidence {
  const where = line === undefined ? "" : `, line ${line}`;
  const section = mid === undefined ? "" : `, mid ${mid}`;
  return {
    says: `${rule} in a description of ${by}${where}${section}`,
    at,
    entry: n,
    finding: rule,
  };
}

const NO_COMMON_FORMAT = "payload-no-common-format";

export function judgeDescription(
  refused: RefusedDescription,
  peers: Meeting["link"]["peers"],
): Judgement {
  const { by, rule, description, evidence } = refused;
  if (rule !== NO_COMMON_FORMAT) {
    return caused("failed", "sdp-refused", { peer: by, description, rule }, evidence);
  }
  const [one, other] = peers;
  const offerer = by === one ? other : one;
  return caused("failed", "no-common-codec", { offerer, answerer: by, kind: "media" }, evidence);
}

/** Glares without an answer that make a loop. */
const GLARES = 5;

export function judgeGlare({ entries, link }: Meeting): Judgement | undefined {
  const glares = entriesOfType(entries, "refused").filter(({ code }) => code === "glare");
  const times = glares.reduce((sum, { times: each = 1 }) => sum + each, 0);
  const newest = glares.at(-1);
  if (!newest || times < GLARES) return undefined;
  const [one, other] = link.peers;
  const evidence = [seen(newest, `${times} offers were refused with glare`)];
  return caused("failed", "glare-loop", { one, other }, evidence);
}

/** A peer whose socket was closed because it went on with what is refused; `lost` says so by itself. */
export function judgeProblems(
  entries: readonly TimelineEntry[],
  lost: Extract<TimelineEntry, { type: "peer-lost" }>,
): Judgement | undefined {
  const { peer, code, at } = lost;
  if (code === undefined) return undefined;
  const counted = entriesOfType(entries, "refused").filter(
    (entry) => entry.by === peer && entry.at <= at && isCounted(entry),
  );
  const times = counted.reduce((sum, { times: each = 1 }) => sum + each, 0);
  const newest = counted.at(-1);
  return caused("failed", "too-many-problems", { peer, times }, [
    ...(newest ? [seen(newest, `the last of them was refused with ${newest.code}`)] : []),
    seen(lost, `the socket of ${peer} was closed for ${code}`),
  ]);
}

/** Those that correct clients run into close nothing. */
const isCounted = ({ code }: Refused): boolean =>
  Object.entries(PROBLEMS).some(([known, { socket }]) => known === code && socket !== "reply");
