import type { Counts } from "./setup-wire.ts";

/** What bench/setup.ts and its generator tell each other. */

export const DIALECTS = [
  "duplex",
  "duplex-reports",
  "duplex-full",
  "forwarding",
  "peerjs",
  "socket-io",
] as const;
export type Dialect = (typeof DIALECTS)[number];

/** One call to be set up, with all that is made before. */
export interface SetUp {
  readonly run: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export type Order =
  | {
      readonly type: "prepare";
      readonly dialect: Dialect;
      readonly baseUrl: string;
      readonly key: string;
      readonly calls: number;
    }
  | { readonly type: "run"; readonly atOnce: number }
  | { readonly type: "close" };

export type Done =
  | { readonly type: "done"; readonly counts: Counts; readonly ms: readonly number[] }
  | { readonly type: "failed"; readonly why: string };
