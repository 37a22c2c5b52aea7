// `npm run docs` writes docs/protocol.md, docs/sdk.md, docs/sdp-rules.md and test/vectors/swap/. With `--check` it writes nothing and says what is not as
// it should be: a document that differs from the tables, a test that names no promise of docs/rules.md, a promise nobody
// proves, what docs/conformance.md says otherwise than the code, and what docs/threat-model.md says without a test,
// and links that lead nowhere.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PROBLEMS } from "../protocol/problem.ts";
import { CAUSES } from "../protocol/verdict/causes.ts";
import { conformanceComplaints, facts } from "./conformance.ts";
import { brokenChecks } from "./conformance-plants.ts";
import { linkComplaints } from "./links.ts";
import { protocolDocument } from "./protocol-document.ts";
import { sdkDocument } from "./sdk-document.ts";
import { catalogueComplaints, sdpRulesDocument } from "./sdp-rules-document.ts";
import { staleVectors, writeVectors } from "./swap-vectors.ts";
import { brokenThreatChecks, threatModelComplaints } from "./threat-model.ts";
import { readTree } from "./tree.ts";
import { verdictsDocument } from "./verdicts-document.ts";

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(at(path), "utf8");

const sdk = await sdkDocument();

/** What is made, by its path. */
const GENERATED: Readonly<Record<string, string>> = {
  "docs/protocol.md": protocolDocument(),
  "docs/sdk.md": sdk.text,
  "docs/sdp-rules.md": await sdpRulesDocument(),
  "docs/verdicts.md": verdictsDocument(),
};

/** Promises that later capabilities keep; a test that comes to prove one takes it off this list. */
const LATER = ["R6", "A5"];

/** Ids such as S1 or M20, as docs/rules.md numbers them. */
function promises(): Set<string> {
  const rules = read("docs/rules.md");
  const numbered = [...rules.matchAll(/^- ([SNRDFAWC]\d+) /gm)].map(([, id = ""]) => id);
  const capabilities = [...rules.matchAll(/\b(M\d+) /g)].map(([, id = ""]) => id);
  return new Set([...numbered, ...capabilities]);
}

const testFiles = (): string[] =>
  ["test", "test/e2e"].flatMap((folder) =>
    readdirSync(at(folder))
      .filter((name) => /\.(test|e2e)\.ts$/.test(name))
      .map((name) => `${folder}/${name}`),
  );

const testsByName = (): ReadonlyMap<string, string> =>
  new Map(testFiles().map((file) => [file.replace(/^.*\//, ""), read(file)]));

const testTexts = (): string[] => testFiles().map(read);

/** Ids in the titles of tests, with a file that has them. */
function proved(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of testFiles()) {
    for (const [, id = ""] of read(file).matchAll(/\[([SNRDFAWCM]\d+)\]/g)) found.set(id, file);
  }
  return found;
}

/** What is wrong with the tests as proof of what docs/rules.md promises. */
function promiseComplaints(): string[] {
  const known = promises();
  const tests = proved();
  const unknown = [...tests].filter(([id]) => !known.has(id));
  const open = [...known].filter((id) => !id.startsWith("M") && !tests.has(id));
  const words = testTexts().join("\n");
  const untested = Object.keys(PROBLEMS).filter((code) => !words.includes(`"${code}"`));
  const unsaid = Object.keys(CAUSES).filter((cause) => !words.includes(`: ${cause}"`));
  return [
    ...unsaid.map((cause) => `no test brings about the verdict ${cause}`),
    ...unknown.map(([id, file]) => `${file} names ${id}, which docs/rules.md does not have`),
    ...open.filter((id) => !LATER.includes(id)).map((id) => `no test proves ${id}`),
    ...untested.map((code) => `no test produces the problem ${code}`),
    ...LATER.filter((id) => tests.has(id)).map((id) => `${id} is proved: take it off LATER`),
  ];
}

async function complaints(): Promise<string[]> {
  const stale = Object.entries(GENERATED).filter(([path, text]) => read(path) !== text);
  return [
    ...stale.map(([path]) => `${path} is not what the tables say: run \`npm run docs\``),
    ...staleVectors().map((file) => `test/vectors/swap/${file}: run \`npm run docs\``),
    ...sdk.complaints,
    ...promiseComplaints(),
    ...(await catalogueComplaints()),
    ...conformanceComplaints(read("docs/conformance.md"), facts()),
    ...brokenChecks(),
    ...threatModelComplaints(read("docs/threat-model.md"), testsByName()),
    ...brokenThreatChecks(),
    ...linkComplaints(readTree(at(""))),
  ];
}

if (process.argv.includes("--check")) {
  const found = await complaints();
  for (const complaint of found) console.error(complaint);
  process.exitCode = found.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of Object.entries(GENERATED)) writeFileSync(at(path), text);
  writeVectors();
}
