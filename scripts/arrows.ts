// Shows that the arrows between the rooms hold: plants what must not be there, and looks that it is seen.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./processes.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const LIMIT_MS = 60_000;
const IMPORTS = "lint/style/noRestrictedImports";
const GLOBALS = "lint/style/noRestrictedGlobals";

/** A source, and what must be said about it; `undefined`: nothing may be. */
interface Plant {
  readonly room: string;
  readonly source: string;
  readonly rule: string | undefined;
}

const importing = (room: string, ...modules: readonly string[]): Plant[] =>
  modules.map((module) => ({
    room,
    source: `import { x } from "${module}";\n\nexport const y = x;\n`,
    rule: IMPORTS,
  }));

const using = (room: string, ...expressions: readonly string[]): Plant[] =>
  expressions.map((expression) => ({
    room,
    source: `export const y = () => ${expression};\n`,
    rule: GLOBALS,
  }));

const innocent = (room: string, source: string): Plant => ({ room, source, rule: undefined });

const LINTED: readonly Plant[] = [
  ...importing("protocol", "cloudflare:workers", "node:fs", "hono", "hono/tiny", "jose"),
  ...importing("protocol", "@hono/zod-openapi", "../src/x.ts", "../durable-objects/x.ts"),
  ...importing("protocol", "../client/x.ts", "../web/x.ts"),
  ...using("protocol", "Date.now()", "crypto.randomUUID()", "console.log()", "performance.now()"),
  ...using("protocol", "setTimeout(y, 1)"),
  ...importing("adapters", "cloudflare:workers", "node:fs", "hono", "jose", "../src/x.ts"),
  ...importing("adapters", "../durable-objects/x.ts", "../client/x.ts", "../web/x.ts"),
  ...["protocol", "client", "web", "cli", "bench"].flatMap((room) =>
    importing(room, "../adapters/x.ts"),
  ),
  ...importing("durable-objects", "hono", "hono/tiny", "@hono/zod-openapi", "../src/x.ts"),
  ...importing("durable-objects", "../client/x.ts", "../web/x.ts"),
  ...importing("src", "../client/x.ts", "../web/x.ts"),
  ...importing("client", "../src/x.ts", "../durable-objects/x.ts", "../web/x.ts", "zod", "hono"),
  ...importing("client", "cloudflare:workers", "node:fs"),
  ...importing("web", "../src/x.ts", "../durable-objects/x.ts", "cloudflare:workers", "node:fs"),
  ...importing("cli", "../src/x.ts", "../durable-objects/x.ts", "../client/x.ts", "../web/x.ts"),
  ...importing("cli", "../scripts/x.ts", "cloudflare:workers", "zod", "hono"),
  ...["protocol", "adapters", "durable-objects", "src", "client", "web"].flatMap((room) =>
    importing(room, "../cli/x.ts"),
  ),
  ...importing("bench", "../src/x.ts", "../durable-objects/x.ts", "../client/x.ts", "hono"),
  ...importing("examples", "../src/x.ts", "../durable-objects/x.ts", "../client/x.ts", "hono"),
  ...importing("examples", "../adapters/x.ts", "../web/x.ts", "cloudflare:workers"),
  ...importing(
    "media-server-kit",
    "../src/x.ts",
    "../durable-objects/x.ts",
    "../client/x.ts",
    "hono",
  ),
  ...importing("media-server-kit", "../adapters/x.ts", "../examples/media-server/x.ts"),
  ...importing("network-mock", "../protocol/x.ts", "../adapters/x.ts", "../durable-objects/x.ts"),
  ...importing("network-mock", "../src/x.ts", "../scripts/x.ts", "cloudflare:workers", "zod"),
  ...["protocol", "adapters", "durable-objects", "src", "client", "web", "cli"].flatMap((room) =>
    importing(room, "../network-mock/x.ts"),
  ),
  innocent("network-mock", 'import { argv } from "node:process";\n\nexport const y = argv;\n'),
  innocent("protocol", 'import { z } from "zod";\n\nexport const y = z.string();\n'),
  innocent("adapters", 'import { y } from "../protocol/y.ts";\n\nexport const z = y;\n'),
  innocent("durable-objects", 'import { y } from "../adapters/y.ts";\n\nexport const z = y;\n'),
  innocent("durable-objects", 'import { y } from "../protocol/y.ts";\n\nexport const z = y;\n'),
  innocent("src", 'import { Hono } from "hono";\n\nexport const app = new Hono();\n'),
  innocent("client", 'import type { Y } from "../protocol/y.ts";\n\nexport type Z = Y;\n'),
  innocent("web", 'import { y } from "../client/y.ts";\n\nexport const z = y;\n'),
  innocent("examples", 'import type { Y } from "../protocol/y.ts";\n\nexport type Z = Y;\n'),
  innocent("media-server-kit", 'import { y } from "../protocol/y.ts";\n\nexport const z = y;\n'),
  innocent("media-server-kit", 'import { y } from "../scripts/y.ts";\n\nexport const z = y;\n'),
  innocent("bench", 'import { y } from "../protocol/y.ts";\n\nexport const z = y;\n'),
  innocent("cli", 'import { y } from "../protocol/y.ts";\n\nexport const z = y;\n'),
  innocent("cli", 'import { argv } from "node:process";\n\nexport const y = argv;\n'),
];

