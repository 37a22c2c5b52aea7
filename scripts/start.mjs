// `npm start`: from a fresh clone to a running server.
import { relay } from "./relay.mjs";

await relay("serve.ts", process.argv.slice(2));
