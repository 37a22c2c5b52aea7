import type { DescriptionRole } from "./sdp/rule.ts";

/** A description out of a clipboard, a log or a file. */
export interface PastedDescription {
  readonly sdp: string;
  /** What the JSON around it said that it is. */
  readonly role?: DescriptionRole;
}

/**
 * Takes a description out of what people paste: the SDP itself, or the JSON that carried it,
 * `{"type": "offer", "sdp": "v=0\r\n…"}` (RTCSessionDescriptionInit), the same one level down in `sdp`, or the text
 * as a JSON string. Whatever else it is, is taken for SDP as it stands.
 */
export function pastedDescription(text: string): PastedDescription {
  // Only JSON begins so, and a description is not to be parsed in vain.
  if (!/^\s*[{"]/.test(text)) return { sdp: text };
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? { sdp: value } : (within(value) ?? { sdp: text });
  } catch {
    return { sdp: text };
  }
}

const ROLES = new Map<unknown, DescriptionRole>([
  ["offer", "offer"],
  ["answer", "answer"],
  ["pranswer", "answer"],
]);

function within(value: unknown): PastedDescription | undefined {
  const outer = membersOf(value);
  const { sdp, type } = typeof outer.sdp === "string" ? outer : membersOf(outer.sdp);
  if (typeof sdp !== "string") return undefined;
  const role = ROLES.get(type ?? outer.type);
  return { sdp, ...(role === undefined ? {} : { role }) };
}

const membersOf = (value: unknown): { readonly sdp?: unknown; readonly type?: unknown } =>
  typeof value === "object" && value !== null ? value : {};
