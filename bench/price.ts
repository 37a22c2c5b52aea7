import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bill, eventsOf, FRAMES_PER_REQUEST, objectRequestsOf } from "../test/bill.ts";
import type { Bench, Outcome, Table } from "./bench.ts";
import {
  MONTH_SECONDS,
  OBJECT_GB,
  PRICES,
  SERVICES,
  type Signalling,
  STORED_GB_MONTH,
} from "./prices.ts";
import { recordedExchange } from "./sdp-descriptions.ts";

/**
 * What calls cost at list price, every free allowance left out: `test/price.test.ts` plays them on the real Worker and its
 * objects and counts what is billed; here prices are put on the counts. Time is pretended there, so that only how long an
 * object is awake has to be assumed.
 */

/** What an event keeps an object awake, storage included; the same of a Worker's processor per request. */
const EVENT_MS = 5;
const WORKER_CPU_MS = 2;

/** Of the 1:1 call: rows, and US dollars a million calls. */
const MARKS = { rows: 8, dollars: 10 };

/** As `test/price.test.ts` reports it. */
interface Counted {
  readonly scene: string;
  readonly bill: Bill;
  /** Seconds awake if each event kept the object so for ten. */
  readonly lingering: number;
  /** Milliseconds that the objects' own code took, on a machine that may do other things as well. */
  readonly awakeMs: number;
  readonly stored?: { readonly bytes: number; readonly seconds: number };
}

const TITLES: readonly (readonly [scene: string, title: string])[] = [
  ["two awake", "1:1 call, 10 minutes"],
  ["two evicted", "the same, asleep between any two messages"],
  ["two-deleted awake", "the same, ended by DELETE"],
  ["assisted", "1:1 call, 10 minutes, one of them in a mobile network that is asked"],
  ["mesh", "mesh of 5, 10 minutes"],
  ["assisted-mesh", "the same, all of them in a mobile network that is asked for each link"],
  ["central", "central, 20 peers, an hour, 10 renegotiations"],
  ["idle", "idle hour of two connected peers"],
];

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly meta?: { readonly price?: Counted } }[];
  }[];
}

/** Plays the calls; throws when one costs more than its test allows. */
function play(): readonly Counted[] {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "duplex-price-"));
  const file = join(folder, "report.json");
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(root, "node_modules/vitest/vitest.mjs"),
        ...["run", "--project", "workers", "test/price.test.ts"],
        ...["--reporter=json", `--outputFile=${file}`],
      ],
      { cwd: root, encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`test/price.test.ts fails\n${stdout}\n${stderr}`);
    const { testResults } = JSON.parse(readFileSync(file, "utf8")) as Report;
    return testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .flatMap(({ meta }) => meta?.price ?? []);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** US dollars a million calls, by item. */
function pricesOf({ bill, stored = { bytes: 0, seconds: 0 } }: Counted) {
  const awake = (eventsOf(bill) * EVENT_MS) / 1000;
  const gigabyteMonths = ((stored.bytes / 1e9) * stored.seconds) / MONTH_SECONDS;
  return {
    "rows written": bill.rowsWritten * PRICES.rowsWritten,
    "object requests": objectRequestsOf(bill) * PRICES.objectRequests,
    "Worker requests": bill.workerRequests * PRICES.workerRequests,
    "Worker CPU": bill.workerRequests * WORKER_CPU_MS * PRICES.workerCpuMs,
    awake: awake * OBJECT_GB * PRICES.duration,
    "rows read": bill.rowsRead * PRICES.rowsRead,
    stored: gigabyteMonths * 1e6 * STORED_GB_MONTH,
  };
}

/** What so many frames cost that nothing is written for. */
const pricesOfEvents = (frames: number): number =>
  (frames / FRAMES_PER_REQUEST) * PRICES.objectRequests +
  ((frames * EVENT_MS) / 1000) * OBJECT_GB * PRICES.duration;

const totalOf = (counted: Counted): number =>
  Object.values(pricesOf(counted)).reduce((sum, price) => sum + price, 0);

const dollars = (amount: number): string => (amount < 100 ? amount.toFixed(2) : amount.toFixed(0));

