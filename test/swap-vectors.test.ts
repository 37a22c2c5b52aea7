import { reset } from "cloudflare:test";
import { afterAll, describe, expect, it } from "vitest";
import { DIALECTS, type SwapDialect } from "../protocol/swap/message.ts";
import { type Frame, type LiveEndpoint, LiveRealm } from "./live-realm.ts";
import { MODES } from "./live-session.ts";

/** The public vectors, played against a realm: all in every dialect, some between endpoints of two. */

interface Vector {
  readonly name: string;
  readonly promise: string;
  readonly descriptions: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

type Frames = Readonly<Partial<Record<SwapDialect, Frame>>>;
type Step = Frames & {
  readonly from?: string;
  readonly to?: string;
  readonly raw?: string;
  readonly quiet?: string;
  readonly close?: string;
  readonly waitMs?: number;
};

const VECTORS = Object.values(
  import.meta.glob("./vectors/swap/*.json", { eager: true, import: "default" }),
) as Vector[];

afterAll(() => reset());

class Play {
  readonly #vector: Vector;
  readonly #realm: LiveRealm;
  readonly #dialectOf: (name: string) => SwapDialect;
  readonly #endpoints = new Map<string, LiveEndpoint>();
  #server: string | undefined;

  constructor(vector: Vector, realm: LiveRealm, dialectOf: (name: string) => SwapDialect) {
    this.#vector = vector;
    this.#realm = realm;
    this.#dialectOf = dialectOf;
  }

  async run(): Promise<void> {
    for (const step of this.#vector.steps) await this.#take(step);
  }

  async #take({ from, to, raw, quiet, close, waitMs, ...frames }: Step): Promise<void> {
    if (from !== undefined) {
      const frame = raw ?? this.#named(frames[this.#dialectOf(from)]);
      await (await this.#endpoint(from)).send(frame);
    }
    if (to !== undefined) await this.#expect(to, this.#named(frames[this.#dialectOf(to)]));
    if (quiet !== undefined) expect((await this.#endpoint(quiet)).inbox).toEqual([]);
    if (close !== undefined) await this.#close(close);
    if (waitMs !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      await this.#realm.alarm();
    }
  }

  async #endpoint(name: string): Promise<LiveEndpoint> {
    const known = this.#endpoints.get(name);
    if (known) return known;
    const made = await this.#realm.connect(name, this.#dialectOf(name));
    this.#endpoints.set(name, made);
    return made;
  }

  async #close(name: string): Promise<void> {
    const { endpoints: before } = await this.#realm.view();
    (await this.#endpoint(name)).close();
    await this.#realm.has(before.length - 1);
  }

  /** The frame with the texts that it names. */
  #named(frame: Frame | undefined): Frame {
    const { descriptions } = this.#vector;
    return JSON.parse(JSON.stringify(frame), (_name, value: unknown) =>
      typeof value === "string" && Object.hasOwn(descriptions, value) ? descriptions[value] : value,
    ) as Frame;
  }

  async #expect(name: string, wanted: Frame): Promise<void> {
    const found = await (await this.#endpoint(name)).first(wanted.message_type);
    this.#compare(found, wanted);
  }

  /** All members and no more; placeholders stand for what no vector can know. */
  #compare(found: unknown, wanted: unknown): void {
    if (wanted === "$number") expect(found).toSatisfy(Number.isSafeInteger);
    else if (wanted === "$text") expect(found).toSatisfy((text: string) => text.length > 0);
    else if (wanted === "$server") {
      this.#server ??= String(found);
      expect(found).toBe(this.#server);
    } else if (typeof wanted === "object" && wanted !== null) {
      const names = Object.keys(wanted).toSorted();
      expect(Object.keys(found as object).toSorted()).toEqual(names);
      for (const name of names) {
        this.#compare((found as Frame)[name], (wanted as Frame)[name]);
      }
    } else expect(found).toBe(wanted);
  }
}

describe("the vectors", () => {
  it("are there", () => expect(VECTORS.length).toBeGreaterThan(25));

  for (const mode of MODES) {
    for (const dialect of DIALECTS) {
      it.concurrent.each(VECTORS)(`[M9] $name, ${dialect}, ${mode}: $promise`, (vector) =>
        new Play(vector, new LiveRealm(mode), () => dialect).run(),
      );
    }
  }

  const PAIRS = DIALECTS.flatMap((one) =>
    DIALECTS.filter((other) => other !== one).map((other) => [one, other] as const),
  );
  const mixed = VECTORS.filter(({ name }) => ["update", "close", "glare"].includes(name));
  it.concurrent.each(PAIRS)("[M9] alice in %s, the others in %s", async (one, other) => {
    for (const vector of mixed) {
      const dialectOf = (name: string) => (name === "alice" ? one : other);
      await new Play(vector, new LiveRealm(), dialectOf).run();
    }
  });
});
