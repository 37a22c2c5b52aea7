import { existsSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type BuildOptions, build as bundle, type Metafile } from "esbuild";
import { SDK_ENTRIES, sdkTypes } from "./sdk-types.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What a page loads before it can join, and what follows while it joins: minified, gzip -9, bytes. The whole was 17,000
 * before the SDK measured quality of experience (decision 0031), which follows while a page joins; it was 17,900 before
 * that told simulcast, outages, slides and what a media server carries on apart.
 */
export const SDK_BUDGET = { start: 12_000, whole: 18_000 } as const;

const bundling: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
  logLevel: "silent",
};

type Files = Map<string, Uint8Array>;

/** Modules to read and to bundle: what several entries share, and what is loaded later, are files of their own. */
const modules = async (): Promise<Files> => {
  const { outputFiles = [] } = await bundle({
    ...bundling,
    entryPoints: SDK_ENTRIES.map(({ source }) => source),
    outdir: "package",
    splitting: true,
    chunkNames: "[name]-[hash]",
    sourcemap: "linked",
    sourcesContent: true,
  });
  return new Map(
    outputFiles.map(({ path, contents }) => [relative(join(root, "package"), path), contents]),
  );
};

/** For `<script src>`: one file that defines `duplex`. */
const script = async (): Promise<Files> => {
  const { outputFiles = [] } = await bundle({
    ...bundling,
    entryPoints: ["client/duplex.ts"],
    outfile: "package/duplex.min.js",
    format: "iife",
    globalName: "duplex",
    minify: true,
    sourcemap: "linked",
    sourcesContent: true,
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
};

/** The outputs that come with one of them at once. */
const loadedWith = ({ outputs }: Metafile, entry: string): Set<string> => {
  const loaded = new Set([entry]);
  for (const path of loaded) {
    const imports = outputs[path]?.imports ?? [];
    for (const { kind, path: next } of imports) if (kind === "import-statement") loaded.add(next);
  }
  return loaded;
};

/**
 * What a page that bundles `code` pays for it, in bytes of gzip -9: `start` with the page, `later` when it joins.
 * `from` is the folder that the imports of `code` are found from.
 */
export const costOf = async (
  code: string,
  from: string,
): Promise<{ start: number; later: number; text: string }> => {
  const { outputFiles = [], metafile } = await bundle({
    ...bundling,
    absWorkingDir: from,
    stdin: { contents: code, resolveDir: from, sourcefile: "page.js" },
    outdir: "out",
    splitting: true,
    minify: true,
    metafile: true,
  });
  const entry = Object.keys(metafile?.outputs ?? {}).find(
    (path) => metafile?.outputs[path]?.entryPoint !== undefined && path.endsWith("stdin.js"),
  );
  const now = metafile && entry ? loadedWith(metafile, entry) : new Set();
  const sized = outputFiles.map(({ path, contents, text }) => ({
    isNow: now.has(relative(from, path)),
    bytes: gzipSync(contents, { level: 9 }).length,
    text,
  }));
  const sum = (isNow: boolean): number =>
    sized.filter((file) => file.isNow === isNow).reduce((all, { bytes }) => all + bytes, 0);
  const texts = sized.filter(({ isNow }) => isNow).map(({ text }) => text);
  return { start: sum(true), later: sum(false), text: texts.join("\n") };
};

const keepToBudget = async (): Promise<void> => {
  const { start, later } = await costOf('export { join } from "./client/duplex.ts";', root);
  if (start > SDK_BUDGET.start || start + later > SDK_BUDGET.whole) {
    const { start: most, whole } = SDK_BUDGET;
    throw new Error(
      `The SDK is too large: ${start} bytes with the page (${most}), ${start + later} in all (${whole})`,
    );
  }
};

const description = (): string => {
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const exports = SDK_ENTRIES.map(({ name, source }) => {
    const file = basename(source, ".ts");
    return [name, { types: `./types/client/${file}.d.ts`, default: `./${file}.js` }];
  });
  const script = "./duplex.min.js";
  return `${JSON.stringify(
    {
      name: own.name,
      version: own.version,
      description: "The browser SDK of Duplex, a trusted WebRTC signalling server",
      type: "module",
      exports: {
        ...Object.fromEntries(exports),
        [script]: script,
        "./package.json": "./package.json",
      },
      types: "./types/client/duplex.d.ts",
      unpkg: script,
      jsdelivr: script,
      sideEffects: false,
    },
    null,
    2,
  )}\n`;
};

/** The SDK has no dependency, not even for its types: who installs it gets this and nothing else. */
const refuseDependencies = (files: Files): void => {
  const dependent = [...files].filter(([, content]) => Buffer.from(content).includes("zod"));
  if (dependent.length > 0) {
    throw new Error(`The SDK mentions zod: ${dependent.map(([path]) => path).join(", ")}`);
  }
};

/** The SDK as an npm package: content by path. Fails when it has grown beyond its budget. */
export const sdkPackage = async (): Promise<Files> => {
  const [types] = await Promise.all([sdkTypes(), keepToBudget()]);
  const files: Files = new Map([...(await modules()), ...(await script())]);
  for (const [path, text] of types) files.set(join("types", path), Buffer.from(text));
  for (const name of ["LICENSE", "client/README.md"]) {
    const path = join(root, name);
    if (existsSync(path)) files.set(basename(name), readFileSync(path));
  }
  files.set("package.json", Buffer.from(description()));
  refuseDependencies(files);
  return files;
};
