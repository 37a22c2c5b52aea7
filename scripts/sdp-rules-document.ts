import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as catalogue from "../protocol/sdp/catalogue.ts";
import type { RuleFacts } from "../protocol/sdp/rule.ts";
import { plain, table } from "./markdown.ts";

/** `docs/sdp-rules.md` as text, made from the rules that the server runs. */

const folder = fileURLToPath(new URL("../protocol/sdp/rules/", import.meta.url));

/** A rule of the catalogue, with what it is about. */
type Rule = RuleFacts & { readonly on?: string };

const isList = (value: unknown): value is readonly Rule[] => Array.isArray(value);

/** The lists of a module, by what they are about: `PAIR` of `PAIR_RULES`. */
const listsOf = (module: object): (readonly [name: string, rules: readonly Rule[]])[] =>
  Object.entries(module).flatMap(([name, value]) =>
    name.endsWith("_RULES") && isList(value) ? [[name.slice(0, -"_RULES".length), value]] : [],
  );

/** Every rule there is. */
export const CATALOGUE: readonly Rule[] = catalogue.RULES;

/** Rules that belong together: a list that a file of protocol/sdp/rules/ exports, and its comment. */
interface Family {
  readonly file: string;
  readonly title: string;
  readonly about: string;
  readonly rules: readonly Rule[];
}

const ACRONYMS = ["ICE", "RTCP"];

const titleOf = (name: string): string => {
  const words = name
    .split("_")
    .map((word) => (ACRONYMS.includes(word) ? word : word.toLowerCase()));
  const title = words.join(" ");
  return title.slice(0, 1).toUpperCase() + title.slice(1);
};

/** The comment over an exported list, on one line. */
function commentOver(name: string, source: string): string {
  const [before = ""] = source.split(`export const ${name}_RULES`);
  const comment = /\/\*\*((?:(?!\*\/).)*)\*\/\s*$/s.exec(before)?.[1] ?? "";
  return comment.replace(/\s*\n\s*\*?\s*/g, " ").trim();
}

async function familiesOf(file: string): Promise<readonly Family[]> {
  const module: object = await import(
    new URL(`../protocol/sdp/rules/${file}`, import.meta.url).href
  );
  const source = readFileSync(`${folder}${file}`, "utf8");
  return listsOf(module).map(([name, rules]) => ({
    file,
    title: titleOf(name),
    about: commentOver(name, source),
    rules,
  }));
}

/** The largest first: a list that takes in those of other files stands for them. */
async function allFamilies(): Promise<readonly Family[]> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  const families = (await Promise.all(files.map(familiesOf))).flat();
  return families.toSorted((one, other) => other.rules.length - one.rules.length);
}

const familyOf = (families: readonly Family[], rule: Rule): Family | undefined =>
  families.find(({ rules }) => rules.includes(rule));

const HEAD = ["id", "on", "level", "strict", "source", "requirements", "condition", "message"];

const BOTH = "offer, answer";
const ON: Readonly<Record<string, string>> = { both: BOTH, policy: BOTH };

const row = (rule: Rule, about: string): readonly string[] => [
  `\`${rule.id}\``,
  ON[rule.on ?? about] ?? rule.on ?? about,
  rule.answerLevel === undefined ? rule.level : `${rule.level} (answer: ${rule.answerLevel})`,
  rule.strict,
  rule.source,
  (rule.requirements ?? []).join(", "),
  plain(rule.condition),
  plain(rule.message),
];

/** A heading of its own for each family, unless there is only one. */
function chapter(families: readonly Family[], name: string, rules: readonly Rule[]): string {
  const about = name.toLowerCase().replaceAll("_", " ");
  const byFamily = Map.groupBy(rules, (rule) => familyOf(families, rule));
  const sections = [...byFamily].flatMap(([family, members]) => {
    const rows = members.map((rule) => row(rule, about));
    return [
      ...(byFamily.size > 1 ? [`### ${family?.title ?? "Others"}`] : []),
      ...(family?.about ? [family.about] : []),
      table(HEAD, rows),
    ];
  });
  return [`## ${titleOf(name)} rules`, ...sections].join("\n\n");
}

/** What a rule is about: the list of the catalogue it is in, else the family. */
function chapterOf(families: readonly Family[], rule: Rule): string {
  const list = listsOf(catalogue).find(([, rules]) => rules.includes(rule));
  return list?.[0] ?? familyOf(families, rule)?.title.toUpperCase() ?? "OTHER";
}

const INTRO = `<!-- Made by \`npm run docs\` from protocol/sdp/catalogue.ts. Do not edit. -->
# SDP rules

What Duplex looks for in descriptions and candidates. An \`error\` refuses the description where the session's \`sdpPolicy\`
is \`enforce\`; a \`warning\` or an \`info\` keeps nothing from its receiver. What is \`off\` is not looked for. *strict* is the
level in the strict profile. *requirements* are those of [conformance.md](conformance.md), which also explains levels,
profile and policy, and says which rules are left out.`;

/** The whole of `docs/sdp-rules.md`. */
export async function sdpRulesDocument(): Promise<string> {
  const families = await allFamilies();
  const byChapter = Map.groupBy(CATALOGUE, (rule) => chapterOf(families, rule));
  const chapters = [...byChapter].map(([name, rules]) => chapter(families, name, rules));
  const count = `${CATALOGUE.length} rules.`;
  return `${[INTRO, count, ...chapters].join("\n\n")}\n`;
}

/** Rules that two entries of the catalogue share an id with, and rules that the catalogue forgot. */
export async function catalogueComplaints(): Promise<readonly string[]> {
  const listed = new Set(CATALOGUE);
  const families = await allFamilies();
  const places = [
    ...families.map(({ file, rules }) => [`protocol/sdp/rules/${file}`, rules] as const),
    ...listsOf(catalogue),
  ];
  const forgotten = places.flatMap(([place, rules]) =>
    rules
      .filter((rule) => !listed.has(rule))
      .map(({ id }) => `${place} has the rule ${id}, which RULES of the catalogue has not`),
  );
  const byId = Map.groupBy(CATALOGUE, ({ id }) => id);
  const repeated = [...byId].filter(([, rules]) => rules.length > 1);
  return [
    ...new Set(forgotten),
    ...repeated.map(([id]) => `the catalogue has ${id} more than once`),
  ];
}
