import { parse } from "sdp-transform";
import { LIMITS } from "../protocol/limits.ts";
import type { Bench, BenchOptions, Outcome, Table } from "./bench.ts";
import { alternate, type Contender, medianOf, type Rounds, ratioOf, saysRounds } from "./rounds.ts";
import { type Exchange, grownExchange, recordedExchange } from "./sdp-descriptions.ts";
import { applyHistory, applyRules, deriveFlows, readBoth } from "./sdp-work.ts";

/**
 * What a check of an offer and its answer costs with everything the server looks at, over what sdp-transform takes to
 * parse the two. In Node, whose V8 is that of workerd.
 */

const ROUNDS = 9;
/**
 * Work of one measurement, the one before all rounds included: as much as makes the compiler be done with all
 * contenders, of which the check has far more code than parsing has.
 */
const CHARACTERS = 3_000_000;
/** The mark of a check with all rules, in times what parsing takes. */
const MARK = 3;
/** The stage that has applied all rules, and the one that has derived the flows as well. */
const ALL_RULES = "history";
const WHOLE = "flows";
/** Growth is a straight line up to this exponent, measured. */
const LINEAR = 1.1;

const GROWN = recordedExchange("chromium.two-video-tracks");
const SIZES: readonly Exchange[] = [
  recordedExchange("janus-to-firefox.videoroom-subscribe.3-publisher-left"),
  recordedExchange("chromium.hold-resume.5-peer-video-off"),
  grownExchange(GROWN, 7),
];

const sizeOf = ({ offer, answer }: Exchange): number => offer.length + answer.length;

/** What is measured; each does what the one before it does, and one thing more. */
const STAGES: readonly (readonly [name: string, work: (exchange: Exchange) => () => void])[] = [
  [
    "sdp-transform",
    ({ offer, answer }) =>
      () => {
        parse(offer);
        parse(answer);
      },
  ],
  ["read", (exchange) => () => readBoth(exchange)],
  ["rules", (exchange) => () => applyRules(readBoth(exchange))],
  [
    "history",
    (exchange) => {
      const before = readBoth(exchange);
      return () => {
        const readings = readBoth(exchange);
        applyRules(readings);
        applyHistory(readings, before);
      };
    },
  ],
  ["flows", (exchange) => whole(exchange)],
];

function whole(exchange: Exchange): () => void {
  const before = readBoth(exchange);
  return () => {
    const readings = readBoth(exchange);
    applyRules(readings);
    applyHistory(readings, before);
    deriveFlows(readings);
  };
}

const BASE = "sdp-transform";

/** Microseconds of processor time of an exchange, all threads of the process. */
function contenderOf(name: string, exchange: Exchange, work: () => void): Contender {
  const times = Math.max(1, Math.round(CHARACTERS / sizeOf(exchange)));
  return {
    name,
    measure: () => {
      const before = process.cpuUsage();
      for (let time = 0; time < times; time++) work();
      const { user, system } = process.cpuUsage(before);
      return Promise.resolve({ cpuUs: (user + system) / times });
    },
  };
}

const kilobytes = (text: string): string => `${(text.length / 1000).toFixed(1)} KB`;

/** A row per size: all rules and the whole over parsing, and what of that each part takes. */
function rowOf(exchange: Exchange, rounds: Rounds): string[] {
  const cost = (name: string): number => medianOf(rounds.get(name) ?? [], "cpuUs");
  const parts = STAGES.slice(1).map(([name], index) => {
    const earlier = index === 0 ? 0 : cost(STAGES[index]?.[0] ?? "");
    return ((cost(name) - earlier) / cost(BASE)).toFixed(2);
  });
  return [
    `${kilobytes(exchange.offer)} + ${kilobytes(exchange.answer)}`,
    exchange.name,
    cost(BASE).toFixed(0),
    ratioOf(rounds, ALL_RULES, BASE, "cpuUs"),
    ratioOf(rounds, WHOLE, BASE, "cpuUs"),
    ...parts,
  ];
}

/** Exchanges from one to the largest that is read at all, each about twice as large as the one before. */
function growingExchanges(): readonly Exchange[] {
  const fits = ({ offer }: Exchange): boolean => offer.length <= LIMITS.sdpBytes;
  return [0, 1, 3, 7, 15, 31, 48].map((copies) => grownExchange(GROWN, copies)).filter(fits);
}

