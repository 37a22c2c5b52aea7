import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { run } from "../../scripts/processes.ts";
import { type MediaServer, startMediaServer } from "./media-server.ts";

/** The conformance kit for media servers, against the example media server as it is and as it is spoilt. */

const SECRET = "secret-of-the-example";
const LIMIT_MS = 130_000;
const baseUrl = inject("baseUrl");
const root = fileURLToPath(new URL("../..", import.meta.url));
const main = fileURLToPath(new URL("../../media-server-kit/main.ts", import.meta.url));

interface Judged {
  readonly id: string;
  readonly level: "must" | "advice";
  readonly outcome: "pass" | "fail" | "skip";
  readonly reason?: string;
  readonly clause: string;
}

let server: MediaServer;
beforeAll(async () => {
  server = await startMediaServer("--secret", SECRET);
});
afterAll(() => server?.kill());

const kit = (url: string, ...args: string[]) =>
  run(process.execPath, [main, url, ...args], { cwd: root, limitMs: LIMIT_MS });

async function judged(...args: string[]): Promise<{ code: number; checks: readonly Judged[] }> {
  const duplex = ["--duplex", baseUrl, "--key", "dev-key", "--secret", SECRET];
  const { code, output } = await kit(server.url, ...duplex, "--json", ...args);
  const json = output.slice(output.indexOf("{"));
  try {
    return { code, checks: (JSON.parse(json) as { checks: Judged[] }).checks };
  } catch {
    throw new Error(output);
  }
}

const failures = (checks: readonly Judged[]) =>
  checks.filter(({ level, outcome }) => level === "must" && outcome === "fail");

/** By the plant: the check that fails, and why. */
type Plants = Readonly<Record<string, readonly [id: string, reason: RegExp]>>;

const PLANTS: Plants = {
  "no-result": ["results", /expected a context-result for .*; saw none/],
  "no-pair": ["transport", /for the publisher within 5 s; saw .*connected without pair/],
  "no-alive": ["alive", /expected `alive` with n/],
  "no-quality": ["quality", /expected `quality` with an entry for the uplink/],
  "no-labels": ["labels", /`media\["\d+"\]\.context` of the offer .*; saw no label/],
  "false-sources": ["sources", /expected `sourceFlows` of the video flow to .*; saw \[/],
  "ignores-held": ["held", /saw \d+ packets of it more than 2 s after/],
  "ignores-limit": ["limit", /expected a layer of at most 200 kbit\/s .*; saw \d+ kbit\/s/],
  "never-resumes": ["reconnects", /expected the media server to open its socket again/],
};
const ANSWER_PLANTS: Plants = {
  "no-complete": ["candidates-complete", /expected `complete: true` .*; saw .* none complete/],
  "no-candidates": ["candidate-types", /saw no candidate/],
  "answers-sendrecv": ["whip-recvonly", /saw audio \(mid 0\) sendrecv, video \(mid 1\) sendrecv/],
};
const REVISION_PLANT: Plants = {
  "wrong-revision": ["results", /saw results with revision/],
};

describe("the kit for media servers", () => {
  it("[M7] finds that the example media server does all that is demanded", async () => {
    const { code, checks } = await judged("--quick");
    expect(failures(checks)).toEqual([]);
    expect(code).toBe(0);
    const skipped = checks.filter(({ outcome }) => outcome === "skip").map(({ id }) => id);
    expect(skipped.sort()).toEqual(["drain", "vanished"]);
    const sections = readFileSync(`${root}docs/media-server.md`, "utf8")
      .match(/^## .*$/gm)
      ?.map((line) =>
        line
          .slice(3)
          .toLowerCase()
          .replace(/[^a-z0-9 -]/g, "")
          .replaceAll(" ", "-"),
      );
    for (const { clause } of checks) expect(sections).toContain(clause.split("#")[1]);
  }, 140_000);

  it.each([PLANTS, ANSWER_PLANTS, REVISION_PLANT])(
    "[M7] finds what is said wrongly, left out or not done, and says why (%#)",
    async (plants) => {
      const ids = Object.values(plants).map(([id]) => id);
      const { code, checks } = await judged(
        ...["--plant", Object.keys(plants).join(","), "--only", ids.join(","), "--quick"],
      );
      const found = ids.map((id) => checks.find((check) => check.id === id));
      expect(found.map((check) => [check?.id, check?.outcome, check?.reason])).toEqual(
        Object.values(plants).map(([id, reason]) => [id, "fail", expect.stringMatching(reason)]),
      );
      expect(code).toBe(1);
    },
    140_000,
  );

  it("[M7] says when it cannot run at all", async () => {
    const nobody = await kit("http://127.0.0.1:9/");
    expect(nobody.code).toBe(2);
    expect(nobody.output).toContain("http://127.0.0.1:9/ cannot be reached");
    const misused = await kit("nowhere");
    expect([misused.code, misused.output]).toEqual([2, expect.stringContaining("no http URL")]);
  });
});
