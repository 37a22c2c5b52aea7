import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Flow } from "../protocol/flow.ts";
import type { RuleFacts } from "../protocol/sdp/rule.ts";
import { PeerRequest, SessionRequest } from "../protocol/session-config.ts";
import { Transport } from "../protocol/transport.ts";
import { CATALOGUED, REQUIREMENTS } from "./conformance-ids.ts";
import { codeIn, rowsUnder } from "./markdown.ts";
import { CATALOGUE } from "./sdp-rules-document.ts";

/** Looks that `docs/conformance.md` says what the rules and the records are. */

/** What the document is compared with. */
export interface Facts {
  readonly rules: readonly Pick<RuleFacts, "id" | "requirements">[];
  /** Names in flows, transports, session and peer requests, such as `limits.receiverAs`. */
  readonly fields: ReadonlySet<string>;
  /** Ids that must have a row each. */
  readonly requirements: readonly string[];
  /** Ids of which each must be a rule or left out. */
  readonly catalogued: readonly string[];
}

const HEAD = ["id", "level", "asks", "checked by", "otherwise"];
const LEFT_OUT_HEAD = ["left out", "why"];

/** What is done about a requirement, besides rules; the words that `otherwise` cells are divided by. */
const OUTCOMES = ["Recorded", "Not recorded yet", "Assisted", "Out of reach"] as const;
type Outcome = (typeof OUTCOMES)[number];

interface Row {
  readonly id: string;
  readonly rules: readonly string[];
  readonly outcomes: ReadonlyMap<string, string>;
  /** Everything in backticks, wherever it stands. */
  readonly named: readonly string[];
}

/** `**Recorded**: x. **Assisted**: y.` by its bold words. */
const outcomesOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    [...text.matchAll(/\*\*([^*]+)\*\*:((?:(?!\*\*).)*)/g)].map(([, word = "", said = ""]) => [
      word,
      said,
    ]),
  );

const rowsOf = (document: string): readonly Row[] =>
  rowsUnder(document, HEAD).map(([id = "", , , checked = "", otherwise = ""]) => ({
    id,
    rules: codeIn(checked),
    outcomes: outcomesOf(otherwise),
    named: codeIn(`${checked} ${otherwise}`),
  }));

const leftOutOf = (document: string): readonly string[] =>
  rowsUnder(document, LEFT_OUT_HEAD).flatMap(([ids = ""]) => codeIn(ids));

/** What is wrong with the document; empty when nothing is. */
export function conformanceComplaints(document: string, facts: Facts): readonly string[] {
  const rows = rowsOf(document);
  return [
    ...rowComplaints(rows, facts),
    ...rows.flatMap((row) => cellComplaints(row, facts)),
    ...ruleComplaints(rows, facts),
    ...leftOutComplaints(leftOutOf(document), facts),
  ].map((complaint) => `docs/conformance.md: ${complaint}`);
}

/** Every requirement has one row. */
function rowComplaints(rows: readonly Row[], { requirements }: Facts): readonly string[] {
  const byId = Map.groupBy(rows, ({ id }) => id);
  const known = new Set(requirements);
  return [
    ...requirements.filter((id) => !byId.has(id)).map((id) => `${id} has no row`),
    ...[...byId].filter(([, { length }]) => length > 1).map(([id]) => `${id} has several rows`),
    ...[...byId.keys()].filter((id) => !known.has(id)).map((id) => `${id} is no requirement`),
  ];
}

/** A row names rules and fields that there are, and says of others that they are missing. */
function cellComplaints({ id, rules, outcomes }: Row, facts: Facts): readonly string[] {
  const ruleIds = new Set(facts.rules.map((rule) => rule.id));
  const isField = (name: string): boolean => facts.fields.has(name);
  const names = (outcome: Outcome): readonly string[] => codeIn(outcomes.get(outcome) ?? "");
  const unknown = [...outcomes.keys()].filter(
    (word) => !(OUTCOMES as readonly string[]).includes(word),
  );
  return [
    ...(rules.length + outcomes.size === 0 ? ["says nothing of what Duplex does"] : []),
    ...unknown.map((word) => `says "${word}", which is none of ${OUTCOMES.join(", ")}`),
    ...rules.filter((name) => !ruleIds.has(name)).map((name) => `is checked by no rule ${name}`),
    ...names("Recorded")
      .filter((name) => !isField(name))
      .map((name) => `is recorded in no field ${name}`),
    ...names("Not recorded yet")
      .filter(isField)
      .map((name) => `misses the field ${name}, which there is`),
    ...names("Assisted")
      .filter((name) => !isField(name) && !ruleIds.has(name))
      .map((name) => `is assisted by ${name}, which is neither a rule nor a field`),
  ].map((complaint) => `${id} ${complaint}`);
}

