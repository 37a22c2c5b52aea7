// `npm run media-server`: the example media server, from a fresh clone too.
import { relay } from "./relay.mjs";

await relay("../examples/media-server/main.ts", process.argv.slice(2));
