// Runs before anything is installed: plain JavaScript for Node 20, no dependencies.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The oldest Node that both wrangler accepts and that runs `.ts` without a flag. */
const OLDEST_NODE = [22, 18];
const INSTALL_LIMIT_MS = 15 * 60_000;

const packagesIn = (path) => {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages ?? {};
  } catch {
    return undefined;
  }
};

/**
 * npm writes `node_modules/.package-lock.json` last, so it is the stamp of a finished installation
 * and says what was installed; another platform's optional packages are rightly absent from it.
 */
export const isInstalled = () => {
  const wanted = packagesIn(join(root, "package-lock.json"));
  const found = packagesIn(join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined || found === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const there = found[path];
    if (there === undefined) return entry.optional === true || entry.devOptional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
};

/** The npm that runs us, by the Node it runs on: the one in node_modules is about to be replaced. */
const npmCommand = () => {
  const script = process.env.npm_execpath;
  if (script === undefined || !/\.[cm]?js$/.test(script)) return { file: "npm", first: [] };
  return { file: process.env.npm_node_execpath ?? process.execPath, first: [script] };
};

const npmCi = () =>
  new Promise((resolve, reject) => {
    const { file, first } = npmCommand();
    const wanted = ["--include=dev", "--include=optional", "--ignore-scripts", "--prefer-offline"];
    const quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error"];
    const child = spawn(file, [...first, "ci", ...wanted, ...quiet], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: INSTALL_LIMIT_MS,
      shell: process.platform === "win32" && file === "npm",
    });
    let output = "";
    const keep = (chunk) => {
      output += chunk;
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const stop = () => child.kill("SIGTERM");
    process.once("exit", stop);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("exit", stop);
      if (code === 0) resolve(undefined);
      else reject(new Error(`npm ci failed (${signal ?? `exit ${code}`})\n${output.trim()}`));
    });
  });

/** Installs what package-lock.json names unless it is there already. */
export const ensureInstalled = async () => {
  if (isInstalled()) return;
  process.stderr.write("Installing dependencies ...\n");
  await npmCi();
};

/** A Node that can run the rest: the one installed with the dependencies, else our own. */
export const modernNode = () => {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const installed = join(root, "node_modules", ".bin", name);
  if (existsSync(installed)) return installed;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) {
    return process.execPath;
  }
  throw new Error(
    `No Node ${OLDEST_NODE.join(".")} or newer is packaged for ${process.platform}-${process.arch}: ` +
      `run this with one (this is Node ${process.versions.node}).`,
  );
};
