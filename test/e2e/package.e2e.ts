import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { stop as stopBundler } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "../../scripts/build.ts";
import { run } from "../../scripts/processes.ts";
import { documentOf } from "../../scripts/sdk-document.ts";
import { costOf, SDK_BUDGET } from "../../scripts/sdk-package.ts";
import { SDK_ENTRIES } from "../../scripts/sdk-types.ts";
import { type Schema, typeText } from "../../scripts/wire-types.ts";
import { temporaryFolder } from "./watchdog.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const STEP_LIMIT_MS = 60_000;

/** Outside the repository: nothing of ours is found by looking upwards. */
let folder: string;
let consumer: string;

const put = (path: string, text: string): void => writeFileSync(join(folder, path), text);

const npm = async (...args: string[]): Promise<string> => {
  const { code, output } = await run("npm", [...args, "--offline", "--no-audit", "--no-fund"], {
    cwd: folder,
    // A cache of its own: what is installed comes from the tarball or not at all.
    env: { ...process.env, npm_config_cache: join(folder, "cache") },
    limitMs: STEP_LIMIT_MS,
  });
  expect(code, output).toBe(0);
  return output;
};

const STRICT = {
  target: "ES2022",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  lib: ["ES2022", "DOM"],
  types: [],
};

const RESOLUTIONS = [
  { moduleResolution: "Bundler", module: "ESNext" },
  { moduleResolution: "NodeNext", module: "NodeNext" },
  { moduleResolution: "Node16", module: "Node16" },
];

const compile = (options: object, ...files: string[]) => {
  put("tsconfig.json", JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files }));
  return run(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
    cwd: folder,
    limitMs: STEP_LIMIT_MS,
  });
};

const RIGHT_USE = `
import { DuplexError, type Flow, type FlowSummary, join, type JoinOptions, SdpError, type Session, type SessionEvents } from "duplex";
import SamePeer, { type MediaConnection, Peer, type PeerError, PeerErrorType } from "duplex/peerjs";
import { type Criterion, type SwapCall, SwapEndpoint } from "duplex/swap";

const options: JoinOptions = {
  url: "https://example.org/",
  token: async () => "token",
  flowReports: { intervalMs: 10_000 },
};

/** The other entries. */
export const endpoint = async (): Promise<SwapCall> => {
  const criteria: Criterion[] = [{ type: "user", value: "alice" }];
  const made: SwapEndpoint = await SwapEndpoint.connect({ url: "/3gpp-swap/v1", criteria });
  made.on("incoming", ({ call }) => call.accept());
  return made.call({ criteria }, (connection) => connection.addTransceiver("audio"));
};
export const old = (stream: MediaStream): MediaConnection => {
  const invite = async (id = "") => ({ token: id, signalling: { url: "" } });
  const peer: Peer = new SamePeer("alice", { host: "example.org", port: 443, debug: 2, invite });
  peer.on("error", ({ type }: PeerError) => console.log(type === PeerErrorType.PeerUnavailable));
  peer.removeAllListeners("open").connections["bob"]?.map(({ close }) => close);
  peer.on("connection", (connection) => connection.on("data", (data: unknown) => console.log(data)));
  return peer.call("bob", stream, { metadata: 1 }).on("stream", (remote: MediaStream) => console.log(remote.id));
};

/** Made by the server's table of messages; a switch over it is complete. */
type Reason = SessionEvents["peer-left"]["reason"];
const words = (reason: Reason): string => {
  switch (reason) {
    case "left": return "went";
    case "lost": return "was lost";
    case "kicked": case "expired": case "session-ended": return "was sent away";
  }
};

const flows = (session: Session): readonly FlowSummary[] => session.flows;

/** Whoever asks for whole records has them typed so; what works for summaries takes them as well. */
export const watch = async (): Promise<number> => {
  const session: Session<Flow> = await join({ ...options, flowRecords: "full" });
  session.on("flows", (records) => console.log(records.flatMap(({ codecs }) => codecs)));
  const { transports } = await session.getFlowRecords();
  return flows(session).length + transports.length;
};

export const start = async (): Promise<Session> => {
  const session = await join(options);
  const stop: () => void = session.on("track", ({ peer, track }) => {
    const from: string | undefined = session.peers.get(peer)?.name;
    document.title = from ?? track.kind;
  });
  session.on("peer-left", ({ peer, reason }) => console.log(peer, words(reason)));
  session.on("problem", ({ error }) => console.log(error.code, error.problem["finding"]));
  session.on("problem", ({ error }) => error instanceof SdpError && console.log(error.finding.rule));
  session.send("bob", 1).catch((error: unknown) => error instanceof DuplexError && console.log(error.code));
  session.on("state", (state) => { if (state === "closed") stop(); });
  session.on("flows", (flows) => {
    const kinds: ("audio" | "video" | "data")[] = flows.map(({ kind }: FlowSummary) => kind);
    const rate: number | undefined = flows[0]?.limits?.effectiveBps;
    console.log(kinds, rate, session.limits.bodyBytes + session.info.resumeSeconds);
  });
  await session.changeFlow("flow", { maxBitrateBps: null, priority: "high" });
  const track: MediaStreamTrack = new MediaStream().getTracks()[0]!;
  session.publish(track, new MediaStream(), new MediaStream());
  session.publish(track, { streams: [new MediaStream()], content: "slides" }).unpublish();
  const problem: string | undefined = flows(session)[0]?.applied?.problem?.code;
  console.log(problem);
  return session;
};
`;

