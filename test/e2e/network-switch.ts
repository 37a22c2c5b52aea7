import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toolPath } from "../../scripts/tools.ts";
import { launchChromium } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";
import { CutProxy } from "./cut-proxy.ts";
import { startServer } from "./server.ts";
import { guard, temporaryFolder } from "./watchdog.ts";

/**
 * A phone that goes from one network to another, for real. To be run in a network namespace of its own
 * (`unshare --net`), where the server and one page live; the other page, the phone, lives in a second one. Two
 * links lead there, of which one is up at a time. Prints what was seen as one line of JSON.
 */

/** An address of the server that either link leads to. */
const HERE = "10.231.9.1";
const FIRST = { name: "first", here: "10.231.1.1", phone: "10.231.1.2" };
const SECOND = { name: "second", here: "10.231.2.1", phone: "10.231.2.2" };

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8" });

/** The phone's namespace lives as long as this process does. */
const phone: ChildProcess = spawn("unshare", ["--net", "sleep", "300"], { stdio: "ignore" });
guard(phone.pid ?? 0);
const inPhone = (command: string, ...args: string[]): string =>
  execFileSync("nsenter", ["-t", String(phone.pid), "-n", command, ...args], { encoding: "utf8" });

function lead(link: typeof FIRST): void {
  ip("link", "add", link.name, "type", "veth", "peer", "name", link.name, "netns", `${phone.pid}`);
  ip("addr", "add", `${link.here}/24`, "dev", link.name);
  ip("link", "set", link.name, "up");
}

function attach({ name, here, phone: own }: typeof FIRST): void {
  inPhone("ip", "link", "set", name, "up");
  inPhone("ip", "addr", "add", `${own}/24`, "dev", name);
  inPhone("ip", "route", "add", "default", "via", here);
}

function detach({ name }: typeof FIRST): void {
  inPhone("ip", "addr", "flush", "dev", name);
  inPhone("ip", "link", "set", name, "down");
}

const folder = temporaryFolder("switch");
/** A browser inside the phone's namespace. */
const program = join(folder, "chromium-in-phone");
const chromium = toolPath("chromium");
writeFileSync(program, `#!/bin/sh\nexec nsenter -t ${phone.pid} -n ${chromium} "$@"\n`);
chmodSync(program, 0o755);

async function watch({ page }: Caller): Promise<void> {
  await page.evaluate(() => {
    const seen: Window["seen"] = { joined: [], left: [], tracks: [], bodies: [] };
    window.seen = seen;
    window.call.session.on("peer-left", ({ peer }) => seen.left.push(peer));
    window.call.session.on("peer-joined", ({ peer }) => seen.joined.push(peer.id));
  }, null);
}
/** Offers that counted: of two at the same moment, the server refuses the second as glare. */
const offersOf = ({ page }: Caller) =>
  page.evaluate(() => window.call.offersSent - window.call.glares, null);

ip("link", "set", "lo", "up");
ip("addr", "add", `${HERE}/32`, "dev", "lo");
await until("the phone is there", () => inPhone("ip", "link").includes("lo"));
inPhone("ip", "link", "set", "lo", "up");
lead(FIRST);
lead(SECOND);
attach(FIRST);
const server = await startServer({
  file: process.execPath,
  args: [fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url))],
  cwd: fileURLToPath(new URL("../..", import.meta.url)),
  env: { DUPLEX_STATE: join(folder, "state") },
  readyLimitMs: 90_000,
});
const proxy = await CutProxy.start(server.baseUrl, HERE);
// A page may use a microphone only where it is secure, or said to be.
const trusted = [`--unsafely-treat-insecure-origin-as-secure=${new URL(proxy.baseUrl).origin}`];
const there = await launchChromium({ flags: trusted, program });
const desk = await launchChromium({ flags: trusted });
try {
  const backend = await Backend.start(proxy.baseUrl);
  const one = await Caller.join(desk, backend, { kinds: ["audio"] });
  await watch(one);
  const two = await Caller.join(there, backend, { kinds: ["audio"] });
  await Promise.all([one.receives(two.id, ["audio"]), two.receives(one.id, ["audio"])]);
  const active = async () =>
    (await backend.flows("?state=active")).flows.map(({ id }) => id).sort();
  await until("two active flows", async () => (await active()).length === 2);
  const flows = await active();
  const offers = [await offersOf(one), await offersOf(two)] as const;
  const before = (await two.stats(one.id)).pair?.local.address;
  const at = Date.now();
  detach(FIRST);
  attach(SECOND);
  await until(
    "media flows over the second link",
    async () => (await two.stats(one.id)).pair?.local.address === SECOND.phone,
    90_000,
  );
  await Promise.all([one.receives(two.id, ["audio"]), two.receives(one.id, ["audio"])]);
  const tookMs = Date.now() - at;
  await until("the record has the new path", async () => {
    const { transports } = await backend.flows();
    return transports.some(({ fiveTuples }) =>
      fiveTuples.some(({ local }) => local.address === SECOND.phone),
    );
  });
  // A loop of restarts would go on.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const { left, joined } = await one.page.evaluate(() => window.seen, null);
  const made = {
    desk: (await offersOf(one)) - offers[0],
    phone: (await offersOf(two)) - offers[1],
  };
  const same = JSON.stringify(await active()) === JSON.stringify(flows);
  process.stdout.write(
    `${JSON.stringify({ before, tookMs, made, left, joined: joined.length, same })}\n`,
  );
} finally {
  await Promise.all([there.close(), desk.close()]);
  await proxy.stop();
  await server.stop();
  phone.kill();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
