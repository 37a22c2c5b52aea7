import { openInvitations } from "./invitations.ts";
import { log } from "./log.ts";
import { type Invitation, Session } from "./session.ts";
import { readSettings } from "./settings.ts";

/**
 * A small media server that forwards: it joins sessions it is invited into, takes what peers publish and
 * passes it on to those who are to receive it. `node examples/media-server/main.ts`
 */

const settings = readSettings(process.argv.slice(2), process.env);
const sessions = new Map<string, Session>();
const DRAIN_MS = 10_000;
const LOOK_MS = 200;
let draining = false;

function join(invitation: Invitation): void {
  const key = `${invitation.signalling.url} ${invitation.peer.id}`;
  if (sessions.has(key)) return;
  log("invited", { peer: invitation.peer.id });
  sessions.set(key, new Session(invitation, settings, () => sessions.delete(key)));
}

async function drain(): Promise<void> {
  if (draining) return;
  draining = true;
  log("draining", { sessions: sessions.size });
  for (const session of sessions.values()) session.drain();
  const untilMs = performance.now() + DRAIN_MS;
  while ([...sessions.values()].some(({ empty }) => !empty) && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await Promise.all([...sessions.values()].map((session) => session.leave("drained")));
  process.exit(0);
}

// Whoever read the log may be gone; that is no fault worth logging.
process.stdout.on("error", () => {});
// One session's fault must not be the end of the others.
process.on("uncaughtException", (thrown) => log("fault", { stack: thrown.stack ?? thrown.name }));
process.on("unhandledRejection", (thrown) =>
  log("fault", { stack: thrown instanceof Error ? (thrown.stack ?? thrown.name) : "unknown" }),
);
process.on("SIGTERM", () => void drain());
process.on("SIGINT", () => void drain());

const door = openInvitations({ secret: settings.secret, open: () => !draining, invited: join });
door.listen(settings.port, settings.host, () => {
  const address = door.address();
  log("listening", { port: typeof address === "object" ? (address?.port ?? 0) : 0 });
});