/** Each line but the first is one mistake. */
const WRONG_USES = [
  `import { type Flow, join, type Session, type SessionEvents } from "duplex"; declare const session: Session;`,
  `session.on("nonsense", () => {});`,
  `session.on("peer-left", ({ reason }) => reason === "bored");`,
  `session.on("track", ({ nothing }) => nothing);`,
  `session.changeFlow("flow", { priority: "highest" });`,
  `export const kind: "audio" = session.flows[0]!.kind;`,
  `export const codecs = session.flows[0]!.codecs;`,
  `join({ url: "https://example.org/", token: "", flowRecords: "some" });`,
  `export const id: number = session.info.id;`,
  `export const flow: Flow = { id: "a" };`,
  `export const reason: SessionEvents["peer-left"]["reason"] = 7;`,
  `join({ url: "https://example.org/" });`,
  `join({ url: "https://example.org/", token: "", flowReports: true });`,
  `session.publish(new MediaStreamTrack(), { contents: "slides" });`,
  `import { Peer } from "duplex/peerjs"; new Peer("alice", { host: "example.org" });`,
  `import { SwapEndpoint } from "duplex/swap"; new SwapEndpoint({ url: "/" });`,
  `import { Signalling } from "duplex/signalling";`,
];

/** As exact as types can be compared: each may stand for the other. */
const SAME_TYPES = (repository: string): string => `
import type * as flow from "${repository}/protocol/flow.ts";
import type * as query from "${repository}/protocol/flow-query.ts";
import type * as summary from "${repository}/protocol/flow-summary.ts";
import type * as parts from "${repository}/protocol/message-parts.ts";
import type * as messages from "${repository}/protocol/messages.ts";
import type * as transport from "${repository}/protocol/transport.ts";
import type * as theirFlow from "./node_modules/duplex/types/protocol/flow.js";
import type * as theirQuery from "./node_modules/duplex/types/protocol/flow-query.js";
import type * as theirSummary from "./node_modules/duplex/types/protocol/flow-summary.js";
import type * as theirTransport from "./node_modules/duplex/types/protocol/transport.js";
import type * as theirParts from "./node_modules/duplex/types/protocol/message-parts.js";
import type * as theirs from "./node_modules/duplex/types/protocol/messages.js";

type Known<T> = 0 extends 1 & T ? "any" : T;
type Same<A, B> = [Known<A>] extends [B] ? ([Known<B>] extends [A] ? true : "wider") : "narrower";

export const same: [
  Same<theirs.ToPeer, messages.ToPeer>,
  Same<theirs.FromPeer, messages.FromPeer>,
  Same<theirs.Welcome, messages.Welcome>,
  Same<theirParts.LinkSummary, parts.LinkSummary>,
  Same<theirParts.PeerView, parts.PeerView>,
  Same<theirFlow.Flow, flow.Flow>,
  Same<theirSummary.FlowSummary, summary.FlowSummary>,
  Same<theirTransport.Transport, transport.Transport>,
  Same<theirQuery.FlowChange, query.FlowChange>,
  Same<theirQuery.MediaLabels, query.MediaLabels>,
] = [true, true, true, true, true, true, true, true, true, true];
`;

