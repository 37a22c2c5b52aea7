import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build as bundle, stop as stopBundler } from "esbuild";
import { run } from "./processes.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const TYPES_LIMIT_MS = 60_000;

/** Path below dist -> content. Everything is gathered first, so that a failing build changes nothing. */
type Files = Map<string, Uint8Array>;

const bundling: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2022",
  sourcemap: "linked",
  sourcesContent: true,
  outdir: "dist/web",
  write: false,
  logLevel: "silent",
};

const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((path) => statSync(join(folder, path)).isFile())
        .sort()
    : [];

/** A page script is a `web/*.ts` whose `.js` a page of `web/` loads. */
const pageScripts = (web: string[]): string[] => {
  const pages = web
    .filter((path) => path.endsWith(".html"))
    .map((path) => readFileSync(join(root, "web", path), "utf8"));
  return web
    .filter((path) => path.endsWith(".ts"))
    .filter((path) => {
      const script = path.split(sep).join("/").replace(/\.ts$/, ".js");
      return pages.some((page) => page.includes(script));
    })
    .map((path) => join("web", path));
};

const gatherScripts = async (files: Files, web: string[]): Promise<void> => {
  const entryPoints = ["client/duplex.ts", ...pageScripts(web)];
  const results = await Promise.all(
    entryPoints.map((entry) =>
      // One folder above the outputs: client/duplex.ts and web/demo.ts both land in dist/web itself.
      bundle({ ...bundling, entryPoints: [entry], outbase: entry.split(sep)[0] ?? "." }),
    ),
  );
  for (const { outputFiles = [] } of results) {
    for (const file of outputFiles)
      files.set(relative(join(root, "dist"), file.path), file.contents);
  }
};

const gatherStatic = (files: Files, web: string[]): void => {
  for (const path of web) {
    if (!path.endsWith(".ts")) files.set(join("web", path), readFileSync(join(root, "web", path)));
  }
};

/** The declarations of the SDK, laid out as in the sources because they refer to `protocol/`. */
const gatherTypes = async (files: Files): Promise<void> => {
  const target = join(root, "dist", ".types");
  rmSync(target, { recursive: true, force: true });
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const options = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly"];
  const { code, output } = await run(
    process.execPath,
    [tsc, "-p", join(root, "client"), ...options, "--rootDir", root, "--outDir", target],
    { cwd: root, limitMs: TYPES_LIMIT_MS },
  );
  if (code !== 0) throw new Error(`The types of the SDK do not build\n${output}`);
  for (const path of filesBelow(target)) {
    if (path.startsWith("web")) continue;
    files.set(join("package", "types", path), readFileSync(join(target, path)));
  }
  rmSync(target, { recursive: true, force: true });
};

const packageJson = (files: Files): string => {
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const types = [...files].filter(([path]) => path.endsWith(".d.ts"));
  const usesZod = types.some(([, content]) => Buffer.from(content).includes('"zod"'));
  const entry = { types: "./types/client/duplex.d.ts", default: "./duplex.js" };
  const description = {
    name: own.name,
    version: own.version,
    description: own.description,
    license: own.license,
    type: "module",
    exports: { ".": entry },
    types: entry.types,
    sideEffects: false,
    // The message types are inferred from schemas; nothing of them is in duplex.js.
    ...(usesZod ? { dependencies: { zod: own.dependencies.zod } } : {}),
  };
  return `${JSON.stringify(description, null, 2)}\n`;
};

const gatherPackage = async (files: Files): Promise<void> => {
  await gatherTypes(files);
  for (const name of ["duplex.js", "duplex.js.map"]) {
    const content = files.get(join("web", name));
    if (content !== undefined) files.set(join("package", name), content);
  }
  for (const name of ["LICENSE", "client/README.md"]) {
    const path = join(root, name);
    if (existsSync(path)) files.set(join("package", name.replace(/^.*\//, "")), readFileSync(path));
  }
  files.set(join("package", "package.json"), Buffer.from(packageJson(files)));
};

/** Writes what changed and removes what is no longer built: a server that runs reloads only if it must. */
const writeAll = (files: Files): void => {
  const dist = join(root, "dist");
  mkdirSync(join(dist, "web"), { recursive: true });
  for (const path of filesBelow(dist)) {
    if (!files.has(path)) rmSync(join(dist, path));
  }
  for (const [path, content] of files) {
    const target = join(dist, path);
    if (existsSync(target) && readFileSync(target).equals(content)) continue;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
};

/** Builds `dist/web` (the assets of the Worker) and, if asked, `dist/package` (the SDK for npm). */
export const build = async (wanted: "web" | "all"): Promise<void> => {
  const web = filesBelow(join(root, "web"));
  const files: Files = new Map();
  try {
    await gatherScripts(files, web);
  } finally {
    // esbuild would keep a process of its own for the life of ours.
    await stopBundler();
  }
  gatherStatic(files, web);
  if (wanted === "all") await gatherPackage(files);
  else keepPackage(files);
  writeAll(files);
};

const keepPackage = (files: Files): void => {
  for (const path of filesBelow(join(root, "dist", "package"))) {
    files.set(join("package", path), readFileSync(join(root, "dist", "package", path)));
  }
};

if (import.meta.main) {
  await build("all");
}
