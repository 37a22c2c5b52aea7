// `npm run media-server-kit -- URL`: whether a media server does what docs/media-server.md demands.
import { setTimeout as delay } from "node:timers/promises";
import { Application, reasonOf, ServerTrouble } from "./application.ts";
import { startDuplex } from "./duplex-server.ts";
import { Misuse, type Options, readOptions, USAGE } from "./options.ts";
import { documentOf, listOf, tableOf } from "./report.ts";
import { play } from "./run.ts";
import { SignallingProxy } from "./signalling-proxy.ts";
import { postInvitation, type Stage } from "./stage.ts";
import { Verdicts } from "./verdicts.ts";

/** The kit could not run; the media server was not judged. */
const NO_RUN = 2;
/** Of a media server that does what is demanded it takes half of that. */
const LONGEST_MS = { quick: 90_000, whole: 150_000 };

const say = (text: string) => process.stdout.write(`${text}\n`);
const complain = (text: string) => process.stderr.write(`${text}\n`);

/** Nobody there is no media server that fails. */
async function reach(options: Options): Promise<void> {
  try {
    await postInvitation(options, {}, options.secret);
  } catch (fault) {
    throw new Misuse(`${options.url} cannot be reached: ${reasonOf(fault)}`);
  }
}

/** Settles when somebody wants the kit to end: a signal, or the process that started it is gone. */
const interrupted = new Promise<"interrupted">((resolve) => {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"] as const) {
    // More than once: a second one is not to cut short how it ends.
    process.on(name, () => resolve("interrupted"));
  }
});

async function judge(options: Options, application: Application): Promise<number> {
  const verdicts = new Verdicts();
  const proxy = await SignallingProxy.start(options.host, options.plants);
  const stage: Stage = { application, proxy, verdicts, options };
  const beganMs = performance.now();
  const limitMs = options.quick ? LONGEST_MS.quick : LONGEST_MS.whole;
  let end: "done" | "late" | "interrupted" = "interrupted";
  try {
    end = await Promise.race([
      play(stage).then(() => "done" as const),
      delay(limitMs, "late" as const, { ref: false }),
      interrupted,
    ]);
  } finally {
    await proxy.stop();
  }
  if (end === "interrupted") return NO_RUN;
  const tookMs = performance.now() - beganMs;
  say(options.json ? documentOf(verdicts, tookMs) : tableOf(verdicts, tookMs));
  if (!verdicts.passed) return 1;
  if (end === "done") return 0;
  complain(`The kit did not come to an end in ${limitMs / 1000} s.`);
  return NO_RUN;
}

async function main(options: Options): Promise<number> {
  await reach(options);
  if (options.duplex !== undefined) {
    const { url, key } = options.duplex;
    return judge(options, new Application(url, key));
  }
  complain("Starting a Duplex server ...");
  const server = await startDuplex();
  try {
    return await judge(options, server.application);
  } finally {
    await server.stop();
  }
}

function explain(fault: unknown): string {
  if (fault instanceof Misuse) return `${fault.message}\n\n${USAGE}`;
  if (fault instanceof ServerTrouble) return fault.message;
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}

process.once("uncaughtException", (fault) => {
  complain(explain(fault));
  process.exit(NO_RUN);
});
try {
  const options = readOptions(process.argv.slice(2));
  if (options === "list") say(listOf());
  else process.exitCode = await main(options);
} catch (fault) {
  complain(explain(fault));
  process.exitCode = NO_RUN;
}
// Connections of peers, and the channel to whoever started it, would keep it.
process.exit();
