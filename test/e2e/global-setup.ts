import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { startCoturn } from "./coturn.ts";
import { type Server, startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Of the server, with a slash at the end. `dev-key` is valid there. */
    readonly baseUrl: string;
    readonly turn: {
      readonly host: string;
      readonly port: number;
      /** As in TURN_SECRETS: the first signs. */
      readonly secrets: readonly string[];
      readonly ttlSeconds: number;
    };
  }
}

const TTL_SECONDS = 600;
const READY_LIMIT_MS = 90_000;
const start = fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url));

/** One TURN server and one Duplex server, started as a user starts it, for all tests of the project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const secrets = [randomBytes(16).toString("hex"), randomBytes(16).toString("hex")];
  const state = temporaryFolder("state");
  const coturn = await startCoturn(secrets);
  let server: Server;
  try {
    server = await startServer({
      file: process.execPath,
      args: [start],
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      env: {
        DUPLEX_STATE: state,
        TURN_URLS: coturn.urls.join(","),
        TURN_SECRETS: secrets.join(","),
        TURN_TTL_SECONDS: String(TTL_SECONDS),
      },
      readyLimitMs: READY_LIMIT_MS,
    });
  } catch (fault) {
    await coturn.stop();
    // vitest fails to print what a global setup throws (its source maps trip over it).
    process.stderr.write(`${fault instanceof Error ? fault.message : fault}\n`);
    throw fault;
  }
  project.provide("baseUrl", server.baseUrl);
  project.provide("turn", {
    host: "127.0.0.1",
    port: coturn.port,
    secrets,
    ttlSeconds: TTL_SECONDS,
  });
  return async () => {
    // The server's throws when its log says what it must not; nobody else would stop the other one then.
    const ofTurn = await coturn.stop();
    const left = [...(await server.stop()), ...ofTurn];
    rmSync(state, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left running: ${left.map(({ pid }) => pid).join(", ")}`);
  };
}
