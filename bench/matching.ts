import { Registry } from "../protocol/swap/matching.ts";
import type { Criterion } from "../protocol/swap/message.ts";
import { readSwapMessage } from "../protocol/swap/read-message.ts";
import type { Bench, BenchOptions, Outcome } from "./bench.ts";
import { alternate, type Contender, medianOf, ratioOf, saysRounds } from "./rounds.ts";
import { recordedExchange } from "./sdp-descriptions.ts";

/** What it costs a realm of SWAP to find the endpoint that a connect is for, over what it takes to read the connect. */

const ROUNDS = 9;
const SIZES = [50, 500, 5000];
/** So many offer the same service, are in the same area, or have the same quality. */
const SERVICES = 10;
const AREAS = 50;
const QUALITIES = 3;
/** Microseconds of processor time: the mark of a connect on average. */
const MARK_US = 1_000;
const READ = "read";

const { offer } = recordedExchange("chromium.two-video-tracks");
const area = (n: number): Criterion => ({
  type: "location",
  value: { area: `cell-${n % AREAS}`, country: "nl" },
});

/** Every other endpoint says nothing of its qos. */
const endpoint = (n: number): readonly Criterion[] => [
  { type: "user", value: `user-${n}@example.org` },
  { type: "service", value: `service-${n % SERVICES}` },
  area(n),
  ...(n % 2 === 0 ? [{ type: "qos", value: `q${n % QUALITIES}` }] : []),
];

/** What connects ask for. */
const ASKED: Readonly<Record<string, (n: number) => readonly Criterion[]>> = {
  "a user": (n) => [{ type: "user", value: `user-${n}@example.org` }],
  "a service": (n) => [{ type: "service", value: `service-${n % SERVICES}` }],
  "service, area, qos": (n) => [
    { type: "service", value: `service-${n % SERVICES}` },
    area(n),
    { type: "qos", value: `q${n % QUALITIES}` },
  ],
  "an area": (n) => [area(n)],
  "its qos alone": (n) => [{ type: "qos", value: `q${n % QUALITIES}` }],
  nobody: (n) => [{ type: "user", value: `stranger-${n}` }],
};

/** Processor time of one measurement: others are told from it by ticks of a hundredth of a second. */
const LEAST_US = 150_000;
const BATCH = 50;

function measured(name: string, work: (n: number) => unknown): Contender {
  return {
    name,
    measure: () => {
      const before = process.cpuUsage();
      let times = 0;
      let usedUs = 0;
      while (usedUs < LEAST_US) {
        for (let n = 0; n < BATCH; n++) work(times + n);
        times += BATCH;
        const { user, system } = process.cpuUsage(before);
        usedUs = user + system;
      }
      return Promise.resolve({ cpuUs: usedUs / times });
    },
  };
}

const nameOf = (asked: string, size: number): string => `${asked} ${size}`;

function contenders(): readonly Contender[] {
  const frame = JSON.stringify({
    version: 1,
    source: "source-of-alice",
    message_id: 1,
    message_type: "connect",
    offer,
    matching_criteria: ASKED["service, area, qos"]?.(7),
  });
  const found = SIZES.flatMap((size) => {
    const registry = new Registry();
    for (let n = 0; n < size; n++) registry.register(`source-of-${n}`, endpoint(n));
    return Object.entries(ASKED).map(([name, criteria]) =>
      measured(nameOf(name, size), (n) =>
        registry.find(criteria((n * 7919) % size), "source-of-caller", (n % 100) / 100),
      ),
    );
  });
  return [measured(READ, () => readSwapMessage(frame)), ...found];
}

async function run({ rounds: count = ROUNDS }: BenchOptions): Promise<Outcome> {
  const rounds = await alternate(contenders(), count);
  const cost = (name: string): number => medianOf(rounds.get(name) ?? [], "cpuUs");
  const asked = Object.keys(ASKED);
  const most = SIZES.at(-1) ?? 0;
  const average = asked.reduce((sum, name) => sum + cost(nameOf(name, most)), 0) / asked.length;
  return {
    tables: [
      {
        head: ["a connect asks for", ...SIZES.flatMap((size) => [`${size}, us`, "of reading it"])],
        rows: asked.map((name) => [
          name,
          ...SIZES.flatMap((size) => [
            cost(nameOf(name, size)).toFixed(1),
            ratioOf(rounds, nameOf(name, size), READ, "cpuUs"),
          ]),
        ]),
      },
    ],
    about: [
      `Processor time to find one of 50, 500 and 5,000 registered endpoints, over that to read the connect (${offer.length} characters of`,
      `SDP, ${cost(READ).toFixed(1)} us). Of ${most} endpoints a tenth offers the same service, a fiftieth is in the same area, half say nothing of`,
      "their qos, which makes them matches all the same: who asks for nothing else has all of them looked at.",
      `On average ${average.toFixed(0)} us of the ${MARK_US} that a connect may take; ${average <= MARK_US ? "met" : "not met"}. ${saysRounds(rounds, count)}`,
    ],
    raw: Object.fromEntries(rounds),
    with: [`${count} rounds`],
  };
}

export const matching: Bench = {
  name: "matching",
  title: "Finding a SWAP endpoint",
  run,
};
