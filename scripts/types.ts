// `npm run types`: the types of the Workers runtime and of the bindings, when they are stale.
import { statSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./processes.ts";
import { WRANGLER, wranglerEnv } from "./wrangler.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const LIMIT_MS = 120_000;

const changedAt = (path: string): number =>
  statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

export const areTypesFresh = (): boolean => {
  const types = changedAt("worker-configuration.d.ts");
  return types > Math.max(changedAt("wrangler.toml"), changedAt("package-lock.json"));
};

/** Without the developer's `.dev.vars`: the types must be the same on each machine. */
export const writeTypes = async (): Promise<void> => {
  if (areTypesFresh()) return;
  const args = [WRANGLER, "types", `--env-file=${devNull}`, "--strict-vars=false"];
  const { code, output } = await run(process.execPath, args, {
    cwd: root,
    env: wranglerEnv(),
    limitMs: LIMIT_MS,
  });
  if (code !== 0) throw new Error(`wrangler types failed\n${output}`);
};

if (import.meta.main) {
  await writeTypes();
}
