import { LIMITS } from "../limits.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { caused, type Evidence, type Judgement, secondsOf, seen } from "./judgement.ts";
import { entriesOfType, type Meeting } from "./meeting.ts";

/** Messages and descriptions that were refused. */

type Refused = Extract<TimelineEntry, { type: "refused" }>;
type Found = Extract<TimelineEntry, { type: "finding" }>;

/** Refusals that correct clients run into: they come of races, and something else follows. */
const RACES: readonly string[] = ["glare", "stale-negotiation", "nothing-offered", "peer-away"];

/** What decides whether two peers come together. */
const DECISIVE: readonly string[] = ["offer", "answer", "candidates"];

type Decisive = Refused & { readonly message: string };

const isDecisive = (entry: Refused): entry is Decisive =>
  DECISIVE.some((message) => message === entry.message) && !RACES.includes(entry.code);

/** The newest refusal of what would have set up a link, after entry number `since`. */
export const newestRefusal = (
  entries: readonly TimelineEntry[],
  since: number,
): Decisive | undefined =>
  entriesOfType(entries, "refused")
    .filter(isDecisive)
    .findLast(({ n }) => n > since);

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
  since: number,
): RefusedDescription | undefined {
  const { session, link, entries, departure, begunAt } = meeting;
  const errors = entriesOfType(entries, "finding").filter(
    (entry) => entry.n > since && entry.refused && entry.level === "error" && isWhole(entry),
  );
  const newest = errors.at(-1);
  if (newest) {
    const together = errors.filter(({ at, by }) => at === newest.at && by === newest.by);
    const [first] = together as [Found, ...Found[]];
    return { ...named(first), at: newest.at, evidence: together.map(foundEvidence) };
  }
  if (since > 0 || departure) return undefined;
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

/** A peer whose socket was closed because it went on with what is refused. */
export function judgeProblems(
  entries: readonly TimelineEntry[],
  gone: Extract<TimelineEntry, { type: "peer-lost" | "peer-left" }>,
): Judgement | undefined {
  const own = entriesOfType(entries, "refused").filter(
    (entry) => entry.by === gone.peer && entry.at <= gone.at,
  );
  const times = own.reduce((sum, { times: each = 1 }) => sum + each, 0);
  const newest = own.at(-1);
  if (!newest || times < LIMITS.problemBurst) return undefined;
  const last = newest.until ?? newest.at;
  if (gone.at - last > SOON_MS) return undefined;
  return caused("failed", "too-many-problems", { peer: gone.peer, times }, [
    seen(newest, `the last of them was refused with ${newest.code}`),
    seen(gone, `${gone.peer} was gone ${secondsOf(gone.at - last)} s later`),
  ]);
}

/** A socket that is closed for it is gone at once. */
const SOON_MS = 5_000;
