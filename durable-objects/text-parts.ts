/** A row holds at most 2 MB; longer values are cut. In characters, of which UTF-8 makes at most 3 bytes. */
const PART_CHARACTERS = 500_000;

/** A text in as many parts as rows take; at least one. No character is cut in two: UTF-8 has no halves. */
export function partsOf(json: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  do {
    const end = from + PART_CHARACTERS;
    const isInPair = /[\uD800-\uDBFF]/.test(json.charAt(end - 1));
    const to = isInPair ? end - 1 : end;
    parts.push(json.slice(from, to));
    from = to;
  } while (from < json.length);
  return parts;
}
