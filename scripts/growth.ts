import { checkDescription, checkHistory, checkPair } from "../protocol/sdp/check.ts";
import { type Description, readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import { afterAgreement, marksOf, NO_PAST, NOTHING_SAID } from "../protocol/sdp/history.ts";
import type { Shape } from "../test/sdp-fuzz-shapes.ts";

/** How the cost of a description grows with its size. */
export interface Growth {
  readonly shape: string;
  /** Of the largest description. */
  readonly bytes: number;
  /** CPU time of the largest description. */
  readonly ms: number;
  /** 1 is linear, 2 is quadratic. */
  readonly exponent: number;
  readonly isTooFast: boolean;
}

/** Sorting and memory make a little more than 1 of what is linear, and a busy machine makes noise. */
const MOST_EXPONENT = 1.5;
/** Below this at the limits, nothing can be won by being hostile, and little can be measured. */
const LEAST_MS = 20;
/** Sizes n, 2n, 4n, 8n, the last at the limits of D4. */
const SHARES = [1 / 8, 1 / 4, 1 / 2, 1];
const ROUNDS = 3;
const TRIES = 4;

function read(sdp: string): Description {
  const description = readDescription(sdp);
  if (isFinding(description)) throw new Error(`${description.rule}: ${description.message}`);
  return description;
}

/** What a session does with a description that comes twice: as an offer and as its answer, and once more. */
function assess(sdp: string): void {
  const [offer, answer, next] = [read(sdp), read(sdp), read(sdp)];
  for (const strict of [false, true]) {
    checkDescription(offer, "offer", { strict });
    checkDescription(answer, "answer", { strict });
    checkPair(offer, answer, { strict });
  }
  const said = afterAgreement(afterAgreement(NOTHING_SAID, offer), answer, offer);
  const leg = (peer: string, to: string) => ({
    peer,
    to,
    isServer: peer === "b",
    marks: marksOf(offer),
  });
  checkHistory({
    description: next,
    role: "offer",
    before: { own: offer, other: answer, ownRole: "offer" },
    past: NO_PAST,
    marks: said.marks,
    sender: { id: "a", isServer: false },
    receiver: { id: "b", isServer: true },
    legs: [leg("b", "a"), leg("a", "c"), leg("d", "b")],
    topology: "central",
    offersInMinute: 1,
  });
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** CPU time of a text, the median of some rounds. */
function costOf(sdp: string): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const since = cpuMs();
    assess(sdp);
    return cpuMs() - since;
  }).toSorted((one, other) => one - other);
  return rounds[Math.floor(ROUNDS / 2)] ?? 0;
}

/** The slope between the largest size and a quarter of it, on logarithmic scales. */
function exponentOf(costs: readonly number[]): number {
  const [quarter = 0, , whole = 0] = costs.slice(-3);
  return Math.log(whole / quarter) / Math.log(4);
}

/** Measures a shape; one that looks bad is measured again, for other programs run as well. */
export function growthOf({ name, textOf }: Shape): Growth {
  const texts = SHARES.map(textOf);
  const largest = texts.at(-1) ?? "";
  assess(largest);
  const measured = { shape: name, bytes: largest.length };
  let best: Growth | undefined;
  for (let left = TRIES; left > 0; left -= 1) {
    const costs = texts.map(costOf);
    const ms = costs.at(-1) ?? 0;
    const exponent = exponentOf(costs);
    const isTooFast = exponent > MOST_EXPONENT && ms > LEAST_MS;
    if (!best || exponent < best.exponent) best = { ...measured, ms, exponent, isTooFast };
    if (!isTooFast) break;
  }
  return best ?? { ...measured, ms: 0, exponent: 0, isTooFast: false };
}
