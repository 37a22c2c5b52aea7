// `npm run setup`: what the tests need and npm cannot bring: two browsers, a TURN server, curl, git.
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./processes.ts";

interface Tool {
  readonly what: string;
  /** Overrides the search with a path. */
  readonly variable: string;
  readonly names: readonly string[];
  readonly packages: Readonly<Record<string, string>>;
}

const TOOLS = {
  chromium: {
    what: "Chromium or Chrome",
    variable: "CHROMIUM_PATH",
    names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    packages: { debian: "chromium" },
  },
  firefox: {
    what: "Firefox",
    variable: "FIREFOX_PATH",
    names: ["firefox-esr", "firefox"],
    packages: { debian: "firefox-esr" },
  },
  turnserver: {
    what: "coturn (turnserver)",
    variable: "TURNSERVER_PATH",
    names: ["turnserver"],
    packages: { debian: "coturn", ubuntu: "coturn" },
  },
  curl: {
    what: "curl",
    variable: "CURL_PATH",
    names: ["curl"],
    packages: { debian: "curl", ubuntu: "curl" },
  },
  git: {
    what: "git",
    variable: "GIT_PATH",
    names: ["git"],
    packages: { debian: "git", ubuntu: "git" },
  },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

const NAMES = Object.keys(TOOLS) as ToolName[];
const UPDATE_LIMIT_MS = 5 * 60_000;
const INSTALL_LIMIT_MS = 15 * 60_000;

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Ubuntu's packages of the browsers only call snap, which has nothing to run it in a container. */
const isSnapStub = (path: string): boolean => {
  const start = readFileSync(path).subarray(0, 4_096).toString("latin1");
  return (
    start.startsWith("#!") && /snap (run|install)|\/snap\/bin/.test(start) && !existsSync("/snap")
  );
};

const find = (name: ToolName): string | undefined => {
  const { variable, names }: Tool = TOOLS[name];
  const given = process.env[variable];
  if (given !== undefined && given !== "") return isProgram(given) ? given : undefined;
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders, "/usr/bin", "/usr/local/bin"]
    .flatMap((folder) => names.map((one) => join(folder, one)))
    .find((path) => isProgram(path) && !isSnapStub(path));
};

/** Where a tool is; throws with what to do when it is not there. */
export const toolPath = (name: ToolName): string => {
  const found = find(name);
  if (found !== undefined) return found;
  throw new Error(`${TOOLS[name].what} is needed: install it or set ${TOOLS[name].variable}`);
};

const distribution = (): string => {
  try {
    return /^ID="?(\w+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
};

const aptGet = async (args: readonly string[], limitMs: number): Promise<void> => {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = ["-q", "-o", "DPkg::Lock::Timeout=120"];
  const { code, output } = await run("apt-get", [...options, ...args], { env, limitMs });
  if (code !== 0) throw new Error(`apt-get ${args.join(" ")} failed\n${output}`);
};

/** A variable that leads nowhere is the user's to mend; installing would not help. */
const checkVariables = (): void => {
  for (const name of NAMES) {
    const { variable } = TOOLS[name];
    const given = process.env[variable];
    if (given && !isProgram(given)) throw new Error(`${variable}: ${given} is not a program`);
  }
};

/** Installs what is missing where that can be done; throws with a list of what is left to the user. */
export const ensureTools = async (): Promise<void> => {
  checkVariables();
  const packages = NAMES.filter((name) => find(name) === undefined).flatMap((name) => {
    const known: Tool["packages"] = TOOLS[name].packages;
    return known[distribution()] ?? [];
  });
  if (packages.length > 0 && process.getuid?.() === 0) {
    await aptGet(["update"], UPDATE_LIMIT_MS);
    await aptGet(["install", "-y", "--no-install-recommends", ...packages], INSTALL_LIMIT_MS);
  }
  const missing = NAMES.filter((name) => find(name) === undefined);
  if (missing.length === 0) return;
  const lines = missing.map((name) => `  ${TOOLS[name].what} (or set ${TOOLS[name].variable})`);
  throw new Error(`The tests in real browsers need, please install:\n${lines.join("\n")}`);
};

if (import.meta.main) {
  try {
    await ensureTools();
  } catch (fault) {
    console.error(fault instanceof Error ? fault.message : fault);
    process.exitCode = 1;
  }
  process.exit();
}
