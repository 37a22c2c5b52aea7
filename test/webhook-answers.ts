import { vi } from "vitest";
import type { DeadLetter, SessionWebhooks } from "../protocol/webhooks/view.ts";
import { call, KEY, type LiveSession } from "./live-session.ts";

/** What tests of webhooks look at, and the clock that they move. */

export const later = (seconds: number): void => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
};

export const webhooksOf = (session: LiveSession): Promise<SessionWebhooks> =>
  session.read("/webhooks");

/** All events that were given up, page by page. */
export async function letters(): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const page = await call(`/v1/webhooks/dead-letters?cursor=${cursor}`, { headers: KEY });
    const body = (await page.json()) as { deadLetters: DeadLetter[]; cursor?: string };
    found.push(...body.deadLetters);
    cursor = body.cursor;
  }
  return found;
}

/** Everything that the object has in storage, by its keys. */
export const keysOf = (session: LiveSession): Promise<string[]> =>
  session.inside(({ storage }) => [...storage.kv.list()].map(([key]) => key));
