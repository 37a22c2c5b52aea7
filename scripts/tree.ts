import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tree } from "./links.ts";

/** Not ours, or made. */
const LEFT_OUT = [".git", ".wrangler", "coverage", "dist", "node_modules"];
const LEFT_OUT_PATHS = ["bench/peers", "bench/results"];

/** Everything below a folder, the folders themselves included; paths are relative to the root. */
const below = (root: string, folder = ""): readonly string[] =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !LEFT_OUT.includes(name))
    .flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const isEntered = entry.isDirectory() && !LEFT_OUT_PATHS.includes(path);
      return isEntered ? [path, ...below(root, path)] : [path];
    });

/** The files, folders and documents of the repository as they lie on disk. */
export function readTree(root: string): Tree {
  const paths = below(root);
  const documents = paths
    .filter((path) => path.endsWith(".md"))
    .map((path) => [path, readFileSync(join(root, path), "utf8")] as const);
  return { documents: new Map(documents), paths: new Set(paths) };
}
