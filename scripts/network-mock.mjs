// `npm run network-mock`: a mobile network to develop against, from a fresh clone too.
import { relay } from "./relay.mjs";

await relay("../network-mock/main.ts", process.argv.slice(2));
