import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = "duplex-sdp.js";

const packageJson = (): string => {
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const description = {
    name: "duplex-sdp",
    version: own.version,
    description: "Checks WebRTC offers and answers (SDP) from the command line",
    type: "module",
    bin: { "duplex-sdp": PROGRAM },
    engines: { node: ">=20" },
  };
  return `${JSON.stringify(description, null, 2)}\n`;
};

const program = async (): Promise<Uint8Array> => {
  const { outputFiles, metafile } = await bundle({
    absWorkingDir: root,
    entryPoints: ["cli/duplex-sdp.ts"],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    metafile: true,
    outfile: PROGRAM,
    write: false,
    logLevel: "silent",
  });
  const foreign = Object.keys(metafile.inputs).filter((path) => !/^(cli|protocol)\//.test(path));
  if (foreign.length > 0) throw new Error(`duplex-sdp contains ${foreign.join(", ")}`);
  const [file] = outputFiles;
  if (file === undefined) throw new Error("duplex-sdp was not built");
  return file.contents;
};

/** The command line as an npm package: one program without dependencies, by path. */
export const cliPackage = async (): Promise<Map<string, Uint8Array>> => {
  const files = new Map([
    [PROGRAM, await program()],
    ["package.json", new Uint8Array(Buffer.from(packageJson()))],
  ]);
  for (const name of ["LICENSE", "cli/README.md"]) {
    const path = join(root, name);
    if (existsSync(path)) files.set(name.replace(/^.*\//, ""), readFileSync(path));
  }
  return files;
};
