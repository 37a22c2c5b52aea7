/** Controls, of the terminal and of writing direction: a description may come from anybody. */
const CONTROLS = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu;

const codeOf = (character: string): string => character.charCodeAt(0).toString(16);

/** A text that a terminal shows and does not obey: `\x1b` for what would be an escape. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (control) =>
    control < "\u0100" ? `\\x${codeOf(control).padStart(2, "0")}` : `\\u${codeOf(control)}`,
  );
}

/** JSON in ASCII where it matters; it stays the same value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(CONTROLS, (control) =>
    control === "\n" ? control : `\\u${codeOf(control).padStart(4, "0")}`,
  );
}
