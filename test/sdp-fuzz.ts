import { RULES } from "../protocol/sdp/catalogue.ts";
import { checkDescription, checkHistory, checkPair, checkPolicy } from "../protocol/sdp/check.ts";
import { type Description, readDescription } from "../protocol/sdp/description.ts";
import { isFinding, type SdpFinding } from "../protocol/sdp/finding.ts";
import { type HistorySubject, marksOf, NO_PAST } from "../protocol/sdp/history.ts";
import type { DescriptionRole } from "../protocol/sdp/rule.ts";
import { checkSdp } from "../protocol/sdp-check.ts";
import { mutated, Random } from "./sdp-fuzz-mutations.ts";

/**
 * Real descriptions, broken at random but the same for the same seed, and what must hold for whatever comes of it.
 * Runs inside workerd (`sdp-fuzz.test.ts`) and on Node (`npm run fuzz`).
 */

/** An exchange of the corpus. */
export interface Exchange {
  readonly name: string;
  readonly offer: string;
  readonly answer: string | null;
}

/** An offer and its answer as texts. */
interface Texts {
  readonly offer: string;
  readonly answer: string;
}

/** One try: a description broken at random, with an offer and an answer it is one of. */
export interface Try extends Texts {
  readonly of: string;
  readonly broken: DescriptionRole;
  /** The exchange as it was recorded: what is in force when the broken one comes. */
  readonly before: Texts;
}

/** The try of this number; it depends on nothing but its seed and number, so that it can be had again alone. */
export function tryOf(exchanges: readonly Exchange[], seed: number, index: number): Try {
  const random = new Random(seed, index);
  const { name, offer, answer } = random.pick(exchanges);
  const others = [random.pick(exchanges), random.pick(exchanges)].flatMap((other) => [
    other.offer,
    ...(other.answer === null ? [] : [other.answer]),
  ]);
  const before = { offer, answer: answer ?? offer };
  const broken = random.chance(2) ? "offer" : "answer";
  const other = broken === "offer" ? "answer" : "offer";
  const text = mutated(random, before[broken], others);
  // Now and then both are broken, in different ways.
  const counterpart = random.chance(10) ? mutated(random, before[other], others) : before[other];
  return broken === "offer"
    ? { of: name, broken, before, offer: text, answer: counterpart }
    : { of: name, broken, before, offer: counterpart, answer: text };
}

const KNOWN_RULES: ReadonlySet<string> = new Set(RULES.map(({ id }) => id));
const LEVELS: ReadonlySet<string> = new Set(["error", "warning", "info"]);
const MOST_FINDINGS = 50;
const LONGEST_MESSAGE = 500;
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

const isWithin = (value: number | undefined, from: number, count: number): boolean =>
  value === undefined || (Number.isInteger(value) && value >= from && value < from + count);

/** What is wrong with the form of a finding; lines and sections are those of `about`. */
function misshapen(finding: SdpFinding, about: Description, description: string): string[] {
  const { rule, level, line, mLine, mid = "", message, source } = finding;
  // An empty text has no line, and what it lacks is lacking in its first.
  const lineCount = Math.max(about.lines.length, 1);
  const sectionCount = about.sections.length;
  const wrong: readonly (readonly [isWrong: boolean, what: string])[] = [
    [!KNOWN_RULES.has(rule), "no rule of this id"],
    [!LEVELS.has(level), `level ${level}`],
    [finding.description !== description, `description ${finding.description}`],
    [!isWithin(line, 1, lineCount), `line ${line} of ${lineCount}`],
    [!isWithin(mLine, 0, sectionCount), `mLine ${mLine} of ${sectionCount}`],
    [message.length === 0 || message.length >= LONGEST_MESSAGE, `message of ${message.length}`],
    [mid.length >= LONGEST_MESSAGE, `mid of ${mid.length}`],
    [UNPRINTABLE.test(message) || UNPRINTABLE.test(mid), "unprintable characters"],
    [source === "", "no source"],
  ];
  return wrong.filter(([isWrong]) => isWrong).map(([, what]) => `${rule}: ${what}`);
}

/** What is wrong with all that one check found. */
export function misshapenIn(
  findings: readonly SdpFinding[],
  about: Description,
  description: string,
): string[] {
  const wrong = findings.flatMap((finding) => misshapen(finding, about, description));
  const isTooMany = findings.length > MOST_FINDINGS;
  return isTooMany ? [...wrong, `${findings.length} findings of the ${description}`] : wrong;
}

