// `node scripts/expect-flows.ts` writes test/fixtures/flows/: for each answered offer of the corpus, the flows and
// transports that it must make. With `--check` it writes nothing and says which fixtures are not what it would write.
//
// The expectation is independent of what it judges: test/flow-expectation.ts was written from the RFCs that it names and
// from the corpus, before its author had read protocol/flows, with sdp-transform as the parser and plain lines where that
// loses some. Nothing of protocol/ is imported. Differences were then decided by the RFCs, each on its own. About one
// record in ten was read line by line beside its descriptions. What whole stories come to is in test/flow-stories.ts,
// written by hand.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { expectationOf } from "../test/flow-expectation.ts";

interface Exchange {
  readonly offer: string;
  readonly answer: string | null;
}

const corpus = fileURLToPath(new URL("../test/fixtures/sdp-corpus/", import.meta.url));
const fixtures = fileURLToPath(new URL("../test/fixtures/flows/", import.meta.url));

const listed = (folder: string): string[] =>
  readdirSync(folder).filter((file) => file.endsWith(".json"));

/** The text of each fixture, by its file name. */
const wanted = new Map(
  listed(corpus)
    .toSorted()
    .flatMap((file) => {
      const { offer, answer } = JSON.parse(readFileSync(`${corpus}${file}`, "utf8")) as Exchange;
      if (answer === null) return [];
      return [[file, `${JSON.stringify(expectationOf(offer, answer), undefined, 1)}\n`] as const];
    }),
);

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
mkdirSync(fixtures, { recursive: true });
const present = new Map(
  listed(fixtures).map((file) => [file, readFileSync(`${fixtures}${file}`, "utf8")]),
);
const stale = [...wanted].filter(([file, text]) => present.get(file) !== text);
const extra = [...present.keys()].filter((file) => !wanted.has(file));

if (values.check) {
  for (const [file] of stale) console.log(`${file} differs`);
  for (const file of extra) console.log(`${file} belongs to no pair`);
  process.exitCode = stale.length + extra.length > 0 ? 1 : 0;
} else {
  for (const [file, text] of stale) writeFileSync(`${fixtures}${file}`, text);
  for (const file of extra) rmSync(`${fixtures}${file}`);
  console.log(`${wanted.size} pairs, ${stale.length} written, ${extra.length} removed`);
}
