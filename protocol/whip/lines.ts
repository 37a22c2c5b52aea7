/** One line of a description with the end that it had: joined again they are the text, byte for byte (N9). */
export interface EndedLine {
  readonly text: string;
  readonly end: string;
}

const LINE = /([^\r\n]*)(\r\n|\n|\r|$)/g;

/** Takes a text apart in linear time; the last line may lack its end. */
export function endedLinesOf(text: string): EndedLine[] {
  return [...text.matchAll(LINE)]
    .map(([whole, line]) => ({ text: String(line), end: whole.slice(String(line).length) }))
    .filter((line) => line.text !== "" || line.end !== "");
}

/** Joins what `endedLinesOf` took apart. */
export const textOf = (lines: readonly EndedLine[]): string =>
  lines.map(({ text, end }) => `${text}${end}`).join("");

/** The parts of a description. */
export interface Parts {
  /** Lines before the first m-line. */
  readonly session: readonly EndedLine[];
  /** Each with its m-line. */
  readonly sections: readonly (readonly EndedLine[])[];
}

/** Finds the parts of a description. */
export function partsOf(lines: readonly EndedLine[]): Parts {
  const starts = [...lines.keys()].filter((index) => lines[index]?.text.startsWith("m="));
  return {
    session: lines.slice(0, starts[0]),
    sections: starts.map((start, index) => lines.slice(start, starts[index + 1])),
  };
}

/** Value of the first attribute of a name, without blanks around it. */
export function attributeIn(part: readonly EndedLine[], name: string): string | undefined {
  const start = `a=${name}:`;
  return part
    .find(({ text }) => text.startsWith(start))
    ?.text.slice(start.length)
    .trim();
}

/** Mids of each BUNDLE group (RFC 9143 s7). */
export const bundlesIn = (session: readonly EndedLine[]): string[][] =>
  session
    .filter(({ text }) => text.startsWith("a=group:BUNDLE "))
    .map(({ text }) => text.trim().split(" ").slice(1));
