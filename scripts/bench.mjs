// `npm run bench`: from a fresh clone to figures.
import { relay } from "./relay.mjs";

await relay("../bench/run.ts", process.argv.slice(2));
