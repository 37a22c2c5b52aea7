import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DIALECTS } from "../protocol/swap/message.ts";
import { frameOf } from "../test/swap-frames.ts";
import {
  DESCRIPTIONS,
  SOURCES,
  type StoryStep,
  SWAP_STORIES,
  type SwapStory,
} from "../test/swap-stories.ts";

/**
 * test/vectors/swap/: what endpoints of SWAP and their server say to each other, a file for each rule, in every dialect. The
 * stories are in test/swap-stories.ts, the dialects in test/swap-frames.ts; nothing of protocol/ is used but their names.
 */

const folder = fileURLToPath(new URL("../test/vectors/swap/", import.meta.url));

function stepOf(step: StoryStep): object {
  if (!("message" in step)) return step;
  const { message } = step;
  const who = "from" in step ? step.from : step.to;
  const source = message.source ?? SOURCES[who] ?? who;
  const frames = DIALECTS.map((dialect) => [
    dialect,
    frameOf(message, source, dialect, "to" in step),
  ]);
  return { ...("from" in step ? { from: who } : { to: who }), ...Object.fromEntries(frames) };
}

function vectorOf({ steps, ...about }: SwapStory): string {
  const text = JSON.stringify(steps);
  const named = Object.entries(DESCRIPTIONS).filter(([name]) => text.includes(`"${name}"`));
  const vector = { ...about, descriptions: Object.fromEntries(named), steps: steps.map(stepOf) };
  return `${JSON.stringify(vector, undefined, 1)}\n`;
}

/** The vectors by file name. */
export const swapVectors = (): ReadonlyMap<string, string> =>
  new Map(SWAP_STORIES.map((story) => [`${story.name}.json`, vectorOf(story)]));

/** Files that are not what would be written. */
export function staleVectors(): string[] {
  mkdirSync(folder, { recursive: true });
  const wanted = swapVectors();
  const present = readdirSync(folder).filter((file) => file.endsWith(".json"));
  const stale = [...wanted].filter(
    ([file, text]) => !present.includes(file) || readFileSync(`${folder}${file}`, "utf8") !== text,
  );
  return [...stale.map(([file]) => file), ...present.filter((file) => !wanted.has(file))];
}

/** Writes those, and takes away what no story tells any more. */
export function writeVectors(): void {
  const wanted = swapVectors();
  for (const file of staleVectors()) {
    const text = wanted.get(file);
    if (text === undefined) rmSync(`${folder}${file}`);
    else writeFileSync(`${folder}${file}`, text);
  }
}
