import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { build as buildProject } from "../scripts/build.ts";
import { ensureTools } from "../scripts/tools.ts";
import { type Browser, launchChromium } from "../test/e2e/browsers.ts";
import type { Bench, BenchOptions, Outcome, Table } from "./bench.ts";
import {
  alternate,
  type Contender,
  medianOf,
  type Rounds,
  saysRounds,
  spreadOf,
} from "./rounds.ts";
import {
  type BenchServer,
  ensurePeers,
  peerVersion,
  startDuplex,
  startProgram,
} from "./servers.ts";
import { AFTER_MS, Pair } from "./setup-pair.ts";

/** From joining to `connected` in two pages of Chromium, with the SDK of Duplex and with the client of PeerJS. */

const CALLS = 30;
/** Of each, before rounds count. */
const WARM_UP = 3;
/** Where files are kept in memory (Linux). */
const MEMORY = "/dev/shm";

const PAGE =
  '<!doctype html><script src="/peerjs.js"></script><script type="module" src="/page.js"></script>';

/** The SDK as `npm run build` makes it. Not below dist: a server may be running from there. */
async function builtSdk(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "duplex-sdk-"));
  try {
    await buildProject("web", folder);
    return readFileSync(join(folder, "web", "duplex.js"), "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The pages' own origin; gives its address and how to end it. */
async function servePage() {
  const sdk = await builtSdk();
  const bundled = await build({
    entryPoints: [fileURLToPath(new URL("setup-page.ts", import.meta.url))],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  const client = new URL("peers/node_modules/peerjs/dist/peerjs.min.js", import.meta.url);
  const files = new Map([
    ["/", ["text/html", PAGE]],
    ["/page.js", ["text/javascript", bundled.outputFiles[0]?.text ?? ""]],
    ["/duplex.js", ["text/javascript", sdk]],
    ["/peerjs.js", ["text/javascript", readFileSync(client, "utf8")]],
  ]);
  const server = createServer(({ url = "" }, response) => {
    const [type = "", content] = files.get(url) ?? [];
    response.writeHead(content === undefined ? 404 : 200, { "content-type": type });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, stop: () => server.close() };
}

const BASELINE = "PeerJS";
const FIRST = "Duplex";

function tablesOf(rounds: Rounds): Table[] {
  const of = (name: string, figure: string): number => medianOf(rounds.get(name) ?? [], figure);
  const fixed = (name: string, figure: string, digits = 0) => of(name, figure).toFixed(digits);
  const times = (name: string): string =>
    `${(of(name, "connectedMs") / of(BASELINE, "connectedMs")).toFixed(2)}x`;
  const names = [...rounds.keys()];
  return [
    {
      title: "From joining to each step, medians in ms",
      head: [
        "",
        "joined",
        "offer out",
        "in",
        "answer out",
        "in",
        "connected",
        "spread",
        "of PeerJS",
      ],
      rows: names.map((name) => [
        name,
        fixed(name, "joinedMs"),
        fixed(name, "offerMs"),
        fixed(name, "offeredMs"),
        fixed(name, "answerMs"),
        fixed(name, "answeredMs"),
        fixed(name, "connectedMs"),
        spreadOf(rounds.get(name) ?? [], "connectedMs"),
        times(name),
      ]),
    },
    {
      title: "Messages and bytes of one call, medians",
      head: ["", "requests", "messages to the server", "from it", "bytes to the server", "from it"],
      rows: names.map((name) => [
        name,
        ...["requests", "sent", "received", "sentBytes", "receivedBytes"].map((figure) =>
          fixed(name, figure),
        ),
      ]),
    },
  ];
}

function aboutOf(rounds: Rounds, wanted: number): readonly string[] {
  return [
    "Two pages of one Chromium with microphone and camera (fake) in hand: one is there, the other joins and calls; from",
    "the call of `join` or `new Peer` until both connections are `connected`, by the clock of both pages. The callee of",
    "Duplex is in the session, the caller has its token, as applications give it; “token asked for by the page” has a",
    "POST for it in its time. Each of its joins and descriptions is on the disk before others hear of it; “storage in",
    "memory” is without this disk. PeerJS keeps nothing. PeerJS' client asks its server for an id; “with a name” spares it that. The same ICE",
    `servers for both. Contenders take turns, ${wanted} calls each. Messages are those until ${AFTER_MS} ms after \`connected\`, with`,
    "the reports of both ends and the records that follow from them.",
    saysRounds(rounds, wanted),
  ];
}

async function measure(pair: Pair, servers: Servers, wanted: number): Promise<Outcome> {
  await pair.prepare();
  const contenders: readonly Contender[] = [
    { name: FIRST, measure: () => pair.duplex(servers.onDisk) },
    {
      name: "Duplex, token asked for by the page",
      measure: () => pair.duplexWithInvitation(servers.onDisk),
    },
    { name: "Duplex, storage in memory", measure: () => pair.duplex(servers.inMemory) },
    { name: BASELINE, measure: () => pair.peerJs(false) },
    { name: "PeerJS, with a name", measure: () => pair.peerJs(true) },
  ];
  // A Worker and a page that have just begun compile what they run.
  for (let round = 0; round < WARM_UP; round++) for (const each of contenders) await each.measure();
  const rounds = await alternate(contenders, wanted);
  return {
    tables: tablesOf(rounds),
    about: aboutOf(rounds, wanted),
    raw: Object.fromEntries(rounds),
    with: [peerVersion("peer"), peerVersion("peerjs"), `${wanted} rounds`],
  };
}

interface Servers {
  readonly onDisk: BenchServer;
  readonly inMemory: BenchServer;
}

async function run({ rounds = CALLS }: BenchOptions): Promise<Outcome> {
  await ensureTools();
  await ensurePeers();
  const folders = [tmpdir(), existsSync(MEMORY) ? MEMORY : tmpdir()].map((where) =>
    mkdtempSync(join(where, "duplex-set-up-")),
  );
  const servers: BenchServer[] = [];
  const started = async (starting: Promise<BenchServer>): Promise<BenchServer> => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  const web = await servePage();
  let browser: Browser | undefined;
  try {
    const onDisk = await started(startDuplex(folders[0] ?? ""));
    const inMemory = await started(startDuplex(folders[1] ?? ""));
    const program = { name: BASELINE, file: "baselines/peerjs-server.ts" };
    const peerJs = await started(startProgram(program));
    browser = await launchChromium();
    const pages = [await browser.open(web.url), await browser.open(web.url)] as const;
    return await measure(new Pair(pages, peerJs), { onDisk, inMemory }, rounds);
  } finally {
    await browser?.close();
    await Promise.all(servers.map(({ stop }) => stop()));
    web.stop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

export const setUpBrowser: Bench = {
  name: "set-up-browser",
  title: "From joining to connected in Chromium",
  run,
};
