import type { Context } from "hono";
import type { HttpSessionCommands } from "../durable-objects/http-session-commands.ts";
import { newSessionId } from "../durable-objects/random-id.ts";
import type { SessionCommands } from "../durable-objects/session-commands.ts";
import type { SessionObject } from "../durable-objects/session-object.ts";
import { type Problem, problem } from "../protocol/problem.ts";
import type { SessionConfig } from "../protocol/session-config.ts";
import type { AppEnv } from "./env.ts";
import { Refusal } from "./refusal.ts";

/** `eu-0123...`: the jurisdiction is part of the id, because it is part of the object's address. */
const SESSION_ID = /^(?:(eu|us|fedramp|fedramp-high)-)?[0-9a-hjkmnp-tv-z]{26}$/;

/** An object is addressed by name and jurisdiction; the platform makes it on first use. */
function namespaceOf(c: Context<AppEnv>, jurisdiction: string | undefined) {
  if (jurisdiction === undefined) return c.env.SESSIONS;
  return c.env.SESSIONS.jurisdiction(jurisdiction as DurableObjectJurisdiction);
}

/** RPC types of the platform lose records of unknown values; the interface says what really comes. */
const commandsOf = (stub: DurableObjectStub<SessionObject>): SessionStub =>
  stub as unknown as SessionStub;

interface SessionStub extends SessionCommands, HttpSessionCommands {
  fetch(request: Request): Promise<Response>;
}

/** True for what could be the id of a session. */
export const isSessionId = (id: string): boolean => SESSION_ID.test(id);

/**
 * The object of a session. Refuses what cannot be an id with `session-not-found`: nothing is woken for it.
 * Throws, because a stub answers to every property and cannot be told from a problem.
 */
export function sessionStub(c: Context<AppEnv>, id: string): SessionStub {
  const match = SESSION_ID.exec(id);
  if (!match) throw new Refusal(problem("session-not-found", "no session has this id"));
  try {
    return commandsOf(namespaceOf(c, match[1]).getByName(id));
  } catch {
    throw new Refusal(problem("session-not-found", "no session has this id"));
  }
}

/** A new session's id and object. Problem: `jurisdiction-unavailable`. */
export function newSessionStub(
  c: Context<AppEnv>,
  config: SessionConfig,
): { id: string; stub: SessionCommands } | Problem {
  const jurisdiction = config.jurisdiction ?? c.get("config").jurisdiction;
  const id = newSessionId(jurisdiction);
  try {
    const stub = namespaceOf(c, jurisdiction).getByName(
      id,
      config.locationHint === undefined ? {} : { locationHint: config.locationHint },
    );
    return { id, stub: commandsOf(stub) };
  } catch {
    return problem(
      "jurisdiction-unavailable",
      `the platform has no jurisdiction ${jurisdiction} here; local development has none`,
    );
  }
}
