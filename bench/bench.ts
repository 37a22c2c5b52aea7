/** What a bench comes to. Cells are text: the run says how exact they are. */
export interface Table {
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
}

export interface Outcome {
  readonly table: Table;
  /** Lines of prose: how it was measured, and what it shows. */
  readonly about: readonly string[];
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** A section of RESULTS.md, its heading first. `where` says on what and when it was measured. */
export function sectionOf(
  { name, title }: Bench,
  { table, about }: Outcome,
  where: string,
): string {
  return [
    `## ${title}`,
    "",
    `\`npm run bench -- ${name}\` · ${where}`,
    "",
    ...about,
    "",
    row(table.head),
    row(table.head.map(() => "---:")),
    ...table.rows.map(row),
    "",
  ].join("\n");
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
