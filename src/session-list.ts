import type { Context } from "hono";
import type { Listing } from "../protocol/kept.ts";
import { isProblem } from "../protocol/problem.ts";
import type { SessionOverview } from "../protocol/session-overview.ts";
import { bearerOf } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { keyedHash } from "./keyed-hash.ts";
import { sessionStub } from "./session-stub.ts";

/**
 * The sessions that were created with `listed`, an index per API key. Several keys are valid at once: a session is listed
 * for the one that made it, and for no other.
 */

/** The key itself makes the name, as that of a quota: it outlives a rotation of token secrets, and tells nothing. */
const indexOf = (c: Context<AppEnv>): Promise<string> =>
  keyedHash(bearerOf(c) ?? "", "session index");

/** The index of the API key that asks. */
export const sessionIndex = async (c: Context<AppEnv>) =>
  c.env.SESSION_INDEX.getByName(await indexOf(c));

/** Starts a session and lists it, if it is to be: it is entered before it is made, so that none is forgotten. */
export async function withListing<T>(
  c: Context<AppEnv>,
  id: string,
  isListed: boolean,
  start: (listing?: Listing) => Promise<T>,
): Promise<T> {
  if (!isListed) return start();
  const index = await indexOf(c);
  const stub = c.env.SESSION_INDEX.getByName(index);
  const n = await stub.add(id, Date.now());
  try {
    return await start({ index, n });
  } catch (thrown) {
    await stub.remove(n);
    throw thrown;
  }
}

interface Page {
  readonly sessions: SessionOverview[];
  readonly cursor?: string;
}

/**
 * A page of sessions, newest first. Each tells of itself. One whose object fails is left out: not all the list. One that is
 * not there any more is left out and taken off the list.
 */
export async function listedSessions(
  c: Context<AppEnv>,
  { cursor: after, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<Page> {
  const index = await sessionIndex(c);
  const { entries, cursor } = await index.list(after === undefined ? undefined : +after, limit);
  const told = await Promise.all(entries.map(({ id }) => overview(c, id)));
  const gone = entries.filter((_entry, at) => told[at] === "gone").map(({ n }) => n);
  if (gone.length > 0) await index.forget(gone, Date.now());
  const sessions = told.filter((each) => typeof each === "object");
  return { sessions, ...(cursor !== undefined && { cursor: String(cursor) }) };
}

async function overview(
  c: Context<AppEnv>,
  id: string,
): Promise<SessionOverview | "gone" | "failing"> {
  try {
    const told = await sessionStub(c, id).overview();
    return isProblem(told) ? "gone" : told;
  } catch {
    return "failing";
  }
}
