// `npm run bench` measures everything, `npm run bench -- flow-events` one thing. Writes bench/RESULTS.md and
// bench/results/NAME.json, unless `--minutes`, `--sessions` or `--rounds` make it a trial.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Bench, type BenchOptions, sectionOf, withSection } from "./bench.ts";
import { flowEvents } from "./flow-events.ts";
import { load } from "./load.ts";
import { matching } from "./matching.ts";
import { price } from "./price.ts";
import { profile } from "./profile.ts";
import { relay } from "./relay.ts";
import { scale } from "./scale.ts";
import { sdp } from "./sdp.ts";
import { setUp } from "./setup.ts";
import { setUpBrowser } from "./setup-browser.ts";
import { stepAlone } from "./step.ts";
import { workerdVersion } from "./worker-bundle.ts";

const BENCHES: readonly Bench[] = [
  flowEvents,
  load,
  matching,
  price,
  profile,
  relay,
  scale,
  sdp,
  setUp,
  setUpBrowser,
  stepAlone,
];
const RESULTS = fileURLToPath(new URL("RESULTS.md", import.meta.url));
const RAW = fileURLToPath(new URL("results/", import.meta.url));
const HEAD =
  "# Measurements\n\nWritten by `npm run bench`. Ratios hold; times are those of one machine.\n";

const where = (): string => {
  const [cpu] = cpus();
  const machine = `${cpus().length} x ${cpu?.model.trim() ?? "unknown CPU"}`;
  const system = `${process.platform} ${process.arch}, Node.js ${process.version}, workerd ${workerdVersion()}`;
  return `${machine}, ${system}, ${new Date().toISOString().slice(0, 10)}`;
};

const chosen = (names: readonly string[]): readonly Bench[] => {
  const unknown = names.filter((name) => BENCHES.every((bench) => bench.name !== name));
  if (unknown.length > 0) {
    const known = BENCHES.map(({ name }) => name).join(", ");
    throw new Error(`no bench ${unknown.join(", ")}; there are ${known}`);
  }
  return names.length === 0 ? BENCHES : BENCHES.filter(({ name }) => names.includes(name));
};

const { values, positionals } = parseArgs({
  options: {
    minutes: { type: "string" },
    sessions: { type: "string" },
    rounds: { type: "string" },
  },
  allowPositionals: true,
});

const options: BenchOptions = Object.fromEntries(
  Object.entries(values).map(([name, value]) => {
    if (!(Number(value) > 0)) throw new Error(`--${name}: ${value} is not a number above 0`);
    return [name, Number(value)];
  }),
);
const isTrial = Object.keys(options).length > 0;

// Whoever stops a trial leaves no folder and no server of it behind: both are removed when the process exits.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"] as const) {
  process.once(name, () => process.exit(1));
}

for (const bench of chosen(positionals)) {
  const outcome = await bench.run(options);
  const section = sectionOf(bench, outcome, where());
  console.log(section);
  if (isTrial) continue;
  const document = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : HEAD;
  writeFileSync(RESULTS, withSection(document, section));
  mkdirSync(RAW, { recursive: true });
  const raw = { measured: where(), with: outcome.with ?? [], figures: outcome.raw };
  writeFileSync(join(RAW, `${bench.name}.json`), `${JSON.stringify(raw, null, 1)}\n`);
}
// The channel to whoever started it would keep it.
process.exit();
