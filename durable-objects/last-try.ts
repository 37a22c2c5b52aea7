import { report } from "./frames.ts";

/** The last try of the platform: it gives an alarm up that fails once more. */
const LAST_TRY = 5;
const AGAIN_MS = 600_000;

/**
 * Does what an alarm is for. The platform tries one that fails again, for some two minutes, and then forgets it: whatever
 * broke it may be mended later, and nothing else might ever wake the object. So the alarm is set again then.
 */
export async function neverGivenUp(
  { storage }: Pick<DurableObjectState, "storage">,
  info: AlarmInvocationInfo | undefined,
  act: () => unknown,
): Promise<void> {
  try {
    await act();
  } catch (thrown) {
    if ((info?.retryCount ?? 0) < LAST_TRY) throw thrown;
    report(thrown);
    await storage.setAlarm(Date.now() + AGAIN_MS);
  }
}
