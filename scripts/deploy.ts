// `npm run deploy`: a checklist that ends early, `wrangler deploy`, and a look at what answers.
import { parseArgs } from "node:util";
import { build } from "./build.ts";
import { CHECKS } from "./deploy-checks.ts";
import { addressOf } from "./deploy-environment.ts";
import { checkOptions, factsOf, type Options, Refusal, wrangler } from "./deploy-facts.ts";
import { lookAt } from "./deploy-look.ts";
import type { Deployment } from "./deployment.ts";

const DRY_RUN_LIMIT_MS = 120_000;
const DEPLOY_LIMIT_MS = 600_000;
const LOOK_LIMIT_MS = 60_000;

const readOptions = (): Options => {
  const { values } = parseArgs({
    options: {
      env: { type: "string" },
      "secrets-file": { type: "string" },
      "dry-run": { type: "boolean" },
    },
  });
  return {
    dryRun: values["dry-run"] === true,
    ...(values.env !== undefined && { environment: values.env }),
    ...(values["secrets-file"] !== undefined && { secretsFile: values["secrets-file"] }),
  };
};

const NEEDS_ACCOUNT = ["login", "keys"];

/** Says what each check found; true when nothing stops the deployment. */
function runChecks(deployment: Deployment): boolean {
  let isFit = true;
  for (const { name, run } of CHECKS) {
    const found = run(deployment);
    const isAsked = deployment.secrets.kind !== "not-asked" || !NEEDS_ACCOUNT.includes(name);
    if (found.length === 0) console.log(`${isAsked ? "ok      " : "not asked"} ${name}`);
    for (const { level, text } of found) {
      console.log(`${level.toUpperCase().padEnd(8)} ${name}: ${text}`);
      if (level === "error") isFit = false;
    }
  }
  return isFit;
}

async function wranglerDeploy(args: readonly string[], limitMs: number): Promise<string> {
  const { code, output } = await wrangler(["deploy", ...args], limitMs);
  if (code !== 0) throw new Refusal(`wrangler deploy ${args.join(" ")} failed\n${output.trim()}`);
  return output;
}

const next = (name: string, address: string): string => `
Up at ${address}
  a call      ${address} (it asks for an API key)
  by hand     curl -sX POST ${address}v1/sessions -H 'authorization: Bearer YOUR_API_KEY'
  its log     npx wrangler tail ${name}
  roll back   npx wrangler rollback --name ${name}   (docs/operating.md#rolling-back)`;

async function deploy(options: Options): Promise<void> {
  checkOptions(options);
  await build("web");
  const facts = await factsOf(options);
  if (!runChecks(facts)) throw new Refusal("\nNothing was deployed: mend what says ERROR.");
  await wranglerDeploy(["--dry-run", "--config", facts.file], DRY_RUN_LIMIT_MS);
  console.log("ok       bundle: wrangler deploy --dry-run");
  if (options.dryRun) {
    console.log("\nNothing was deployed: this was a dry run.");
    return;
  }
  const file = options.secretsFile === undefined ? [] : ["--secrets-file", options.secretsFile];
  const output = await wranglerDeploy(["--config", facts.file, ...file], DEPLOY_LIMIT_MS);
  console.log(output.trim());
  const { name = "" } = facts.settings;
  const address = addressOf(facts.settings, output);
  if (address === undefined) {
    console.log("\nDeployed. Its address is that of your route; try /healthz there.");
    return;
  }
  const { isUp, problem } = await lookAt(address, LOOK_LIMIT_MS);
  if (!isUp) {
    throw new Refusal(
      `\nDeployed, but ${address}healthz says ${problem}\n  npx wrangler tail ${name}\n  npx wrangler rollback --name ${name}`,
    );
  }
  if (problem !== undefined) console.log(`WARNING  no session will start: ${problem}`);
  console.log(next(name, address));
}

try {
  await deploy(readOptions());
} catch (fault) {
  const isOurs =
    fault instanceof Refusal || (fault as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  console.error(isOurs ? (fault as Error).message : fault);
  process.exitCode = 1;
}
// The channel to the process that started us would keep us.
process.exit();
