// `npm run screenshots` shows every scene of test/e2e/scenes.ts in light and dark, on a desktop and on a phone:
// `.screenshots/SCENE.THEME.DEVICE.png`. Names as arguments choose scenes; `--into FOLDER` writes elsewhere;
// `--docs` also writes those that the documentation shows to docs/images/.
import { copyFileSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import { SCENES, type Scene, viewsOf } from "../test/e2e/scenes.ts";
import { startServer } from "../test/e2e/server.ts";
import { DEVICES, launchForScenes, present, Stage, THEMES } from "../test/e2e/stage.ts";
import { temporaryFolder } from "../test/e2e/watchdog.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const READY_LIMIT_MS = 90_000;
const SCENE_LIMIT_MS = 180_000;
/** What the documentation shows. Small enough to be kept with the sources. */
const IN_DOCS = ["call.light.desktop", "check-findings.light.desktop"];
const MAX_BYTES_IN_DOCS = 150_000;

const withinLimit = async (scene: Scene, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const fault = new Error(`${scene.name} is not there after ${SCENE_LIMIT_MS / 1000} s`);
    timer = setTimeout(() => reject(fault), SCENE_LIMIT_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
};

/** Gives the paths of the pictures. */
async function shoot(scene: Scene, stage: Stage, folder: string): Promise<string[]> {
  const page = await scene.set(stage);
  const made: string[] = [];
  for (const { name, show } of viewsOf(scene)) {
    const title = name === "" ? scene.name : `${scene.name}-${name}`;
    for (const device of DEVICES) {
      for (const theme of THEMES) {
        await present(page, theme, device);
        await show(page);
        const path = join(folder, `${title}.${theme}.${device}.png`);
        const fullPage = name === "" && scene.window?.includes(device) !== true;
        await page.screenshot({ path, fullPage });
        made.push(path);
      }
    }
  }
  return made;
}

async function shootAll(
  scenes: readonly Scene[],
  browser: Browser,
  baseUrl: string,
  folder: string,
): Promise<string[]> {
  const made: string[] = [];
  for (const scene of scenes) {
    const stage = new Stage(browser, baseUrl);
    try {
      await withinLimit(
        scene,
        shoot(scene, stage, folder).then((paths) => void made.push(...paths)),
      );
    } finally {
      await stage.close();
    }
    console.log(scene.name);
  }
  return made;
}

function copyToDocs(made: readonly string[]): void {
  const images = join(root, "docs", "images");
  mkdirSync(images, { recursive: true });
  for (const name of IN_DOCS) {
    const path = made.find((one) => one.endsWith(`${name}.png`));
    if (path === undefined) continue;
    const { size } = statSync(path);
    if (size > MAX_BYTES_IN_DOCS) throw new Error(`${name}.png has ${size} bytes`);
    copyFileSync(path, join(images, `${name}.png`));
    console.log(`docs/images/${name}.png, ${size} bytes`);
  }
}

function scenesNamed(names: readonly string[]): readonly Scene[] {
  const unknown = names.filter((name) => !SCENES.some((scene) => scene.name === name));
  if (unknown.length > 0) {
    const known = SCENES.map(({ name }) => name).join(", ");
    throw new Error(`no scene ${unknown.join(", ")}; there are ${known}`);
  }
  return names.length === 0 ? SCENES : SCENES.filter(({ name }) => names.includes(name));
}

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { into: { type: "string" }, docs: { type: "boolean" } },
  });
  const scenes = scenesNamed(positionals);
  const folder = resolve(values.into ?? join(root, ".screenshots"));
  mkdirSync(folder, { recursive: true });
  const state = temporaryFolder("screenshots");
  const server = await startServer({
    file: process.execPath,
    args: [join(root, "scripts", "start.mjs")],
    cwd: root,
    env: { DUPLEX_STATE: state },
    readyLimitMs: READY_LIMIT_MS,
  });
  try {
    const browser = await launchForScenes();
    try {
      const made = await shootAll(scenes, browser, server.baseUrl, folder);
      console.log(`${made.length} pictures in ${folder}`);
      if (values.docs === true) copyToDocs(made);
    } finally {
      await browser.close();
    }
  } finally {
    await server.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

try {
  await run();
} catch (fault) {
  console.error(fault instanceof Error ? fault.message : fault);
  process.exitCode = 1;
}
// Whoever started us holds a channel to us, and watches over what we have started.
process.exit();
