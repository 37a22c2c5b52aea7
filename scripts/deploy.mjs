// `npm run deploy`, from a fresh clone too.
import { relay } from "./relay.mjs";

await relay("deploy.ts", process.argv.slice(2));
