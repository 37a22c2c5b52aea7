// A request's body, as far as it can be read.

/** Deeper than any published body: what is deeper, nothing that walks through it has to take. */
const DEEPEST = 100;

export const mediaType = (header = ""): string => (header.split(";")[0] ?? "").trim().toLowerCase();

const isTooDeep = (value: unknown): boolean => {
  let level = [value];
  for (let depth = 0; depth < DEEPEST && level.length > 0; depth += 1) {
    level = level.flatMap((one) => (typeof one === "object" && one ? Object.values(one) : []));
  }
  return level.length > 0;
};

/** Undefined: there is none, or it cannot be read. */
export const parsed = (type: string, text: string): unknown => {
  if (text === "") return undefined;
  if (!type.endsWith("json")) return text;
  try {
    const value: unknown = JSON.parse(text);
    return isTooDeep(value) ? undefined : value;
  } catch {
    return undefined;
  }
};
