import { readable } from "../assess.ts";
import type { Link, StoredDescription } from "../session.ts";

/** Whether the open offer of a link restarts ICE: by what its author says, or by other credentials (RFC 8839 s4.4.1.1). */
export function restartsIce({ open, inForce }: Pick<Link, "open" | "inForce">): boolean {
  if (!open) return false;
  if (open.restart || !inForce) return open.restart === true;
  const former = inForce.offerer === open.offerer ? inForce.offer : inForce.answer;
  const [known, now] = [ufragOf(former), ufragOf(open.offer)];
  return known !== undefined && now !== undefined && now !== known;
}

const ufragOf = (description: StoredDescription): string | undefined =>
  readable(description)?.sections.find(({ iceUfrag }) => iceUfrag !== undefined)?.iceUfrag;
