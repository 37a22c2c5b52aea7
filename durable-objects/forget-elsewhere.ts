import type { Session } from "../protocol/session.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";

/** A session has erased itself: whoever lists or counts it is told. That one of them fails is not the others' loss. */
export async function forgetElsewhere(
  { SESSION_INDEX, KEY_QUOTAS }: Bindings,
  { id, quota, listing }: Session,
): Promise<void> {
  const told = await Promise.allSettled([
    listing && SESSION_INDEX.getByName(listing.index).remove(listing.n),
    quota === undefined ? undefined : KEY_QUOTAS.getByName(quota).release(id),
  ]);
  for (const outcome of told) if (outcome.status === "rejected") report(outcome.reason);
}
