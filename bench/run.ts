// `npm run bench` measures everything, `npm run bench -- flow-events` one thing. Writes bench/RESULTS.md.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { type Bench, sectionOf, withSection } from "./bench.ts";
import { flowEvents } from "./flow-events.ts";

const BENCHES: readonly Bench[] = [flowEvents];
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

for (const bench of chosen(process.argv.slice(2))) {
  const section = sectionOf(bench, await bench.run(), where());
  const document = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : HEAD;
  writeFileSync(RESULTS, withSection(document, section));
  console.log(section);
}
