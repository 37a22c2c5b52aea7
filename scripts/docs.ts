// `npm run docs` writes docs/protocol.md; with `--check` it only says whether the file is what it would write.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { protocolDocument } from "./protocol-document.ts";

const path = fileURLToPath(new URL("../docs/protocol.md", import.meta.url));
const wanted = protocolDocument();

if (process.argv.includes("--check")) {
  if (readFileSync(path, "utf8") !== wanted) {
    console.error("docs/protocol.md is not what the tables say: run `npm run docs`");
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, wanted);
}
