/** One line per event: ids and codes, never descriptions, addresses or tokens. */
export function log(event: string, fields: Readonly<Record<string, string | number>> = {}): void {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), event, ...fields })}\n`);
}

/** The name of what was thrown, and where from: messages may quote descriptions. */
export function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "unknown";
  return "code" in thrown ? String(thrown.code) : thrown.name;
}

/** For requests that were refused; those that the end of the session cut off are nobody's concern. */
export const logRefusal =
  (event: string, fields: Readonly<Record<string, string | number>> = {}) =>
  (thrown: unknown): void => {
    const code = codeOf(thrown);
    if (code !== "closed") log(event, { ...fields, code });
  };
