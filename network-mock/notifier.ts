// Tells sinks what became of their resources: in order for each resource, tried again a few times.
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "./log.ts";

export interface Notification {
  readonly api: string;
  /** Notifications of one resource follow each other. */
  readonly resource: string;
  readonly url: string;
  readonly type: string;
  readonly body: unknown;
  readonly bearer?: string;
}

const TRIES = 3;
const PAUSE_MS = 250;
const LIMIT_MS = 5000;

/** Nothing a second try would change: taken, or refused for good. */
const isFinal = (status: number): boolean => status < 500 && status !== 429;

export class Notifier {
  readonly #log: Log;
  #stop = new AbortController();
  readonly #queues = new Map<string, Promise<void>>();
  /** Whoever answered 410 wants no more. */
  readonly #stopped = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  tell(notification: Notification): void {
    const { resource } = notification;
    const { signal } = this.#stop;
    const before = this.#queues.get(resource) ?? Promise.resolve();
    const sent = before.then(() => this.#send(notification, signal));
    this.#queues.set(resource, sent);
    void sent.then(() => {
      if (this.#queues.get(resource) === sent) this.#queues.delete(resource);
    });
  }

  /** When everything that was to be told has been told, or given up. */
  async settled(): Promise<void> {
    while (this.#queues.size > 0) await Promise.all(this.#queues.values());
  }

  stop(): void {
    this.#stop.abort();
  }

  /** What was to be told is told no more; what comes is. */
  clear(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#stopped.clear();
  }

  async #send(notification: Notification, signal: AbortSignal): Promise<void> {
    for (let tries = 1; tries <= TRIES && !signal.aborted; tries += 1) {
      if (this.#stopped.has(notification.resource)) return;
      const status = await this.#try(notification, signal);
      if (status === 410) this.#stopped.add(notification.resource);
      if (status !== undefined && isFinal(status)) return;
      if (tries < TRIES) await this.#pause(signal);
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    try {
      await delay(PAUSE_MS, undefined, { signal });
    } catch {
      // It is being stopped.
    }
  }

  async #try(
    { api, url, type, body, bearer }: Notification,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const entry = this.#log.begin({ way: "out", api, method: "POST", path: url, body });
    const headers = { "content-type": type };
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: bearer === undefined ? headers : { ...headers, authorization: `Bearer ${bearer}` },
        body: JSON.stringify(body),
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
      });
      entry.status = response.status;
      await response.body?.cancel();
      return response.status;
    } catch (fault) {
      entry.note = fault instanceof Error ? fault.name : "not sent";
      return undefined;
    }
  }
}
