import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { run } from "./processes.ts";
import { type WireModule, withoutSchemas } from "./wire-declarations.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const LIMIT_MS = 60_000;

/** What the package exports, by the names that follow the package's own. */
export const SDK_ENTRIES = [
  { name: ".", source: "client/duplex.ts" },
  { name: "./swap", source: "client/swap.ts" },
  { name: "./peerjs", source: "client/peerjs.ts" },
] as const;

const NEEDS_ZOD = /^import .* from "zod";$/m;
const IMPORTED = /^(?:import|export) (?:type )?\{([^}]*)\} from "(\.[^"]*)\.ts";$/gm;
const INLINE = /import\("(\.[^"]*)\.ts"\)\.(\w+)/g;

/** What tsc declares for the SDK, by path, laid out as the sources. */
const emitted = async (): Promise<Map<string, string>> => {
  // Not in dist: another build tidies up there.
  const target = mkdtempSync(join(tmpdir(), "duplex-types-"));
  try {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const options = [
      "--noEmit",
      "false",
      "--declaration",
      "--emitDeclarationOnly",
      "--stripInternal",
    ];
    const { code, output } = await run(
      process.execPath,
      [tsc, "-p", join(root, "client"), ...options, "--rootDir", root, "--outDir", target],
      { cwd: root, limitMs: LIMIT_MS },
    );
    if (code !== 0) throw new Error(`The types of the SDK do not build\n${output}`);
    return new Map(
      readdirSync(target, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".d.ts"))
        .map((path) => [path.split(sep).join("/"), readFileSync(join(target, path), "utf8")]),
    );
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
};

/** Comments of a whole file stand apart in its source; tsc puts them on the first declaration. */
const withoutFileComment = (declarations: string, source: string): string =>
  declarations.replace(/^\/\*\*[\s\S]*?\*\/\n/gm, (comment) =>
    source.includes(`${comment}\n`) ? "" : comment,
  );

const load = async ([path, text]: readonly [string, string]): Promise<WireModule> => {
  const source = join(root, path.replace(/\.d\.ts$/, ".ts"));
  const declarations = withoutFileComment(text, readFileSync(source, "utf8"));
  return { path, declarations, exports: await import(pathToFileURL(source).href) };
};

interface Import {
  readonly names: readonly string[];
  readonly path: string;
}

/** The names that a file takes from others, and the path of each of those. */
const importsOf = (path: string, text: string): Import[] => {
  const at = (from = ""): string => `${posix.join(posix.dirname(path), from)}.d.ts`;
  const statements = [...text.matchAll(IMPORTED)].map(([, list = "", from]) => ({
    names: list
      .split(",")
      .map((item) =>
        item
          .trim()
          .replace(/^type /, "")
          .replace(/ as .*$/, ""),
      )
      .filter((name) => name !== ""),
    path: at(from),
  }));
  const inline = [...text.matchAll(INLINE)].map(([, from, name = ""]) => ({
    names: [name],
    path: at(from),
  }));
  return [...statements, ...inline];
};

const declares = (text: string, name: string): boolean =>
  new RegExp(
    `^export (?:declare )?(?:abstract )?(?:type|interface|class|function|const) ${name}\\b`,
    "m",
  ).test(text);

/** The entries and all that they reach; a type that is imported but not there would be `any` for its user. */
const reached = (files: ReadonlyMap<string, string>): Set<string> => {
  const paths = new Set<string>(SDK_ENTRIES.map(({ source }) => source.replace(/ts$/, "d.ts")));
  for (const from of paths) {
    for (const { names, path } of importsOf(from, files.get(from) ?? "")) {
      const missing = names.filter((name) => !declares(files.get(path) ?? "", name));
      if (missing.length > 0) {
        throw new Error(`${from} needs ${missing} of ${path}: not there, or not without zod`);
      }
      paths.add(path);
    }
  }
  return paths;
};

/** The declarations of the SDK, by path: without dependencies, and only what its entries reach. */
export const sdkTypes = async (): Promise<Map<string, string>> => {
  const files = await emitted();
  const wire = [...files].filter(([, text]) => NEEDS_ZOD.test(text));
  for (const [path, text] of withoutSchemas(await Promise.all(wire.map(load)))) {
    files.set(path, text);
  }
  return new Map(
    [...reached(files)].sort().map((path) => {
      const text = files.get(path) ?? "";
      // Consumers resolve a `.js` to the `.d.ts` beside it under every setting, a `.ts` only under some.
      return [path, text.replace(/(from |import\()"(\.[^"]*)\.ts"/g, '$1"$2.js"')];
    }),
  );
};
