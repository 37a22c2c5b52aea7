import type { Settings } from "./deploy-environment.ts";

/** What the account says about the secrets of a Worker; only names can be asked, never values. */
export type Secrets =
  | { readonly kind: "not-asked" | "not-logged-in" | "no-worker" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "named"; readonly names: readonly string[] };

/** All that the checklist looks at. */
export interface Deployment {
  readonly settings: Settings;
  /** What is wrong with the file of the environment, when there is one. */
  readonly ofEnvironment: readonly string[];
  /** Classes of Durable Objects that src/index.ts exports. */
  readonly classes: readonly string[];
  /** Classes that wrangler.toml declared in some commit. */
  readonly formerClasses: readonly string[];
  readonly secrets: Secrets;
  /** Content of `--secrets-file`. */
  readonly secretsFile: Readonly<Record<string, string>>;
  /** Files below dist/web. */
  readonly built: readonly string[];
  /** Files that differ from the last commit; absent without git. */
  readonly uncommitted?: readonly string[];
  readonly wrangler: { readonly installed: string; readonly wanted: string };
  /** As in 2026-11-20. */
  readonly today: string;
  /** Cloudflare builds it (Workers Builds, the deploy button): secrets may be set after the first deployment. */
  readonly inBuilds: boolean;
}

/** An error stops the deployment, a warning does not. */
export interface Complaint {
  readonly level: "error" | "warning";
  readonly text: string;
}

export interface Check {
  readonly name: string;
  readonly run: (deployment: Deployment) => readonly Complaint[];
}

export const error = (text: string): Complaint => ({ level: "error", text });
export const warning = (text: string): Complaint => ({ level: "warning", text });