/** The slope of the line that is nearest to all points, both axes logarithmic. */
function exponentOf(points: readonly (readonly [size: number, cost: number])[]): number {
  const logs = points.map(([size, cost]) => [Math.log(size), Math.log(cost)] as const);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(logs.map(([size]) => size));
  const y = mean(logs.map(([, cost]) => cost));
  const together = mean(logs.map(([size, cost]) => (size - x) * (cost - y)));
  return together / mean(logs.map(([size]) => (size - x) ** 2));
}

/** What growth costs: both contenders at every size take turns in one series of rounds. */
async function growth(count: number): Promise<{ table: Table; exponent: number; raw: Rounds }> {
  const exchanges = growingExchanges();
  const named = (kind: string, exchange: Exchange): string => `${kind} ${sizeOf(exchange)}`;
  const rounds = await alternate(
    exchanges.flatMap((exchange) => [
      contenderOf(named(BASE, exchange), exchange, (STAGES[0]?.[1] ?? whole)(exchange)),
      contenderOf(named("check", exchange), exchange, whole(exchange)),
    ]),
    count,
  );
  const cost = (kind: string, exchange: Exchange): number =>
    medianOf(rounds.get(named(kind, exchange)) ?? [], "cpuUs");
  const slope = (kind: string): number =>
    exponentOf(exchanges.map((exchange) => [sizeOf(exchange), cost(kind, exchange)]));
  const perKilobyte = (kind: string, exchange: Exchange): string =>
    (cost(kind, exchange) / (sizeOf(exchange) / 1000)).toFixed(1);
  return {
    exponent: slope("check"),
    raw: rounds,
    table: {
      title: "Growth: processor microseconds per 1,000 bytes",
      head: ["", ...exchanges.map(({ offer }) => kilobytes(offer)), "exponent"],
      rows: [BASE, "check"].map((kind) => [
        kind,
        ...exchanges.map((exchange) => perKilobyte(kind, exchange)),
        slope(kind).toFixed(2),
      ]),
    },
  };
}

async function run({ rounds: count = ROUNDS }: BenchOptions): Promise<Outcome> {
  const rows: string[][] = [];
  const raw = new Map<string, unknown>();
  const disturbances: string[] = [];
  const overMark: string[] = [];
  for (const exchange of SIZES) {
    const contenders = STAGES.map(([name, work]) => contenderOf(name, exchange, work(exchange)));
    const rounds = await alternate(contenders, count);
    const cost = (name: string): number => medianOf(rounds.get(name) ?? [], "cpuUs");
    if (cost(ALL_RULES) > MARK * cost(BASE)) overMark.push(kilobytes(exchange.offer));
    rows.push(rowOf(exchange, rounds));
    raw.set(exchange.name, Object.fromEntries(rounds));
    disturbances.push(`${kilobytes(exchange.offer)}: ${saysRounds(rounds, count)}`);
  }
  const { table, exponent, raw: grown } = await growth(count);
  raw.set("growth", Object.fromEntries(grown));
  disturbances.push(`growth: ${saysRounds(grown, count)}`);
  return {
    tables: [
      {
        head: [
          "offer + answer",
          "of",
          "sdp-transform, us",
          "all rules",
          "with flows",
          "read",
          "rules",
          "history",
          "flows",
        ],
        rows,
      },
      table,
    ],
    about: [
      "One exchange: an offer and its answer are read, all rules are applied (each by itself, the two together, what the",
      "connection said before, what the session allows), and the flows are proposed and agreed. Next to it `parse` of",
      "sdp-transform alone reads the same two texts. Processor time of the whole process, the two taking turns, both",
      "warmed up; the columns “all rules” and “with flows” are over parsing, those after them are what each part adds.",
      `The mark of all rules is x ${MARK}: ${overMark.length === 0 ? "met" : `not met at ${overMark.join(", ")}`}. The cost of a check grows with the size to the power of ${exponent.toFixed(2)}${exponent <= LINEAR ? ": a straight line" : ", more than a straight line"}.`,
      ...disturbances,
    ],
    raw: Object.fromEntries(raw),
    with: [`${count} rounds`],
  };
}

export const sdp: Bench = {
  name: "sdp",
  title: "Checking a description",
  run,
};
