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
import { cliPackage } from "./cli-package.ts";
import { sdkPackage } from "./sdk-package.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

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
  const entryPoints = [
    "client/duplex.ts",
    "client/peerjs.ts",
    "client/swap.ts",
    ...pageScripts(web),
  ];
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

/** Writes what changed and removes what is no longer built: a server that runs reloads only if it must. */
const writeAll = (files: Files, target: string): void => {
  mkdirSync(target, { recursive: true });
  for (const path of filesBelow(target)) {
    if (!files.has(path)) rmSync(join(target, path));
  }
  for (const [name, content] of files) {
    const path = join(target, name);
    if (existsSync(path) && readFileSync(path).equals(content)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
};

const PACKAGES = ["package", "duplex-sdp"];

const keepPackages = (files: Files, target: string): void => {
  for (const name of PACKAGES) {
    for (const path of filesBelow(join(target, name))) {
      files.set(join(name, path), readFileSync(join(target, name, path)));
    }
  }
};

/**
 * Builds `web` (the assets of the Worker) and, if asked, `package` (the SDK for npm) and `duplex-sdp` (the command
 * line for npm), all below `target`: `dist`, but for tests that must not touch what a server is running from.
 */
export const build = async (wanted: "web" | "all", target = join(root, "dist")): Promise<void> => {
  const web = filesBelow(join(root, "web"));
  const files: Files = new Map();
  try {
    await gatherScripts(files, web);
    if (wanted === "all") {
      for (const [path, content] of await cliPackage())
        files.set(join("duplex-sdp", path), content);
      for (const [path, content] of await sdkPackage()) files.set(join("package", path), content);
    }
  } finally {
    // esbuild would keep a process of its own for the life of ours.
    await stopBundler();
  }
  gatherStatic(files, web);
  if (wanted !== "all") keepPackages(files, target);
  writeAll(files, target);
};

if (import.meta.main) {
  await build("all");
}
