/** Tables of Markdown, as the generated documents write them and the checks read them. */

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** A table; its cells are Markdown already. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.map(cell).join(" | ")} |`)
    .join("\n");

/** Text as it is, whatever Markdown would make of it; what stands in backticks stays code. */
export const plain = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith("`") ? part : part.replaceAll("<", "&lt;").replaceAll("*", "\\*"),
    )
    .join("");

/** What stands in backticks. */
export const codeIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

const cellsOf = (line: string): readonly string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((text) => text.trim());

/** The rows of all tables that have this head. */
export function rowsUnder(
  document: string,
  head: readonly string[],
): readonly (readonly string[])[] {
  const rows: (readonly string[])[] = [];
  let isUnder = false;
  for (const line of document.split("\n")) {
    const cells = line.startsWith("|") ? cellsOf(line) : undefined;
    const isHead = cells?.join("|") === head.join("|");
    const isRule = cells?.every((text) => /^:?-+:?$/.test(text)) === true;
    if (cells && isUnder && !isRule) rows.push(cells);
    isUnder = isHead || (isUnder && cells !== undefined);
  }
  return rows;
}