const LINE_END = /\r\n|\n|\r/;

/** Whether what was read is what was given, line by line. */
export function isKept(given: string, { text, lines }: Description): boolean {
  const givenLines = given.split(LINE_END);
  if (givenLines.at(-1) === "") givenLines.pop();
  return (
    text === given &&
    givenLines.length === lines.length &&
    lines.every(
      ({ number, type, value }, index) =>
        number === index + 1 && (type === "" ? value : `${type}=${value}`) === givenLines[index],
    )
  );
}

/** Reads a text; undefined when it is over the limits. */
function reading(text: string): Description | undefined {
  const read = readDescription(text);
  if (!isFinding(read)) return read;
  if (read.rule !== "sdp-too-large") throw new Error(`not read because of ${read.rule}`);
  return undefined;
}

/** A description in the history of its link, where the exchange before was the recorded one. */
function historyOf(description: Description, { broken, before, offer }: Try): HistorySubject {
  const other = broken === "offer" ? "answer" : "offer";
  const [own, across] = [reading(before[broken]), reading(before[other])];
  if (!own || !across) throw new Error("the record cannot be read");
  const leg = (peer: string, to: string, of: Description) => ({
    peer,
    to,
    isServer: to !== "a",
    marks: marksOf(of),
  });
  return {
    description,
    role: broken,
    offer: broken === "answer" ? reading(offer) : undefined,
    before: { own, other: across, ownRole: broken },
    past: NO_PAST,
    marks: marksOf(own),
    sender: { id: "a", isServer: false },
    receiver: { id: "b", isServer: true },
    legs: [leg("b", "a", across), leg("a", "c", own), leg("d", "b", own)],
    topology: "central",
    offersInMinute: 1,
  };
}

/** Sees every list of findings and gives it on. */
type Tell = (findings: readonly SdpFinding[]) => readonly SdpFinding[];

const IGNORE: Tell = (findings) => findings;

/** What does not hold in a check without a session, flows included. Throws whatever is thrown. */
export function quickFaultsOf(tried: Try, tell: Tell = IGNORE): string[] {
  const { broken, offer, answer } = tried;
  const [offered, answered] = [reading(offer), reading(answer)];
  const { findings } = checkSdp({ offer, answer }, 0);
  const wrongOf = (about: Description | undefined, as: string): string[] => {
    const own = findings.filter(({ description }) => description === as);
    if (about) return misshapenIn(tell(own), about, as);
    const isTold = as === "pair" || own.some(({ rule }) => rule === "sdp-too-large");
    return isTold ? [] : [`nothing says that the ${as} is too large`];
  };
  const read = broken === "offer" ? offered : answered;
  return [
    ...(read && !isKept(tried[broken], read) ? ["the text was changed"] : []),
    ...wrongOf(offered, "offer"),
    ...wrongOf(answered, "answer"),
    ...wrongOf(offered && answered, "pair"),
  ];
}

/** What does not hold in a try; nothing when all is well. Throws whatever is thrown. */
export function faultsOf(tried: Try, tell: Tell = IGNORE): string[] {
  const { broken, offer, answer } = tried;
  const wrong = quickFaultsOf(tried, tell);
  const [offered, answered] = [reading(offer), reading(answer)];
  const description = broken === "offer" ? offered : answered;
  if (!description) return wrong;
  const see = (found: readonly SdpFinding[], about: Description, as: string): number =>
    wrong.push(...misshapenIn(tell(found), about, as));
  const first = JSON.stringify(checkDescription(description, broken));
  see(checkDescription(description, broken, { strict: true }), description, broken);
  const other = broken === "offer" ? "answer" : "offer";
  for (const strict of [false, true]) {
    see(checkDescription(description, other, { strict }), description, other);
  }
  see(checkHistory(historyOf(description, tried)), description, broken);
  const strictest = { isRelayOnly: true, hasNoTrickle: true, maxReceiveBps: 1_000_000 };
  const policy = { description, role: broken, ...strictest };
  see(checkPolicy(policy), description, broken);
  if (offered && answered) see(checkPair(offered, answered, { strict: true }), answered, "pair");
  // Rules change nothing: who asks again gets the same answer.
  const again = JSON.stringify(checkDescription(description, broken));
  return again === first ? wrong : [...wrong, "another check, other findings"];
}