function tablesOf(all: readonly Counted[]): readonly Table[] {
  const found = TITLES.flatMap(([scene, title]) => {
    const counted = all.find((each) => each.scene === scene);
    return counted ? [{ title, counted, prices: pricesOf(counted) }] : [];
  });
  const items = Object.keys(found[0]?.prices ?? {});
  return [
    {
      title: "What is billed, per call",
      head: [
        ...["call", "rows written", "rows read", "Worker requests", "calls of objects", "alarms"],
        ...["frames in", "object requests", "awake, GB-s", "stored, kB"],
      ],
      rows: found.map(({ title, counted: { bill, stored } }) => [
        title,
        ...[bill.rowsWritten, bill.rowsRead, bill.workerRequests, bill.calls, bill.alarms].map(
          String,
        ),
        String(bill.frames),
        objectRequestsOf(bill).toFixed(1),
        ((eventsOf(bill) * EVENT_MS * OBJECT_GB) / 1000).toFixed(4),
        ((stored?.bytes ?? 0) / 1000).toFixed(0),
      ]),
    },
    {
      title: "US dollars per million calls",
      head: ["call", ...items, "all"],
      rows: found.map(({ title, counted, prices }) => [
        title,
        ...Object.values(prices).map(dollars),
        dollars(totalOf(counted)),
      ]),
    },
  ];
}

/** What a service is given to pass on in the call of two: the descriptions and four messages of candidates. */
function signalling(): Signalling {
  const { offer, answer } = recordedExchange("chromium.trickle-no-candidates");
  return {
    messages: [offer.length, answer.length, 400, 200, 400, 200],
    connections: 2,
    minutes: 10,
  };
}

function servicesTable(own: number): Table {
  return {
    title: "The 1:1 call as messages of other services, published prices",
    head: ["service", "US dollars per million calls", "times Duplex", "terms", "source"],
    rows: SERVICES.map(({ name, terms, source, price }) => {
      const amount = price(signalling());
      return [name, dollars(amount), `x ${(amount / own).toFixed(1)}`, terms, source];
    }),
  };
}

function run(): Outcome {
  const counted = play();
  const two = counted.find(({ scene }) => scene === "two awake");
  if (!two) throw new Error("the report has no call of two");
  const reports = pricesOfEvents(40);
  const lingering = two.lingering * OBJECT_GB * PRICES.duration;
  return {
    tables: [...tablesOf(counted), servicesTable(totalOf(two))],
    about: [
      "Counts of `test/price.test.ts`, which plays each call on the real Worker and its objects with the messages of the SDK",
      "and descriptions of Chromium, from the creation of the session to the erasure of its storage: rows by the counters",
      "of the cursors, each alarm that is set and each erasure one row; calls, upgrades and alarms one request, frames 20 to one.",
      "Pings cost nothing, the edge answers them. Cloudflare's list prices of November 2026, all free allowances left out:",
      `$${PRICES.rowsWritten} a million rows written, $${PRICES.objectRequests} object requests, $${PRICES.workerRequests} Worker requests, $${PRICES.duration} GB-s.`,
      "",
      `Assumed, not counted: ${EVENT_MS} ms awake for each event of an object (here it took ${(two.awakeMs / eventsOf(two.bill)).toFixed(1)} ms in the mean),`,
      `${WORKER_CPU_MS} ms of processor for each request of the Worker.`,
      "An object that could hibernate is not billed, “even before the runtime has hibernated” it (Durable Objects pricing).",
      "What an erasure (deleteAll) costs is not documented: one row here.",
      `Were it billed for ten seconds after each event, as older texts can be read, the 1:1 call with its reports would cost $${dollars(lingering)} more.`,
      "",
      `The 1:1 call writes ${two.bill.rowsWritten} rows, its erasure included (mark: ${MARKS.rows}), and costs $${dollars(totalOf(two))} a million (mark: $${MARKS.dollars});`,
      `$${dollars(totalOf(two) - PRICES.rowsWritten)} if the erasure is not billed. Forty reports of quality are $${dollars(reports)} of that.`,
      "Fixed fees of the services below are left out, and so are reports of quality, which they do not take.",
    ],
    raw: counted,
  };
}

export const price: Bench = { name: "price", title: "Price at list prices", run };
