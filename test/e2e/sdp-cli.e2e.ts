import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { masked } from "../../cli/masked.ts";
import { printable } from "../../cli/printable.ts";
import { report } from "../../cli/report.ts";
import { checkSdp, type SdpCheck } from "../../protocol/sdp-check.ts";
import { build } from "../../scripts/build.ts";
import { temporaryFolder } from "./watchdog.ts";

/** `duplex-sdp` as others install it, on the Node they have, and as it is called in a clone. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const corpus = join(root, "test", "fixtures", "sdp-corpus");
const STEP_LIMIT_MS = 60_000;

interface Recorded {
  readonly offer: string;
  readonly answer: string | null;
}

const recordOf = (name: string): Recorded =>
  JSON.parse(readFileSync(join(corpus, `${name}.json`), "utf8"));

const names = readdirSync(corpus).map((name) => name.replace(/\.json$/, ""));
const { offer, answer: recorded } = recordOf("chromium.max-bundle");
const answer = recorded ?? "";
const twins = offer.replace("a=mid:1\r\n", "a=mid:0\r\n");
const lineOf = (sdp: string, wanted: string, from = 0): number =>
  sdp.split("\r\n").indexOf(wanted, from) + 1;

/** Nothing of ours in PATH: `node` is the machine's own. */
const theirPath = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((part) => !part.includes("node_modules"))
  .join(delimiter);

let folder: string;
let env: NodeJS.ProcessEnv;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (file: string, args: string[], { input = "", cwd = folder } = {}): Outcome => {
  const options = { cwd, env, input, encoding: "utf8", timeout: STEP_LIMIT_MS } as const;
  const { status, stdout, stderr } = spawnSync(file, args, options);
  return { code: status, stdout, stderr };
};

const check = (...args: string[]): Outcome =>
  run("node", [join(folder, "node_modules", "duplex-sdp", "duplex-sdp.js"), ...args]);

const put = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return name;
};

const npm = (...args: string[]): string => {
  const { code, stdout, stderr } = run("npm", [...args, "--offline", "--no-audit", "--no-fund"]);
  expect(code, stderr).toBe(0);
  return stdout;
};