/** Every rule is named in the rows of the requirements that it says it checks. */
function ruleComplaints(rows: readonly Row[], { rules }: Facts): readonly string[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return rules.flatMap((rule) =>
    (rule.requirements ?? []).flatMap((id) => {
      const row = byId.get(id);
      if (!row) return [`the rule ${rule.id} checks ${id}, which has no row`];
      return row.named.includes(rule.id) ? [] : [`${id} does not name its rule ${rule.id}`];
    }),
  );
}

/** What was catalogued is a rule or left out, not both. */
function leftOutComplaints(
  leftOut: readonly string[],
  { rules, catalogued }: Facts,
): readonly string[] {
  const ruleIds = new Set(rules.map(({ id }) => id));
  const out = new Set(leftOut);
  const known = new Set(catalogued);
  return [
    ...leftOut.filter((id) => ruleIds.has(id)).map((id) => `${id} is left out, but is a rule`),
    ...leftOut.filter((id) => !known.has(id)).map((id) => `${id} is left out, but of no catalogue`),
    ...leftOut
      .filter((id, index) => leftOut.indexOf(id) !== index)
      .map((id) => `${id} is left out twice`),
    ...catalogued
      .filter((id) => !ruleIds.has(id) && !out.has(id))
      .map((id) => `${id} is neither a rule nor left out`),
  ];
}

interface Schema {
  readonly $ref?: string;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** `limits`, `limits.receiverAs`: the names in a schema, those in lists and choices too. */
function namesIn(schema: Schema, defs: Schema["$defs"] = schema.$defs): readonly string[] {
  const { $ref, items, anyOf = [], properties = {} } = schema;
  const target = defs?.[$ref?.split("/").at(-1) ?? ""];
  const inner = [target, items, ...anyOf].filter((each) => each !== undefined);
  return [
    ...inner.flatMap((each) => namesIn(each, defs)),
    ...Object.entries(properties).flatMap(([name, each]) => [
      name,
      ...namesIn(each, defs).map((below) => `${name}.${below}`),
    ]),
  ];
}

const fields = (): ReadonlySet<string> =>
  new Set(
    [Flow, Transport, SessionRequest, PeerRequest].flatMap((schema) =>
      namesIn(z.toJSONSchema(schema, { io: "input" }) as Schema),
    ),
  );

/** The rules and records as they are. */
export const facts = (): Facts => ({
  rules: CATALOGUE,
  fields: fields(),
  requirements: REQUIREMENTS,
  catalogued: CATALOGUED,
});

/** How many requirements have which outcome; some have several. */
export function outcomeCounts(document: string): Readonly<Record<string, number>> {
  const rows = rowsOf(document);
  const count = (outcome: Outcome): number =>
    rows.filter(({ outcomes }) => outcomes.has(outcome)).length;
  return {
    Requirements: rows.length,
    Checked: rows.filter(({ rules }) => rules.length > 0).length,
    ...Object.fromEntries(OUTCOMES.map((outcome) => [outcome, count(outcome)])),
    "Nothing but out of reach": rows.filter(
      ({ rules, outcomes }) =>
        rules.length === 0 && outcomes.size === 1 && outcomes.has("Out of reach"),
    ).length,
  };
}

if (import.meta.main) {
  const document = readFileSync(
    fileURLToPath(new URL("../docs/conformance.md", import.meta.url)),
    "utf8",
  );
  console.table(outcomeCounts(document));
  for (const complaint of conformanceComplaints(document, facts())) console.error(complaint);
}
