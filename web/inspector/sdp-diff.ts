/** What differs between two descriptions, line by line, m-section by m-section. */

export interface DiffLine {
  readonly kind: "same" | "gone" | "new";
  readonly text: string;
  /** Number of the line in the description before, from 1. */
  readonly before?: number;
  /** And in the one after. */
  readonly after?: number;
}

export interface SdpSection {
  /** `session` for what stands before the first m-line. */
  readonly name: string;
  readonly mid?: string;
  /** Number of its first line, from 1. */
  readonly first: number;
  readonly lines: readonly string[];
}

export interface SectionDiff {
  readonly name: string;
  readonly lines: readonly DiffLine[];
  readonly changes: number;
}

/** Cells of the largest table that is worth its time. */
const MOST_CELLS = 1_000_000;

/** The session part and the m-sections of a description. */
export function sectionsOf(sdp: string): readonly SdpSection[] {
  const texts = sdp.split(/\r\n|\n|\r/);
  if (texts.at(-1) === "") texts.pop();
  const starts = [0, ...texts.flatMap((line, index) => (line.startsWith("m=") ? [index] : []))];
  return starts.flatMap((start, index) => {
    const lines = texts.slice(start, starts[index + 1] ?? texts.length);
    const isMedia = lines[0]?.startsWith("m=") === true;
    if (lines.length === 0 || (index > 0 && !isMedia)) return [];
    const mid = lines.find((line) => line.startsWith("a=mid:"))?.slice(6);
    const kind = isMedia ? (lines[0]?.slice(2).split(" ")[0] ?? "media") : "session";
    return [{ name: kind, ...(isMedia && mid !== undefined && { mid }), first: start + 1, lines }];
  });
}

/** What became of each section: by mid, else by place. What is gone stands where it was. */
export function diffOf(before: string, after: string): readonly SectionDiff[] {
  const [older, newer] = [sectionsOf(before), sectionsOf(after)];
  const taken = new Set<SdpSection>();
  const diffs = newer.map((section, index) => {
    const former = formerOf(section, index, older, taken);
    if (former) taken.add(former);
    return diffSection(former, section);
  });
  const lost = older.filter((section) => !taken.has(section));
  return [...diffs, ...lost.map((section) => diffSection(section, undefined))];
}

function formerOf(
  section: SdpSection,
  index: number,
  older: readonly SdpSection[],
  taken: ReadonlySet<SdpSection>,
): SdpSection | undefined {
  const found =
    section.mid === undefined
      ? older[index]
      : (older.find(({ mid }) => mid === section.mid) ?? undefined);
  if (found === undefined || taken.has(found)) return undefined;
  return (found.name === "session") === (section.name === "session") ? found : undefined;
}

function diffSection(before: SdpSection | undefined, after: SdpSection | undefined): SectionDiff {
  const lines = diffLines(
    before?.lines ?? [],
    after?.lines ?? [],
    before?.first ?? 1,
    after?.first ?? 1,
  );
  const section = after ?? before;
  const mid = section?.mid === undefined ? "" : `, mid ${section.mid}`;
  return {
    name: `${section?.name ?? ""}${mid}`,
    lines,
    changes: lines.filter(({ kind }) => kind !== "same").length,
  };
}

/** A line of one, of the other, or of both. */
type Step = readonly [number | undefined, number | undefined];

/** The shortest way from some lines to others. */
export function diffLines(
  before: readonly string[],
  after: readonly string[],
  firstBefore = 1,
  firstAfter = 1,
): readonly DiffLine[] {
  return stepsThrough(before, after).map(([i, j]): DiffLine => {
    if (i === undefined) {
      return { kind: "new", text: after[j ?? 0] ?? "", after: firstAfter + (j ?? 0) };
    }
    const text = before[i] ?? "";
    if (j === undefined) return { kind: "gone", text, before: firstBefore + i };
    return { kind: "same", text, before: firstBefore + i, after: firstAfter + j };
  });
}

/** Equal beginnings and ends are not looked at twice. */
function stepsThrough(before: readonly string[], after: readonly string[]): readonly Step[] {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const within = steps(
    before.slice(head, before.length - tail),
    after.slice(head, after.length - tail),
  ).map(([i, j]): Step => [i === undefined ? i : i + head, j === undefined ? j : j + head]);
  return [
    ...Array.from({ length: head }, (_none, i): Step => [i, i]),
    ...within,
    ...Array.from(
      { length: tail },
      (_none, k): Step => [before.length - tail + k, after.length - tail + k],
    ),
  ];
}

/** The longest common subsequence, as steps through both lists. */
function steps(before: readonly string[], after: readonly string[]): readonly Step[] {
  const [rows, columns] = [before.length, after.length];
  if (rows * columns > MOST_CELLS) {
    return [
      ...before.map((_line, i): Step => [i, undefined]),
      ...after.map((_line, j): Step => [undefined, j]),
    ];
  }
  const table = lengths(before, after);
  const found: Step[] = [];
  let [i, j] = [0, 0];
  while (i < rows || j < columns) {
    if (i < rows && j < columns && before[i] === after[j]) found.push([i++, j++]);
    else if (j >= columns || (i < rows && at(table, i + 1, j) >= at(table, i, j + 1))) {
      found.push([i++, undefined]);
    } else found.push([undefined, j++]);
  }
  return found;
}

const at = (table: readonly Uint16Array[], i: number, j: number): number => table[i]?.[j] ?? 0;

/** Length of the longest common subsequence of what follows each pair of places. */
function lengths(before: readonly string[], after: readonly string[]): readonly Uint16Array[] {
  const table = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const row = table[i];
    for (let j = after.length - 1; row !== undefined && j >= 0; j -= 1) {
      row[j] =
        before[i] === after[j]
          ? at(table, i + 1, j + 1) + 1
          : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}
