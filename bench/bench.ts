/** What a bench comes to. Cells are text: the run says how exact they are. */
export interface Table {
  /** Where a bench has several. */
  readonly title?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Bench {
  /** As `npm run bench -- <name>` has it. */
  readonly name: string;
  readonly title: string;
  /** Measures, and throws when what it is to show does not hold. */
  readonly run: (options: BenchOptions) => Outcome | Promise<Outcome>;
}

/** Makes a run shorter or smaller, to try it; what such a run measures is not kept. */
export interface BenchOptions {
  readonly minutes?: number;
  readonly sessions?: number;
  readonly rounds?: number;
}

export interface Outcome {
  readonly tables: readonly Table[];
  /** Lines of prose: how it was measured, and what it shows. */
  readonly about: readonly string[];
  /** Every single figure, for `bench/results/NAME.json`. */
  readonly raw: unknown;
  /** What else it ran, with its version, and how many rounds: `peer 1.0.2`, `9 rounds`. */
  readonly with?: readonly string[];
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

const linesOf = ({ title, head, rows }: Table): string[] => [
  ...(title === undefined ? [] : [`**${title}**`, ""]),
  row(head),
  row(head.map(() => "---:")),
  ...rows.map(row),
  "",
];

/** A section of RESULTS.md, its heading first. `where` says on what and when it was measured. */
export function sectionOf({ name, title }: Bench, outcome: Outcome, where: string): string {
  const on = [where, ...(outcome.with ?? [])].join(", ");
  const command = `\`npm run bench -- ${name}\` · ${on}`;
  const tables = outcome.tables.flatMap(linesOf);
  return [`## ${title}`, "", command, "", ...outcome.about, "", ...tables].join("\n");
}

const HEADING = /^(?=## )/m;

/** The document with this section in the place of the one with the same heading, or after all. */
export function withSection(document: string, section: string): string {
  const [head = "", ...sections] = document.split(HEADING);
  const heading = (text: string): string => text.slice(0, text.indexOf("\n"));
  const at = sections.findIndex((each) => heading(each) === heading(section));
  const next = at < 0 ? [...sections, section] : sections.with(at, section);
  return [head, ...next].map((each) => `${each.trimEnd()}\n`).join("\n");
}
