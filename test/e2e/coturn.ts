import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type ProcessId, processTree, stillRunning, stopTree } from "../../scripts/processes.ts";
import { toolPath } from "../../scripts/tools.ts";
import { probe } from "./turn-client.ts";
import { guard, temporaryFolder } from "./watchdog.ts";

export interface TurnServer {
  readonly port: number;
  readonly urls: readonly string[];
  readonly log: () => string;
  /** Gives what is left of its processes, which should be none. */
  readonly stop: () => Promise<ProcessId[]>;
}

const HOST = "127.0.0.1";
const RELAY_PORTS = 400;

/** A port that is free for TCP and for UDP. */
const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const tcp = createServer().listen(0, HOST);
    await once(tcp, "listening");
    const address = tcp.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const udp = createSocket("udp4");
    udp.bind(port, HOST);
    const isFree = await Promise.race([
      once(udp, "listening").then(() => true),
      once(udp, "error").then(() => false),
    ]);
    tcp.close();
    udp.close();
    if (isFree) return port;
  }
  throw new Error("no port is free for both TCP and UDP");
};

const configuration = (
  folder: string,
  port: number,
  secrets: readonly string[],
  lines: readonly string[],
): string => {
  const firstRelay = 49_152 + Math.floor(Math.random() * (65_535 - 49_152 - RELAY_PORTS));
  return [
    `listening-ip=${HOST}`,
    `listening-port=${port}`,
    `relay-ip=${HOST}`,
    `min-port=${firstRelay}`,
    `max-port=${firstRelay + RELAY_PORTS}`,
    "realm=duplex.test",
    "use-auth-secret",
    ...secrets.map((secret) => `static-auth-secret=${secret}`),
    // Both ends of the tests are on this machine.
    "allow-loopback-peers",
    "no-cli",
    "no-tls",
    "no-dtls",
    "verbose",
    "simple-log",
    `log-file=${join(folder, "turn.log")}`,
    `pidfile=${join(folder, "turn.pid")}`,
    `userdb=${join(folder, "turn.db")}`,
    ...lines,
    "",
  ].join("\n");
};

/**
 * Starts coturn with time-limited credentials (TURN REST) on loopback ports that are free; `lines` are added
 * to its configuration.
 */
export const startCoturn = async (
  secrets: readonly string[],
  lines: readonly string[] = [],
): Promise<TurnServer> => {
  const folder = temporaryFolder("turn");
  const port = await freePort();
  const path = join(folder, "turn.conf");
  writeFileSync(path, configuration(folder, port, secrets, lines), { mode: 0o600 });
  const child = spawn(toolPath("turnserver"), ["-c", path], { cwd: folder, stdio: "ignore" });
  const { pid } = child;
  if (pid === undefined) throw new Error("coturn could not be started");
  guard(pid);
  const log = (): string => readFileSync(join(folder, "turn.log"), "utf8");
  const stop = async (): Promise<ProcessId[]> => {
    const tree = processTree(pid);
    await stopTree(pid, 3_000);
    rmSync(folder, { recursive: true, force: true });
    return stillRunning(tree);
  };
  try {
    await probe({ host: HOST, port });
  } catch (fault) {
    await stop();
    throw new Error("coturn does not answer", { cause: fault });
  }
  const urls = ["udp", "tcp"].map((transport) => `turn:${HOST}:${port}?transport=${transport}`);
  return { port, urls, log, stop };
};
