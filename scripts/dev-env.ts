import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { VARIABLES } from "../protocol/config.ts";

export type Vars = Record<string, string>;

const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

/** One secret per checkout, so that a restart keeps tokens valid. */
const ownSecret = (folder: string): string => {
  const path = join(folder, "token-secret");
  const kept = readIfThere(path)?.trim();
  if (kept !== undefined && kept.length >= 32) return kept;
  const secret = randomBytes(32).toString("hex");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${secret}\n`, { mode: 0o600 });
  return secret;
};

/** JSON that says the same on one line and without one of the quotes, as `envLine` can have it. */
const oneLine = (json: string): string =>
  json.replaceAll(/[\r\n]+/g, " ").replaceAll("'", String.raw`\u0027`);

/** The environment wins over `.dev.vars`, and both over what local development adds. */
export const devVars = (root: string, env: NodeJS.ProcessEnv): Vars => {
  const vars: Vars = {};
  const file = parseEnv(readIfThere(join(root, ".dev.vars")) ?? "");
  for (const [name, value] of Object.entries(file)) vars[name] = value ?? "";
  for (const name of VARIABLES) {
    const value = env[name];
    if (value !== undefined) vars[name] = value;
  }
  // An empty string counts as not set.
  vars.LOCAL_DEV ||= "true";
  if (vars.ASSISTANCE_NETWORKS) vars.ASSISTANCE_NETWORKS = oneLine(vars.ASSISTANCE_NETWORKS);
  if (!vars.TOKEN_SECRETS) vars.TOKEN_SECRETS = ownSecret(join(root, ".wrangler"));
  return vars;
};

/**
 * One line of a dotenv file as wrangler reads it back unchanged: quoted, and with each `$` escaped,
 * because wrangler expands `$NAME` and `${NAME}` inside any quotes.
 */
export const envLine = (name: string, value: string): string => {
  const quote = ["'", "`", '"'].find((mark) => !value.includes(mark));
  if (quote === undefined || /[\r\n]/.test(value)) {
    throw new Error(
      `${name}: a value with a line break or all three kinds of quotes cannot be set`,
    );
  }
  if (quote === '"' && /\\[nr]/.test(value)) {
    throw new Error(`${name}: \\n and \\r cannot be set next to both ' and \``);
  }
  return `${name}=${quote}${value.replaceAll("$", "\\$")}${quote}`;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Writes the private file for `wrangler dev --env-file`; `remove` belongs at the end of the run. */
export const writeEnvFile = (root: string, vars: Vars): { path: string; remove: () => void } => {
  const folder = join(root, ".wrangler");
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const pid = /^env-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { force: true });
  }
  const path = join(folder, `env-${process.pid}`);
  rmSync(path, { force: true });
  const lines = Object.entries(vars).map(([name, value]) => envLine(name, value));
  writeFileSync(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  return { path, remove: () => rmSync(path, { force: true }) };
};
