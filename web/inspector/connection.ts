import { DuplexError, errorOfResponse } from "../../client/duplex-error.ts";
import { Signalling } from "../../client/signalling.ts";
import type { Notice, SignallingState } from "../../client/signalling-listener.ts";
import type { Flow, FlowsView } from "../../protocol/flow.ts";
import type { Welcome } from "../../protocol/messages.ts";
import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import type { DescriptionView, TimelineView } from "../../protocol/timeline/view.ts";
import type { CallRecord, RecordedFinding, SessionHead } from "./record.ts";

/** Several things change at once: one question for all of them. */
const SETTLE_MS = 400;
/** While no entry came by the socket, they are asked for. */
const POLL_MS = 2_000;
/** Some causes are the passing of time: no entry tells of them. */
const UNSETTLED_MS = 5_000;
const SETTLED_MS = 20_000;
const ANSWER_MS = 15_000;

/** What changes descriptions or findings. */
const TEXT_TYPES: ReadonlySet<string> = new Set([
  "offer",
  "answer",
  "reject",
  "rollback",
  "expired",
  "finding",
]);

export type Liveness = SignallingState | "ended" | "refused";

/** What the page around it is told. */
export interface ConnectionPage {
  state(state: Liveness, words: string): void;
}

/** Keeps a record up to date: what changes comes by the socket of an observer, the rest is read when it matters. */
export class Connection {
  readonly #session: string;
  readonly #token: string;
  readonly #record: CallRecord;
  readonly #page: ConnectionPage;
  #signalling: Signalling | undefined;
  #isOver = false;
  #hasTimelineSocket = false;
  #wanted = new Set<"timeline" | "texts">();
  #due: ReturnType<typeof setTimeout> | undefined;
  #next: ReturnType<typeof setTimeout> | undefined;

  constructor(session: string, token: string, record: CallRecord, page: ConnectionPage) {
    this.#session = session;
    this.#token = token;
    this.#record = record;
    this.#page = page;
  }

  /** Reads what is there. Rejects with the server's problem. */
  async read(): Promise<void> {
    this.#record.takeSession(await this.#read<SessionHead>(""));
    await Promise.all([this.#readFlows(), this.#readTimeline(), this.#readTexts()]);
  }

  /** Follows on from there: by the socket, or without one, by asking time and again. */
  async follow(): Promise<void> {
    this.#pollSoon();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#want("timeline");
    });
    try {
      await this.#openSocket();
    } catch (fault) {
      this.#page.state("reconnecting", "No socket: asking every few seconds");
      this.#failed(fault);
    }
  }