beforeAll(async () => {
  folder = temporaryFolder("consumer");
  await build("all", join(folder, "dist"));
  put("package.json", JSON.stringify({ name: "consumer", private: true, type: "module" }));
  const tarball = (await npm("pack", "./dist/package", "--silent")).trim().split("\n").at(-1);
  await npm("install", `./${tarball}`);
  consumer = join(folder, "node_modules", "duplex");
});

afterAll(async () => {
  await stopBundler();
  rmSync(folder, { recursive: true, force: true });
});

describe("the SDK as others install it", () => {
  it("[M16] the package brings no dependency, not even in its types", async () => {
    const installed = readdirSync(join(folder, "node_modules")).filter((name) => name !== ".bin");
    expect(installed.filter((name) => !name.startsWith("."))).toEqual(["duplex"]);
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(consumer, "package.json"), "utf8"),
    );
    expect({ dependencies, peerDependencies }).toEqual({});
    const files = readdirSync(consumer, { recursive: true, encoding: "utf8" });
    expect(files).toContain("README.md");
    for (const path of files.filter((name) => /\.\w+$/.test(name))) {
      const text = readFileSync(join(consumer, path), "utf8");
      expect(text, path).not.toContain("zod");
      if (path.endsWith(".d.ts")) expect(text, path).not.toMatch(/from "[^.]|\.ts"/);
    }
  });

  it.each([
    ["duplex", "DuplexError,SdpError,isSdpError,join"],
    ["duplex/peerjs", "Peer,PeerErrorType,default"],
    ["duplex/swap", "SwapEndpoint"],
  ])("[M16] a project imports %s at run time", async (entry, names) => {
    const program = `import("${entry}").then((all) => console.log(Object.keys(all).join()))`;
    const { output } = await run(process.execPath, ["-e", program], {
      cwd: folder,
      limitMs: STEP_LIMIT_MS,
    });
    expect(output).toBe(`${names}\n`);
  });

  it("[M16] what its description names is there, every entry with its types, and has no effect of its own", () => {
    const { exports, sideEffects, types, type, unpkg, jsdelivr } = JSON.parse(
      readFileSync(join(consumer, "package.json"), "utf8"),
    );
    expect({ sideEffects, type }).toEqual({ sideEffects: false, type: "module" });
    const entries = Object.values<string | { types: string; default: string }>(exports);
    const targets = entries.flatMap((entry) =>
      typeof entry === "string" ? [entry] : [entry.types, entry.default],
    );
    for (const path of [...targets, types, unpkg, jsdelivr]) {
      expect(existsSync(join(consumer, path)), path).toBe(true);
    }
    // Every module finds its source; `types` come first, as resolvers read conditions in their order.
    for (const [name, entry] of Object.entries<string | object>(exports)) {
      if (typeof entry === "object") expect(Object.keys(entry), name).toEqual(["types", "default"]);
    }
    const scripts = readdirSync(consumer).filter((name) => name.endsWith(".js"));
    for (const name of scripts) {
      expect(existsSync(join(consumer, `${name}.map`)), name).toBe(true);
    }
  });

  it("[M16] a page that joins loads less than 12 kB with itself, and nothing that it does not use", async () => {
    const whole = await costOf('export { join } from "duplex";', folder);
    expect(whole.start).toBeLessThanOrEqual(SDK_BUDGET.start);
    expect(whole.start + whole.later).toBeLessThanOrEqual(SDK_BUDGET.whole);
    // By what only the one part says; if the needles were wrong, the other entries would not have them.
    expect(whole.text).toContain("duplex.v1");
    for (const [entry, needle] of [
      ['export { Peer } from "duplex/peerjs";', "peer-unavailable"],
      ['export { SwapEndpoint } from "duplex/swap";', "3gpp.SWAP.v1"],
    ] as const) {
      expect(whole.text).not.toContain(needle);
      expect((await costOf(entry, folder)).text).toContain(needle);
    }
    const one = await costOf('export { isSdpError } from "duplex";', folder);
    expect(one.text).not.toContain("RTCPeerConnection");
    expect(one.text).not.toContain("duplex.v1");
    expect(one.start).toBeLessThan(1000);
    // esbuild writes a file for what is loaded later, also where nothing that loads it is left.
    expect(one.text).not.toContain("import(");
    expect((await costOf('import "duplex";', folder)).text).not.toContain("class");
  });

  it("[M16] calls no function of the language that browsers of four years lack", async () => {
    const whole = readFileSync(join(consumer, "duplex.min.js"), "utf8");
    const peerjs = await costOf('export * from "duplex/peerjs";', folder);
    const swap = await costOf('export * from "duplex/swap";', folder);
    // After ECMAScript 2022, the syntax that it is built for, and what of that Safari 16 lacks. Names are kept where it is
    // made small.
    const younger =
      /\b(withResolvers|groupBy|toSorted|toReversed|toSpliced|findLast|findLastIndex|fromAsync|isWellFormed|toWellFormed|isSubsetOf|isSupersetOf|symmetricDifference|Iterator|waitAsync)\b|AbortSignal\.any|Promise\.try|Array\.with|\bstatic ?\{|\(\?<[=!]/;
    for (const text of [whole, peerjs.text, swap.text])
      expect(younger.exec(text)?.[0]).toBe(undefined);
    expect("[].toSorted()").toMatch(younger);
  });

  it("[M16] a page without modules has it as one script", () => {
    const script = readFileSync(join(consumer, "duplex.min.js"), "utf8");
    expect(runInNewContext(`${script}; typeof duplex.join`, {})).toBe("function");
    expect(gzipSync(script, { level: 9 }).length).toBeLessThanOrEqual(SDK_BUDGET.whole);
  });

  it.each(RESOLUTIONS)(
    "[M16] a strict project with $moduleResolution compiles, mistakes in it do not",
    async (options) => {
      put("right.ts", RIGHT_USE);
      put("wrong.ts", WRONG_USES.join("\n"));
      const right = await compile(options, "right.ts");
      expect(right.output).toBe("");
      expect(right.code).toBe(0);
      const wrong = await compile(options, "wrong.ts");
      const lines = [...wrong.output.matchAll(/^wrong\.ts\((\d+),/gm)].map(([, line]) =>
        Number(line),
      );
      expect([...new Set(lines)], wrong.output).toEqual(WRONG_USES.slice(1).map((_, at) => at + 2));
    },
  );

  it("[M16] its types are those the server validates with", async () => {
    put("same.ts", SAME_TYPES(root.replace(/[\\/]$/, "").replaceAll("\\", "/")));
    const options = {
      moduleResolution: "Bundler",
      module: "ESNext",
      lib: ["ES2024", "DOM"],
      allowImportingTsExtensions: true,
      skipLibCheck: true,
    };
    const { code, output } = await compile(options, "same.ts");
    expect(output).toBe("");
    expect(code).toBe(0);
  });
});

describe("the reference of the SDK", () => {
  const [entry, ...others] = SDK_ENTRIES.map(({ source }) => source.replace(/ts$/, "d.ts"));
  const documented = (text: string, more: readonly [string, string][] = []) =>
    documentOf(new Map([[entry!, text], ...others.map((path) => [path, ""] as const), ...more]));

  it("[M16] has every name, every member and what is said of them", () => {
    const { text, complaints } = documented(
      "/** Adds. */\nexport declare function add(one: number): void;\n" +
        "/** A box. */\nexport interface Box {\n    /** How wide,\n     * pixels. */\n    readonly width: number;\n}\n",
    );
    expect(complaints).toEqual([]);
    expect(text).toContain("Adds.\n\n```ts\nfunction add(one: number): void;\n```");
    expect(text).toContain("- `readonly width: number`<br>How wide, pixels.");
    expect(text).toContain("`add` is the one value, all other names are types.");
  });

  it("[M16] tells what is there at run time from what is a type only", () => {
    const classes: [string, string] = [
      "client/inner.d.ts",
      "/** In. */\nexport declare class In {\n}\n/** Out. */\nexport declare class Out {\n}\n",
    ];
    const { text, complaints } = documented(
      'export { In } from "./inner.js";\nexport type { Out } from "./inner.js";\n' +
        "/** Adds. */\nexport declare function add(): void;\n",
      [classes],
    );
    expect(complaints).toEqual([]);
    expect(text).toContain("`add`, `In` are values, all other names are types.");
  });

  it("[M16] is not made of what says nothing of itself, or cannot be imported", () => {
    const inner: [string, string] = [
      "client/inner.d.ts",
      "/** In. */\nexport interface Inner {\n}\n",
    ];
    const { complaints } = documented(
      'import type { Inner } from "./inner.js";\n' +
        "export declare function add(inner: Inner): void;\n" +
        "/** A box. */\nexport interface Box {\n    readonly width: number;\n}\n",
      [inner],
    );
    expect(complaints).toEqual([
      "client/duplex.d.ts: add has no docstring",
      "docs/sdk.md: add mentions Inner, which the SDK does not export",
      "client/duplex.d.ts: Box, `readonly width: number` has no docstring",
    ]);
  });
});

describe("JSON Schema as TypeScript", () => {
  const cases: readonly [Schema, string][] = [
    [{}, "unknown"],
    [{ not: {} }, "never"],
    [{ const: "a" }, '"a"'],
    [{ type: ["string", "null"] }, "string | null"],
    [{ type: "array", items: { enum: ["a", 1] } }, '("a" | 1)[]'],
    [{ oneOf: [{ type: "integer" }, { type: "number" }, { type: "null" }] }, "number | null"],
    [{ allOf: [{ $ref: "#/$defs/A" }, { anyOf: [{}, { type: "null" }] }] }, "A & (unknown | null)"],
    [{ type: "object", additionalProperties: { type: "boolean" } }, "Record<string, boolean>"],
    [
      { type: "object", propertyNames: { enum: ["a", "b"] }, additionalProperties: {} },
      'Partial<Record<"a" | "b", unknown>>',
    ],
    [{ type: "object", properties: {}, additionalProperties: false }, "Record<string, never>"],
    [
      { type: "array", prefixItems: [{}, { type: "null" }], items: false, minItems: 1 },
      "[unknown, null?]",
    ],
    [
      { type: "array", prefixItems: [{ type: "string" }], items: { type: "number" }, minItems: 1 },
      "[string, ...number[]]",
    ],
    [
      {
        type: "object",
        properties: { "a-b": { type: "string", description: "ends */ here" }, c: {} },
        required: ["a-b"],
        additionalProperties: { type: "number" },
      },
      '{\n  /** ends *\\/ here */\n  "a-b": string;\n  c?: unknown;\n} & Record<string, number>',
    ],
  ];

  it.each(cases)("[M16] %j is said in TypeScript", (schema, type) => {
    expect(typeText(schema)).toBe(type);
  });

  it("[M16] what has no name, or is no type, is not guessed", () => {
    expect(() => typeText({ $ref: "#" })).toThrow("without a name");
    expect(() => typeText({ type: "date" })).toThrow("no type");
  });
});