/** What `protocol/` has no type for: input and output do not compile there. */
const COMPILED: readonly Plant[] = [
  { room: "protocol", source: 'export const y = new WebSocket("wss://x");\n', rule: "TS2304" },
  { room: "protocol", source: 'export const y = fetch("https://x");\n', rule: "TS2304" },
  { room: "protocol", source: "export const y = process.env;\n", rule: "TS2591" },
  innocent("protocol", "export const y = [1].map((n) => n + 1);\n"),
];

const plantAll = (folder: string, plants: readonly Plant[]): string[] => {
  for (const name of ["biome.json", "package.json", "tsconfig.base.json"]) {
    cpSync(join(root, name), join(folder, name));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  return plants.map(({ room, source }, at) => {
    mkdirSync(join(folder, room), { recursive: true });
    const path = `${room}/planted-${at}.ts`;
    writeFileSync(join(folder, path), source);
    return path;
  });
};

/** Path -> rules reported there. */
type Reports = ReadonlyMap<string, readonly string[]>;

const group = (pairs: readonly (readonly [string, string])[]): Reports => {
  const reports = new Map<string, string[]>();
  for (const [path, rule] of pairs) reports.set(path, [...(reports.get(path) ?? []), rule]);
  return reports;
};

const lint = async (folder: string): Promise<Reports> => {
  const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
  const args = [biome, "lint", "--reporter=json", "--max-diagnostics=none", "--colors=off", "."];
  const { output } = await run(process.execPath, args, { cwd: folder, limitMs: LIMIT_MS });
  // What goes to stderr may come in the same line before it.
  const json = /\{"summary":.*$/m.exec(output)?.[0];
  if (json === undefined) throw new Error(`biome reported nothing\n${output}`);
  const { diagnostics }: { diagnostics: { category: string; location: { path: string } }[] } =
    JSON.parse(json);
  return group(diagnostics.map(({ category, location }) => [location.path, category]));
};

const compile = async (folder: string): Promise<Reports> => {
  cpSync(join(root, "protocol", "tsconfig.json"), join(folder, "protocol", "tsconfig.json"));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "-p", join(folder, "protocol"), "--pretty", "false"];
  const { output } = await run(process.execPath, args, { cwd: folder, limitMs: LIMIT_MS });
  // protocol/planted-0.ts(1,22): error TS2304: Cannot find name 'WebSocket'.
  const found = output.matchAll(/^(\S+?)\(\d+,\d+\): error (TS\d+):/gm);
  return group([...found].map(([, path = "", rule = ""]) => [path, rule]));
};

const judge = async (
  plants: readonly Plant[],
  look: (folder: string) => Promise<Reports>,
): Promise<string[]> => {
  const folder = mkdtempSync(join(tmpdir(), "duplex-arrows-"));
  try {
    const paths = plantAll(folder, plants);
    const reports = await look(folder);
    return plants.flatMap(({ room, source, rule }, at) => {
      const said = reports.get(paths[at] ?? "") ?? [];
      if (rule === undefined ? said.length === 0 : said.includes(rule)) return [];
      const expected = rule ?? "nothing to be reported";
      return [`${room}: expected ${expected}, got ${said.join(", ") || "nothing"}:\n${source}`];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export const arrowCount = LINTED.length + COMPILED.length;

/** What was planted and not seen, or seen though innocent; empty when the arrows hold. */
export const brokenArrows = async (): Promise<string[]> => [
  ...(await judge(LINTED, lint)),
  ...(await judge(COMPILED, compile)),
];

if (import.meta.main) {
  const broken = await brokenArrows();
  console.log(broken.length === 0 ? `${arrowCount} arrows hold` : broken.join("\n"));
  process.exitCode = broken.length === 0 ? 0 : 1;
}
