#!/usr/bin/env node
// `npx duplex-sdp` and `npm run sdp` in a clone.
import { relay } from "./relay.mjs";

// npm runs scripts from the root of the package and tells where it was called.
const caller = process.env.npm_lifecycle_event === "sdp" ? process.env.INIT_CWD : undefined;

await relay("../cli/duplex-sdp.ts", process.argv.slice(2), caller ?? process.cwd());
