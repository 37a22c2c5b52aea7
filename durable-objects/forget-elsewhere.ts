import type { Session } from "../protocol/session.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";

/** An object that is moved or deployed fails once. */
const TRIES = 3;

/** A session has erased itself: whoever lists or counts it is told. That one of them fails is not the others' loss. */
export async function forgetElsewhere(
  { SESSION_INDEX, KEY_QUOTAS }: Bindings,
  { id, quota, listing }: Session,
): Promise<void> {
  await Promise.all([
    listing && tried(() => SESSION_INDEX.getByName(listing.index).remove(listing.n)),
    quota !== undefined && tried(() => KEY_QUOTAS.getByName(quota).release(id)),
  ]);
}

async function tried(act: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries++) {
    try {
      await act();
      return;
    } catch (thrown) {
      if (tries === TRIES) report(thrown);
    }
  }
}
