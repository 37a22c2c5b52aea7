// `npm run screenshots`: all pages in all states, light and dark, desktop and phone.
import { relay } from "./relay.mjs";

await relay("screenshots.ts", process.argv.slice(2));
