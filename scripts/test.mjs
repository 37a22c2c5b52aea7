// `npm test`: from a fresh clone to `N passed, N failed`.
import { relay } from "./relay.mjs";

await relay("check.ts", process.argv.slice(2));
