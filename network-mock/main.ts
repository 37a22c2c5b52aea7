// `npm run network-mock`: a mobile network on this machine, until it is stopped.
import { parseArgs } from "node:util";
import type { GrantMode } from "./call.ts";
import { DEFAULT_CLIENT, type NetworkMock, startNetworkMock } from "./mock.ts";

const USAGE = `npm run network-mock -- [options]
  --port NUMBER    4010 unless said; 0: any that is free
  --host ADDRESS   127.0.0.1 unless said: it is no server for strangers
  --grant MODE     now, later, never, refused, fails (later)
  --delay MS       of later and fails (500)
  --token-life S   how long tokens hold, seconds (300)
  --keep-ended S   how long sessions that ended by themselves are still there, seconds (360)
  --no-auth        calls need no token`;

const MODES: readonly string[] = ["now", "later", "never", "refused", "fails"];

class Misuse extends Error {}

const numberOf = (name: string, text: string | undefined, standard: number): number => {
  if (text === undefined) return standard;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new Misuse(`--${name}: ${text} is no number from 0`);
  }
  return value;
};

const modeOf = (text = "later"): GrantMode => {
  if (!MODES.includes(text)) throw new Misuse(`--grant: one of ${MODES.join(", ")}`);
  return text as GrantMode;
};

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const start = (args: readonly string[]): Promise<NetworkMock> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: "string" },
      host: { type: "string" },
      grant: { type: "string" },
      delay: { type: "string" },
      "token-life": { type: "string" },
      "keep-ended": { type: "string" },
      "no-auth": { type: "boolean" },
    },
  });
  return startNetworkMock({
    port: numberOf("port", values.port, 4010),
    host: values.host ?? "127.0.0.1",
    grant: { mode: modeOf(values.grant), delayMs: numberOf("delay", values.delay, 500) },
    tokenLifeMs: 1000 * numberOf("token-life", values["token-life"], 300),
    keepEndedMs: 1000 * numberOf("keep-ended", values["keep-ended"], 360),
    auth: values["no-auth"] !== true,
  });
};

/** What a server that is started on this machine has to know to ask this network: a value of its configuration. */
const networksAt = (url: string): readonly object[] => {
  const auth = {
    tokenUrl: `${url}/oauth2/token`,
    clientId: DEFAULT_CLIENT.id,
    clientSecret: DEFAULT_CLIENT.secret,
  };
  const withoutQos = { uplinkBps: 300_000, downlinkBps: 300_000 };
  const common = { auth, withoutQos };
  return [
    {
      name: "qod",
      api: "camara-qod",
      url: `${url}/quality-on-demand/v1`,
      ...common,
      // Pages of this machine.
      prefixes: ["127.0.0.0/8", "::1"],
      qod: { profile: "QOS_L" },
    },
    {
      name: "nef",
      api: "nef",
      url: `${url}/3gpp-as-session-with-qos/v1`,
      ...common,
      nef: { scsAsId: "duplex", qosReference: "conv-video" },
    },
    {
      name: "af",
      api: "rtc-af",
      url: `${url}/3gpp-maf-session-handling/v1`,
      ...common,
      rtcAf: { provisioningSession: "duplex", policyTemplateId: "conv-video" },
    },
  ];
};

const greet = ({ url }: NetworkMock): void => {
  say(`network mock at ${url}`);
  say(`  quality on demand  ${url}/quality-on-demand/v1`);
  say(`  QoS profiles       ${url}/qos-profiles/v1`);
  say(`  NEF                ${url}/3gpp-as-session-with-qos/v1`);
  say(`  RTC AF             ${url}/3gpp-maf-session-handling/v1`);
  say(`  tokens             ${url}/oauth2/token`);
  say(`  control            ${url}/control/log, ${url}/control/resources`);
  say("\nFor a server on this machine, before it is started:");
  say(`export ASSISTANCE_NETWORKS='${JSON.stringify(networksAt(url))}'`);
  say("export ASSISTANCE_NOTIFY_URL=http://127.0.0.1:8787");
};

/** Nothing of it outlives whoever started it. */
const stopOnRequest = (mock: NetworkMock): void => {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await mock.close();
    process.exit(mock.defects.length === 0 ? 0 : 1);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"]) {
    process.on(name, () => void stop());
  }
};

const main = async (args: readonly string[]): Promise<void> => {
  if (args.includes("--help")) return say(USAGE);
  const mock = await start(args);
  stopOnRequest(mock);
  greet(mock);
};

// Whoever read what it says may be gone; that is no fault.
process.stdout.on("error", () => {});
try {
  await main(process.argv.slice(2));
} catch (fault) {
  process.stderr.write(`${fault instanceof Error ? fault.message : String(fault)}\n`);
  if (fault instanceof Misuse) process.stderr.write(`\n${USAGE}\n`);
  process.exitCode = 1;
  if (process.connected) process.disconnect();
}
