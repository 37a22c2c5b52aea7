// `npm run fuzz`: breaks descriptions of the corpus at random and looks for what breaks the checks (`tries`), then
// measures how their cost grows with hostile descriptions (`growth`). Options: `--count N`, `--seed S`, `--only I` (one
// try again, with all it shows), `--part tries` or `--part growth`, `--shape text` (growth of some shapes only).
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { RULES } from "../protocol/sdp/catalogue.ts";
import { type Exchange, faultsOf, tryOf } from "../test/sdp-fuzz.ts";
import { SHAPES } from "../test/sdp-fuzz-shapes.ts";
import { type Growth, growthOf } from "./growth.ts";

const corpus = fileURLToPath(new URL("../test/fixtures/sdp-corpus/", import.meta.url));

const exchanges = (): readonly Exchange[] =>
  readdirSync(corpus)
    .toSorted()
    .map((file) => {
      const { offer, answer } = JSON.parse(readFileSync(`${corpus}${file}`, "utf8")) as Exchange;
      return { name: file.replace(/\.json$/, ""), offer, answer };
    });

/** Which tries a worker makes: every `step`th from `from` on. */
interface Share {
  readonly seed: number;
  readonly from: number;
  readonly step: number;
  readonly count: number;
}

/** What a worker tells. */
interface News {
  readonly done: number;
  /** Rules that have found something. */
  readonly rules: readonly string[];
  readonly trouble: readonly Trouble[];
}

interface Trouble {
  readonly index: number;
  readonly isThrow: boolean;
  readonly what: string;
}

const PROGRESS_EVERY = 200;

function tried(known: readonly Exchange[], seed: number, index: number, rules: Set<string>) {
  const trouble = (isThrow: boolean, what: string): Trouble => ({ index, isThrow, what });
  try {
    const faults = faultsOf(tryOf(known, seed, index), (findings) => {
      for (const { rule } of findings) rules.add(rule);
      return findings;
    });
    return faults.length > 0 ? [trouble(false, [...new Set(faults)].join("; "))] : [];
  } catch (fault) {
    return [trouble(true, fault instanceof Error ? `${fault.stack}` : String(fault))];
  }
}

function work({ seed, from, step, count }: Share): void {
  const known = exchanges();
  const rules = new Set<string>();
  let done = 0;
  let found: Trouble[] = [];
  const tell = (): void => {
    const news: News = { done, rules: [...rules], trouble: found };
    parentPort?.postMessage(news);
    done = 0;
    found = [];
  };
  for (let index = from; index < count; index += step) {
    found.push(...tried(known, seed, index, rules));
    done += 1;
    if (done === PROGRESS_EVERY) tell();
  }
  tell();
}

const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1000).toFixed(0)} s`;

const MOST_SHOWN = 20;

/** Makes all tries, on all cores; gives what went wrong. */
async function makeTries(seed: number, count: number): Promise<number> {
  const since = Date.now();
  const rules = new Set<string>();
  const trouble: Trouble[] = [];
  let done = 0;
  let told = 0;
  const hear = (news: News): void => {
    done += news.done;
    for (const rule of news.rules) rules.add(rule);
    for (const each of news.trouble) {
      trouble.push(each);
      if (trouble.length > MOST_SHOWN) continue;
      console.error(`${each.isThrow ? "THROWN" : "WRONG"} in try ${each.index}: ${each.what}`);
      console.error(`again: npm run fuzz -- --seed ${seed} --only ${each.index}`);
    }
    if (done - told < count / 10) return;
    told = done;
    console.log(`${done} of ${count} tries, ${trouble.length} in trouble, ${seconds(since)}`);
  };
  const step = availableParallelism();
  const shares = Array.from({ length: step }, (_none, from) => ({ seed, from, step, count }));
  await Promise.all(shares.map((share) => shareOf(share, hear)));
  const throws = trouble.filter(({ isThrow }) => isThrow).length;
  console.log(
    `${done} descriptions of seed ${seed}: ${throws} throws, ${trouble.length - throws} other faults, ` +
      `${rules.size} of ${RULES.length} rules found something, ${seconds(since)}`,
  );
  return trouble.length;
}

const shareOf = (share: Share, hear: (news: News) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    worker.on("message", hear);
    worker.on("error", reject);
    worker.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`)),
    );
  });

/** One try again: its texts and what is wrong. */
function again(seed: number, index: number): number {
  const { of, broken, before: _before, ...texts } = tryOf(exchanges(), seed, index);
  console.log(`${broken} of ${of}, broken:\n${JSON.stringify(texts, undefined, 2)}`);
  const trouble = tried(exchanges(), seed, index, new Set());
  for (const { what } of trouble) console.error(what);
  if (trouble.length === 0) console.log("nothing is wrong");
  return trouble.length;
}

const line = ({ shape, bytes, ms, exponent }: Growth): string =>
  `${shape.padEnd(50)}${String(bytes).padStart(8)} B${ms.toFixed(0).padStart(6)} ms  n^${exponent.toFixed(2)}`;

/** Measures every shape; gives how many grow too fast. */
function measureGrowth(wanted: string): number {
  const since = Date.now();
  let tooFast = 0;
  let slowest: Growth | undefined;
  const shapes = SHAPES.filter(({ name }) => name.includes(wanted));
  for (const shape of shapes) {
    const growth = growthOf(shape);
    if (growth.isTooFast) tooFast += 1;
    if (growth.ms > (slowest?.ms ?? 0)) slowest = growth;
    console.log(`${line(growth)}${growth.isTooFast ? "  TOO FAST" : ""}`);
  }
  if (slowest) console.log(`slowest: ${line(slowest)}`);
  console.log(`${shapes.length} shapes, ${tooFast} grow too fast, ${seconds(since)}`);
  return tooFast;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "200000" },
      seed: { type: "string", default: "1" },
      only: { type: "string" },
      part: { type: "string" },
      shape: { type: "string", default: "" },
    },
  });
  const seed = Number(values.seed);
  if (values.only !== undefined) return again(seed, Number(values.only));
  const tries = values.part === "growth" ? 0 : await makeTries(seed, Number(values.count));
  const shapes = values.part === "tries" ? 0 : measureGrowth(values.shape);
  return tries + shapes;
}

if (isMainThread) process.exitCode = (await main()) === 0 ? 0 : 1;
else work(workerData as Share);
