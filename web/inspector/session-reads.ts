import { errorOfResponse } from "../../client/duplex-error.ts";
import type { ContextRecord } from "../../protocol/context-messages.ts";
import type { FlowsView } from "../../protocol/flow.ts";
import type { DescriptionView, TimelineView } from "../../protocol/timeline/view.ts";
import type { RecordedFinding, SessionHead } from "./known.ts";

const ANSWER_MS = 15_000;

/** What an observer reads of its session. Each rejects with the server's problem. */
export class SessionReads {
  readonly #session: string;
  readonly #token: string;

  constructor(session: string, token: string) {
    this.#session = session;
    this.#token = token;
  }

  path(path: string): string {
    return `/v1/sessions/${encodeURIComponent(this.#session)}${path}`;
  }

  head(): Promise<SessionHead> {
    return this.#read("");
  }

  flows(): Promise<FlowsView> {
    return this.#read("/flows");
  }

  timeline(after: number): Promise<TimelineView> {
    return this.#read(`/timeline?after=${after}`);
  }

  descriptions(): Promise<{ readonly descriptions: readonly DescriptionView[] }> {
    return this.#read("/descriptions");
  }

  findings(): Promise<{ readonly findings: readonly RecordedFinding[] }> {
    return this.#read("/findings");
  }

  contexts(): Promise<{ readonly contexts: readonly ContextRecord[] }> {
    return this.#read("/contexts");
  }

  async #read<T>(path: string): Promise<T> {
    const response = await fetch(this.path(path), {
      headers: { authorization: `Bearer ${this.#token}` },
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok) throw await errorOfResponse(response);
    return (await response.json()) as T;
  }
}