beforeAll(async () => {
  folder = temporaryFolder("sdp-cli");
  env = {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|FORCE_COLOR)/.test(name)),
    ),
    PATH: theirPath,
    npm_config_cache: join(folder, "cache"),
    // Nothing may come from a registry.
    npm_config_registry: "http://127.0.0.1:9/",
  };
  await build("all", join(folder, "dist"));
  put("package.json", JSON.stringify({ name: "consumer", private: true }));
  const tarball = npm("pack", "./dist/duplex-sdp", "--silent").trim();
  npm("install", `./${tarball}`);
  put("offer.sdp", offer);
  put("answer.sdp", answer);
  put("broken.sdp", twins);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("duplex-sdp as others install it", () => {
  it("[M3] is one program without dependencies", () => {
    const installed = readdirSync(join(folder, "node_modules"));
    expect(installed.filter((name) => !name.startsWith("."))).toEqual(["duplex-sdp"]);
    const files = readdirSync(join(folder, "node_modules", "duplex-sdp"));
    expect(files.sort()).toEqual(["README.md", "duplex-sdp.js", "package.json"]);
    const text = readFileSync(join(folder, "dist", "duplex-sdp", "duplex-sdp.js"), "utf8");
    const imported = [...text.matchAll(/^import .*?"([^"]+)";$/gm)].map(([, from]) => from);
    expect(imported.filter((from) => !from?.startsWith("node:"))).toEqual([]);
  });

  it("[M3] runs by its name, on the Node that the machine has", () => {
    const { code, stdout, stderr } = run("npx", ["--offline", "duplex-sdp", "offer.sdp"]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^0 errors, \d+ warnings?, \d+ info in offer.sdp; 6 media flows/m);
    const major = Number(run("node", ["-p", "process.versions.node"]).stdout.split(".")[0]);
    expect(major).toBeGreaterThanOrEqual(20);
  });

  it("[D2] shows the line of an error with its number, and exits with 1", () => {
    const { code, stdout, stderr } = check("broken.sdp");
    const line = lineOf(twins, "a=mid:0", lineOf(twins, "a=mid:0"));
    expect(code).toBe(1);
    expect(stderr).toBe("");
    expect(stdout).toMatch(new RegExp(`^broken.sdp:${line}: error: .+ \\[mid-duplicate\\]$`, "m"));
    expect(stdout).toMatch(new RegExp(`^ {2}> ${line} \\| a=mid:0$`, "m"));
    expect(stdout).toMatch(new RegExp(`^ {4}${line - 1} \\| a=setup:actpass$`, "m"));
    expect(stdout).toContain("RFC 5888");
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^[1-9]\d* errors?, .*no media flows/);
  });

  it("[D3] has no error for what real stacks made, alone and with the answer", () => {
    for (const name of names.filter((_, index) => index % 20 === 0)) {
      const record = recordOf(name);
      put("one.sdp", record.offer);
      const files = record.answer === null ? [] : [put("other.sdp", record.answer)];
      const { code, stdout } = check("one.sdp", ...files);
      expect(code, `${name}\n${stdout}`).toBe(0);
    }
  });

  it("[D2] says of a pair which file a finding is about", () => {
    put("swapped.sdp", recordOf("chromium-to-firefox.data-channel-only").answer ?? "");
    const { code, stdout } = check("offer.sdp", "swapped.sdp");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^swapped\.sdp(:\d+)?: error: .+ \[.+, answer does not fit offer\]$/m);
    expect(stdout).toContain("in offer.sdp and swapped.sdp;");
  });

  it("[M3] --json prints what the server would answer", () => {
    for (const args of [["broken.sdp"], ["offer.sdp", "answer.sdp"], ["--strict", "offer.sdp"]]) {
      const { code, stdout } = check("--json", ...args);
      const printed: SdpCheck = JSON.parse(stdout);
      const [one, other] = args.filter((arg) => arg !== "--strict");
      const texts = {
        offer: one === "broken.sdp" ? twins : offer,
        answer: other === undefined ? undefined : answer,
        strict: args.includes("--strict"),
      };
      const since = printed.flows[0]?.since ?? 0;
      expect(printed).toEqual(JSON.parse(JSON.stringify(checkSdp(texts, since))));
      const hasError = printed.findings.some(({ level }) => level === "error");
      expect(code).toBe(hasError ? 1 : 0);
    }
  });

  it("[M3] reads the standard input for -, as offer or as answer", () => {
    const program = join(folder, "node_modules", "duplex-sdp", "duplex-sdp.js");
    const piped = run("node", [program, "-"], { input: twins });
    expect(piped.code).toBe(1);
    expect(piped.stdout).toMatch(/^stdin:\d+: error/m);
    const second = run("node", [program, "offer.sdp", "-", "--json"], { input: answer });
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout).flows[0].state).toBe("negotiated");
  });

  it("[M3] takes a description out of the JSON that carried it, and knows which it is", () => {
    put("offer.json", JSON.stringify({ type: "offer", sdp: offer }, null, 2));
    put("answer.json", JSON.stringify({ type: "answer", sdp: answer }));
    put("text.json", JSON.stringify(twins));
    expect(check("offer.json", "answer.json").code).toBe(0);
    expect(check("text.json").stdout).toContain("[mid-duplicate]");
    const { code, stderr } = check("answer.json", "offer.json");
    expect(code).toBe(2);
    expect(stderr).toContain("answer.json is an answer by its type");
  });

  it("[D2] finds lines that are not UTF-8, and reads the rest", () => {
    const [head = "", ...rest] = twins.split("s=-");
    const bytes = Buffer.concat([
      Buffer.from(`${head}s=caf`),
      Buffer.from([0xe9]),
      Buffer.from(rest.join("s=-")),
    ]);
    put("latin.sdp", bytes);
    const { code, stdout } = check("latin.sdp");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^latin\.sdp:3: error: .+ \[line-not-utf8\]$/m);
    expect(stdout).toContain("> 3 | s=caf\ufffd");
    expect(stdout).toContain("[mid-duplicate]");
    expect(stdout.match(/line-not-utf8/g)).toHaveLength(1);
    put("latin.json", Buffer.from(JSON.stringify({ sdp: `${offer}a=x:\u00e9\r\n` }), "latin1"));
    put("half.json", `{"sdp": ${JSON.stringify(`${offer}a=x:\ud800\r\n`)}}`);
    expect(check("half.json").stdout).toMatch(/^half\.json:\d+: error: .+ \[line-not-utf8\]$/m);
    expect(check("latin.json").stdout).toMatch(/^latin\.json: error: .+ \[line-not-utf8\]$/m);
    expect(check(put("bom.sdp", `\ufeff${offer}`)).code).toBe(0);
    expect(check(put("wide.sdp", Buffer.from(`\ufeff${offer}`, "utf16le"))).code).toBe(0);
  });

  it("[D4] says that a file is over the limits", () => {
    const { code, stdout } = check(put("large.sdp", `${offer}a=x:${"x".repeat(600_000)}`));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^large\.sdp: error: .+ \[sdp-too-large\]$/m);
  });

  it.each([
    [["no-such-file.sdp"], "cannot read no-such-file.sdp: ENOENT"],
    [["node_modules"], "cannot read node_modules: EISDIR"],
    [[], "give one offer"],
    [["offer.sdp", "answer.sdp", "offer.sdp"], "give one offer"],
    [["-", "-"], "once only"],
    [["--loud", "offer.sdp"], "--loud"],
  ])("[M3] %j is wrong usage: exit 2, one line that says why", (args, why) => {
    const { code, stdout, stderr } = check(...args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(why);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("[M3] --help says how to call it", () => {
    for (const flag of ["--help", "-h"]) {
      const { code, stdout } = check(flag);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: duplex-sdp/);
    }
  });

  it("[S8] a description cannot command the terminal, nor turn its text around", () => {
    const hostile = "\u001b]0;owned\u0007\u001b[2J\u009b31m\u202eabc";
    const file = put(
      "hostile.sdp",
      offer.replace("a=mid:0", `a=mid:0${hostile}\r\nbad ${hostile}`),
    );
    for (const options of [[], ["--json"], ["--strict"]]) {
      const { code, stdout } = check(...options, file);
      expect(code).toBe(1);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
    expect(printable(`a\u001bb\u2066\tc`)).toBe("a\\x1bb\\u2066\\x09c");
  });

  it("[M3] colours only terminals", () => {
    expect(check("broken.sdp").stdout).not.toContain("\u001b");
    const inputs = { offer: { name: "broken.sdp", sdp: twins, undecodable: [] } };
    const coloured = report(checkSdp({ offer: twins }, 0), inputs, true);
    expect(coloured).toContain("\u001b[1;31merror\u001b[0m");
  });
});

describe("what duplex-sdp never prints", () => {
  const secretsOf = (sdp: string): string[] => [
    ...[...sdp.matchAll(/^a=ice-pwd:(\S+)/gm)].map(([, password = ""]) => password),
    ...[...sdp.matchAll(/^a=fingerprint:\S+ (\S+)/gm)].map(([, value = ""]) => value),
    ...[...sdp.matchAll(/inline:(\S+)/g)].map(([, key = ""]) => key),
  ];

  it("[D2] passwords, keys and fingerprints of real descriptions, in whatever line is shown", () => {
    for (const name of names) {
      const record = recordOf(name);
      for (const sdp of [record.offer, record.answer ?? ""]) {
        const text = masked(sdp.split(/\r?\n/)).join("\n");
        for (const secret of secretsOf(sdp)) expect(text, name).not.toContain(secret);
        // What is no secret stays as it is.
        expect(text.match(/^(m=|a=mid|a=rtpmap|a=candidate).*$/gm)).toEqual(
          sdp.replaceAll("\r", "").match(/^(m=|a=mid|a=rtpmap|a=candidate).*$/gm),
        );
      }
    }
  });

  it.each([
    ["a=ice-pwd:SECRET", "a=ice-pwd:***"],
    ["a=ice-pwd: SECRET SECRET", "a=ice-pwd: ***"],
    ["a=ICE-PWD SECRET", "a=ICE-PWD ***"],
    [" a=ice-pwd=SECRET", " a=ice-pwd=***"],
    ["a=setup:activea=ice-pwd:SECRET", "a=setup:activea=ice-pwd:***"],
    ["a=fingerprint:sha-256 SECRET", "a=fingerprint:sha-256 ***"],
    ["a=fingerprint:SECRET", "a=fingerprint:***"],
    [`a=fingerprnt:sha-256 ${"AB:".repeat(31)}CD`, "a=fingerprnt:sha-256 ***"],
    [
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET|2^20",
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***",
    ],
    ["a=crypto:1 SECRET", "a=crypto:1 ***"],
    ["a=x inline:SECRET", "a=x inline:***"],
    ["k=base64:SECRET", "k=***"],
    ["a=key-mgmt:mikey SECRET", "a=key-mgmt:***"],
    ["a=identity:SECRET", "a=identity:***"],
  ])("[D2] %s is shown as %s", (line, shown) => {
    expect(masked([line])).toEqual([shown]);
  });

  it("[D2] the rest of a secret that a line break cut off", () => {
    const lines = ["a=ice-pwd:SEC", "RET", "", "RET", "a=mid:0", "RET"];
    expect(masked(lines)).toEqual(["a=ice-pwd:***", "***", "***", "***", "a=mid:0", "RET"]);
  });

  it("[D2] secrets in the very lines that findings point to", () => {
    const broken = twins
      .replaceAll(/^a=ice-pwd:.*$/gm, "a=ice-pwd:SECRET!!")
      .replaceAll(/^a=fingerprint:.*$/gm, "a=fingerprint:md5 SECRET")
      .replace("a=mid:0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET\r\na=mid:0");
    put("leaky.sdp", broken);
    for (const args of [["leaky.sdp"], ["--strict", "leaky.sdp", "leaky.sdp"]]) {
      const { code, stdout } = check(...args);
      expect(code).toBe(1);
      expect(stdout).not.toContain("SECRET");
      expect(stdout).toContain("a=ice-pwd:***");
    }
    expect(check("--json", "leaky.sdp").stdout).not.toContain("SECRET");
  });
});

describe("duplex-sdp in a clone", () => {
  it("[M3] npx duplex-sdp finds it without network, with paths as they are typed", () => {
    put("here.sdp", twins);
    const web = join(root, "web");
    const typed = join("..", "test", "fixtures", "none.sdp");
    const missing = run("npx", ["duplex-sdp", typed], { cwd: web });
    expect(missing.code, missing.stderr).toBe(2);
    expect(missing.stderr).toContain(`cannot read ${typed}: ENOENT`);
    const { code, stdout } = run("npx", ["duplex-sdp", join(folder, "here.sdp")], { cwd: web });
    expect(code).toBe(1);
    expect(stdout).toContain("[mid-duplicate]");
  });

  it("[M3] npm run sdp does the same, from any folder of it", () => {
    const web = join(root, "web");
    const args = ["run", "--silent", "sdp", "--"];
    const { code, stdout, stderr } = run("npm", [...args, join(folder, "offer.sdp")], { cwd: web });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("0 errors");
    expect(run("npm", [...args, "style.css"], { cwd: web }).stdout).toContain("style.css:1: error");
  });
});
