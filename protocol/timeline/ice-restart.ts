import { readable } from "../assess.ts";
import type { AgreedExchange, OpenExchange, StoredDescription } from "../session.ts";

/** Whether an open offer restarts ICE: by what its author says, or by other credentials (RFC 8839 s4.4.1.1). */
export function restartsIce(
  { restart = false, offerer, offer }: OpenExchange,
  inForce: AgreedExchange | null,
): boolean {
  if (restart || !inForce) return restart;
  const former = inForce.offerer === offerer ? inForce.offer : inForce.answer;
  const [known, now] = [ufragOf(former), ufragOf(offer)];
  return known !== undefined && now !== undefined && now !== known;
}

const ufragOf = (description: StoredDescription): string | undefined =>
  readable(description)?.sections.find(({ iceUfrag }) => iceUfrag !== undefined)?.iceUfrag;
