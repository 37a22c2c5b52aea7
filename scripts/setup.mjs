// `npm run setup`: the dependencies, and the browsers and the TURN server that the tests need.
import { relay } from "./relay.mjs";

await relay("tools.ts", process.argv.slice(2));