  async #openSocket(): Promise<void> {
    const url = new URL(`${this.#path("/signalling")}?timeline=true`, location.href).href;
    const { signalling, welcome } = await Signalling.open({
      url,
      token: this.#token,
      flowRecords: "full",
    });
    this.#signalling = signalling;
    this.#welcome(welcome);
    signalling.listen({
      welcome: (again) => this.#welcome(again),
      notice: (frame) => this.#notice(frame),
      state: (state) => this.#tell(state),
      closed: ({ code, reason }) => this.#closed(code, reason),
    });
    this.#tell("connected");
  }

  async #readFlows(): Promise<void> {
    this.#record.takeFlows(await this.#read<FlowsView>("/flows"));
  }

  async #readTimeline(): Promise<void> {
    const { newest } = this.#record;
    this.#record.takeTimeline(await this.#read<TimelineView>(`/timeline?after=${newest}`));
  }

  async #readTexts(): Promise<void> {
    const [{ descriptions }, { findings }] = await Promise.all([
      this.#read<{ descriptions: DescriptionView[] }>("/descriptions"),
      this.#read<{ findings: RecordedFinding[] }>("/findings"),
    ]);
    this.#record.takeDescriptions(descriptions);
    this.#record.takeFindings(findings);
  }

  #path(path: string): string {
    return `/v1/sessions/${encodeURIComponent(this.#session)}${path}`;
  }

  async #read<T>(path: string): Promise<T> {
    const response = await fetch(this.#path(path), {
      headers: { authorization: `Bearer ${this.#token}` },
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok) throw await errorOfResponse(response);
    return (await response.json()) as T;
  }

  #welcome(welcome: Welcome): void {
    this.#record.takePeers([welcome.peer, ...welcome.peers]);
    this.#record.takeFlows(welcome.flows as { flows: Flow[] } & Welcome["flows"]);
    // While the socket was away entries were not told.
    this.#want("timeline");
    this.#want("texts");
  }

  #notice(frame: Notice): void {
    switch (frame.type) {
      case "timeline":
        this.#hasTimelineSocket = true;
        this.#record.takeEntries(frame.entries, frame.newest);
        this.#follow(frame.entries);
        return;
      case "peer-joined":
        this.#record.takePeer(frame.peer);
        return;
      case "peer-left":
        this.#record.lose(frame.peer);
        this.#want("timeline");
        return;
      case "flows":
        this.#record.takeFlows({
          flows: frame.changed as Flow[],
          transports: frame.transports,
        });
        return;
      default:
    }
  }

  /** Entries say what else has changed. */
  #follow(entries: readonly TimelineEntry[]): void {
    const types = new Set<string>(entries.map(({ type }) => type));
    if ([...types].some((type) => TEXT_TYPES.has(type))) this.#want("texts");
    types.delete("candidates");
    types.delete("steered");
    // Verdicts are read, not told.
    if (types.size > 0) this.#want("timeline");
  }

  #want(what: "timeline" | "texts"): void {
    this.#wanted.add(what);
    if (this.#due !== undefined) return;
    this.#due = setTimeout(() => {
      this.#due = undefined;
      this.#fetchWanted().catch((fault: unknown) => this.#failed(fault));
    }, SETTLE_MS);
  }

  async #fetchWanted(): Promise<void> {
    if (this.#isOver) return;
    const wanted = this.#wanted;
    this.#wanted = new Set();
    await Promise.all([
      wanted.has("timeline") && this.#readTimeline(),
      wanted.has("texts") && this.#readTexts(),
    ]);
  }

  #pollSoon(): void {
    clearTimeout(this.#next);
    if (this.#isOver) return;
    const unsettled = this.#record.verdicts.some(
      ({ state }) => state !== "working" && state !== "over",
    );
    const settledMs = unsettled ? UNSETTLED_MS : SETTLED_MS;
    this.#next = setTimeout(() => this.#poll(), this.#hasTimelineSocket ? settledMs : POLL_MS);
  }

  /** Nobody looks at a hidden page: the session's object is left asleep. */
  #poll(): void {
    const work = document.visibilityState === "visible" ? this.#ask() : Promise.resolve();
    work.catch((fault: unknown) => this.#failed(fault)).finally(() => this.#pollSoon());
  }

  async #ask(): Promise<void> {
    const before = this.#record.newest;
    await this.#readTimeline();
    if (this.#signalling === undefined) await this.#readFlows();
    if (this.#hasTimelineSocket) return;
    const fresh = this.#record.entries.filter(({ n }) => n > before);
    if (fresh.some(({ type }) => TEXT_TYPES.has(type))) this.#want("texts");
  }

  /** A question that failed is asked again; a session that is gone is over. */
  #failed(fault: unknown): void {
    if (fault instanceof DuplexError && fault.code === "session-not-found") {
      this.#closed(4000, "session-ended");
    }
  }

  #tell(state: SignallingState): void {
    if (!this.#isOver && state !== "closed") {
      this.#page.state(state, state === "connected" ? "Live" : "Reconnecting…");
    }
  }

  #closed(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#next);
    this.#signalling?.close("over");
    if (code === 4000 || reason === "session-not-found") {
      this.#page.state(
        "ended",
        "The session is over. What is shown stays until you close this page.",
      );
    } else
      this.#page.state("refused", WORDS[code] ?? `The server closed the connection: ${reason}.`);
  }
}

const WORDS: Readonly<Record<number, string>> = {
  4001: "Another page looks on with the same token; this one is not told any more.",
  4002: "The observer was removed from the session.",
  4003: "The observer's token has expired. Load the page again with a new one.",
};
