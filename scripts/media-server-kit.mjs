// `npm run media-server-kit -- URL`: from a fresh clone to what a media server does not do.
import { relay } from "./relay.mjs";

await relay("../media-server-kit/main.ts", process.argv.slice(2));
