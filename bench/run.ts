// `npm run bench` measures everything, `npm run bench -- flow-events` one thing. Writes bench/RESULTS.md, unless
// `--minutes` or `--sessions` make it a trial.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Bench, type BenchOptions, sectionOf, withSection } from "./bench.ts";
import { flowEvents } from "./flow-events.ts";
import { load } from "./load.ts";

const BENCHES: readonly Bench[] = [flowEvents, load];
const RESULTS = fileURLToPath(new URL("RESULTS.md", import.meta.url));
const HEAD =
  "# Measurements\n\nWritten by `npm run bench`. Ratios hold; times are those of one machine.\n";

const where = (): string => {
  const [cpu] = cpus();
  const machine = `${cpus().length} x ${cpu?.model.trim() ?? "unknown CPU"}`;
  const system = `${process.platform} ${process.arch}, Node.js ${process.version}`;
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
  options: { minutes: { type: "string" }, sessions: { type: "string" } },
  allowPositionals: true,
});

const options: BenchOptions = Object.fromEntries(
  Object.entries(values).map(([name, value]) => {
    if (!(Number(value) > 0)) throw new Error(`--${name}: ${value} is not a number above 0`);
    return [name, Number(value)];
  }),
);
const isTrial = Object.keys(options).length > 0;

for (const bench of chosen(positionals)) {
  const section = sectionOf(bench, await bench.run(options), where());
  const document = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : HEAD;
  if (!isTrial) writeFileSync(RESULTS, withSection(document, section));
  console.log(section);
}
