import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { expect, vi } from "vitest";
import { WEBHOOK_EVENTS, type WebhookEvent } from "../protocol/webhooks/event.ts";

/** Stands in for the back ends that webhooks are sent to: each request is checked as Standard Webhooks say. */

export const SECRETS = [`whsec_${btoa("a".repeat(32))}`, `whsec_${btoa("b".repeat(32))}`] as const;

/** What a receiver answers: a status, with headers; nothing for ever; or no connection. */
export type Answer =
  | number
  | { status: number; headers: Record<string, string> }
  | "silent"
  | "down";

export interface Got {
  readonly id: string;
  readonly event: WebhookEvent;
  readonly taken: boolean;
}

const variables = env as unknown as Record<string, unknown>;

export class StandInReceiver {
  readonly url: string;
  /** One for each request; afterwards `always`. */
  readonly script: Answer[] = [];
  always: Answer = 200;
  readonly got: Got[] = [];
  /** What was taken is not answered until `release`. */
  isHolding = false;
  /** At a time. */
  underWay = 0;
  mostUnderWay = 0;

  constructor(url: string) {
    this.url = url;
  }

  async answer(request: Request, signal?: AbortSignal | null): Promise<Response> {
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      return await this.#answer(request, signal);
    } finally {
      this.underWay -= 1;
    }
  }

  async #answer(request: Request, signal?: AbortSignal | null): Promise<Response> {
    const answer = this.script.shift() ?? this.always;
    if (answer === "down") throw new TypeError("no connection");
    const body = await request.text();
    const headers = Object.fromEntries(request.headers);
    // Whoever knows one of the secrets can check it.
    for (const secret of SECRETS) new Webhook(secret).verify(body, headers);
    expect(request.method).toBe("POST");
    expect(request.redirect).toBe("manual");
    const event = JSON.parse(body) as WebhookEvent;
    WEBHOOK_EVENTS[event.type].strict().parse(event);
    const status =
      typeof answer === "number" ? answer : typeof answer === "object" ? answer.status : 0;
    const taken = status >= 200 && status < 300;
    this.got.push({ id: headers["webhook-id"] ?? "", event, taken });
    // Each waits by itself: a promise of one object may not be settled by another.
    while (this.isHolding) await new Promise((resolve) => setTimeout(resolve, 2));
    if (answer === "silent") {
      while (!signal?.aborted) await new Promise((resolve) => setTimeout(resolve, 2));
      throw signal.reason;
    }
    const more = typeof answer === "object" ? { headers: answer.headers } : {};
    return new Response(status === 204 ? null : "thank you", { status, ...more });
  }

  release(): void {
    this.isHolding = false;
  }

  /** As a back end keeps it: each event once, in the order in which they came. */
  history(session: string): WebhookEvent[] {
    const seen = new Set<string>();
    return this.got.flatMap(({ id, event, taken }) => {
      if (!taken || event.data.session !== session || seen.has(id)) return [];
      seen.add(id);
      return [event];
    });
  }

  /** The events of a session so far, which have to be all from the first on, in order. */
  types(session: string): string[] {
    const events = this.history(session);
    expect(events.map(({ data }) => data.sequence)).toEqual(events.map((_, index) => index + 1));
    return events.map(({ type }) => type);
  }

  /** Waits until so many events of a session were taken, or until the newest is of a type. */
  async until(session: string, wanted: number | WebhookEvent["type"]): Promise<string[]> {
    await vi.waitFor(
      () => {
        const types = this.types(session);
        if (typeof wanted === "number")
          expect(types.length, types.join()).toBeGreaterThanOrEqual(wanted);
        else expect(types.at(-1), types.join()).toBe(wanted);
      },
      { timeout: 5_000, interval: 5 },
    );
    return this.types(session);
  }
}

/** Gives the deployment these receivers; whatever else is asked over the network fails the test. */
export function configureReceivers(...receivers: readonly StandInReceiver[]): void {
  variables.WEBHOOK_URLS = receivers.map(({ url }) => url).join(",");
  variables.WEBHOOK_SECRETS = SECRETS.join(",");
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    const request = new Request(input, init);
    const receiver = receivers.find(({ url }) => url === request.url);
    if (!receiver) throw new Error(`[A5] asked ${request.url}`);
    return receiver.answer(request, init?.signal);
  });
}

export function forgetReceivers(): void {
  delete variables.WEBHOOK_URLS;
  delete variables.WEBHOOK_SECRETS;
  vi.unstubAllGlobals();
}
