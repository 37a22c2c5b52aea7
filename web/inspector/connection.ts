import { backoffMs } from "../../client/backoff.ts";
import { DuplexError } from "../../client/duplex-error.ts";
import { Signalling } from "../../client/signalling.ts";
import type { Notice, SignallingState } from "../../client/signalling-listener.ts";
import type { Flow } from "../../protocol/flow.ts";
import type { Welcome } from "../../protocol/messages.ts";
import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import type { CallRecord } from "./record.ts";
import { SessionReads } from "./session-reads.ts";

/** Several things change at once: one question for all of them. */
const SETTLE_MS = 400;
/** Without a socket everything is asked for. */
const POLL_MS = 2_000;
/** Some causes are the passing of time: no entry tells of them. */
const UNSETTLED_MS = 5_000;
const SETTLED_MS = 20_000;
/** A socket that was refused is tried again: a place comes free, a deployment ends. */
const SOCKET_AGAIN = { firstMs: 5_000, mostMs: 60_000 };

const SESSION_ENDED = 4000;
const TOKEN_EXPIRED = 4003;

type Want = "timeline" | "texts" | "contexts";

/** What changes descriptions or findings. */
const TEXT_TYPES: ReadonlySet<string> = new Set([
  "offer",
  "answer",
  "reject",
  "rollback",
  "expired",
  "finding",
]);

/** What changes contexts, or what media servers make of them. */
const CONTEXT_TYPES: ReadonlySet<string> = new Set(["answer", "flow", "steered", "context"]);

export type Liveness = SignallingState | "ended" | "refused";

/** What the page around it is told. */
export interface ConnectionPage {
  state(state: Liveness, words: string): void;
}

/** Keeps a record up to date: what changes comes by the socket of an observer, the rest is read when it matters. */
export class Connection {
  readonly #token: string;
  readonly #record: CallRecord;
  readonly #page: ConnectionPage;
  readonly #reads: SessionReads;
  #signalling: Signalling | undefined;
  #isLive = false;
  #isOver = false;
  #isOpening = false;
  /** Sockets that were refused one after the other, and when the next is tried. */
  #refusals = 0;
  #socketAt = 0;
  /** Questions that failed one after the other. */
  #failures = 0;
  readonly #wanted = new Set<Want>();
  #due: ReturnType<typeof setTimeout> | undefined;
  #next: ReturnType<typeof setTimeout> | undefined;

  constructor(session: string, token: string, record: CallRecord, page: ConnectionPage) {
    this.#token = token;
    this.#record = record;
    this.#page = page;
    this.#reads = new SessionReads(session, token);
  }

  /** Reads what is there. Rejects with the server's problem. */
  async read(): Promise<void> {
    try {
      this.#record.takeSession(await this.#reads.head());
      await Promise.all([this.#readFlows(), this.#readTimeline(), this.#readTexts()]);
    } catch (fault) {
      this.#isOver = true;
      throw fault;
    }
  }

  /** Follows on from there: by the socket, or without one, by asking time and again. */
  async follow(): Promise<void> {
    this.#pollSoon();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#want("timeline");
    });
    await this.#openSocket();
  }

  async #openSocket(): Promise<void> {
    if (this.#isOpening || this.#isOver) return;
    this.#isOpening = true;
    try {
      const url = new URL(`${this.#reads.path("/signalling")}?timeline=true`, location.href).href;
      const opened = await Signalling.open({ url, token: this.#token, flowRecords: "full" });
      this.#take(opened.signalling, opened.welcome);
    } catch (fault) {
      this.#socketAt = Date.now() + backoffMs(this.#refusals, SOCKET_AGAIN);
      this.#refusals += 1;
      if (!this.#isFinal(fault)) this.#tell("reconnecting", "No socket: asking every few seconds");
    } finally {
      this.#isOpening = false;
    }
  }

  #take(signalling: Signalling, welcome: Welcome): void {
    if (this.#isOver) {
      signalling.close("over");
      return;
    }
    this.#refusals = 0;
    this.#signalling = signalling;
    this.#welcome(welcome);
    signalling.listen({
      welcome: (again) => this.#welcome(again),
      notice: (frame) => this.#notice(frame),
      state: (state) => this.#tell(state),
      closed: ({ code, reason, problem }) => {
        if (!this.#isFinal(problem)) this.#end(code, reason);
      },
    });
    this.#tell("connected");
  }

  async #readFlows(): Promise<void> {
    this.#record.takeFlows(await this.#reads.flows());
  }

  async #readTimeline(): Promise<void> {
    const read = await this.#reads.timeline(this.#record.readUpTo);
    this.#failures = 0;
    this.#follow(this.#record.takeTimeline(read));
  }

  async #readTexts(): Promise<void> {
    const [{ descriptions }, { findings }] = await Promise.all([
      this.#reads.descriptions(),
      this.#reads.findings(),
    ]);
    this.#record.takeDescriptions(descriptions);
    this.#record.takeFindings(findings);
  }

  /** Only media servers have contexts. */
  async #readContexts(): Promise<void> {
    if (![...this.#record.peers.values()].some(({ role }) => role === "media-server")) return;
    this.#record.takeContexts((await this.#reads.contexts()).contexts);
  }

  #welcome(welcome: Welcome): void {
    this.#record.takePeers([welcome.peer, ...welcome.peers]);
    this.#record.takeFlows(welcome.flows as { flows: Flow[] } & Welcome["flows"]);
    // While the socket was away entries were not told.
    this.#want("timeline");
    this.#want("texts");
    this.#want("contexts");
  }

  #notice(frame: Notice): void {
    switch (frame.type) {
      case "timeline": {
        const fresh = this.#record.takeEntries(frame.entries);
        this.#follow(fresh);
        // Verdicts are read, not told.
        const isNews = ({ type }: TimelineEntry) => type !== "candidates" && type !== "steered";
        if (fresh.some(isNews)) this.#want("timeline");
        return;
      }
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
  #follow(fresh: readonly TimelineEntry[]): void {
    if (fresh.some(({ type }) => TEXT_TYPES.has(type))) this.#want("texts");
    if (fresh.some(({ type }) => CONTEXT_TYPES.has(type))) this.#want("contexts");
  }

  #want(what: Want): void {
    if (this.#isOver) return;
    this.#wanted.add(what);
    this.#due ??= setTimeout(
      () => {
        this.#due = undefined;
        this.#fetchWanted();
      },
      this.#failures === 0 ? SETTLE_MS : this.#patienceMs,
    );
  }

  /** What does not come is wanted still. */
  #fetchWanted(): void {
    const reads: Readonly<Record<Want, () => Promise<void>>> = {
      timeline: () => this.#readTimeline(),
      texts: () => this.#readTexts(),
      contexts: () => this.#readContexts(),
    };
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    for (const what of this.#isOver ? [] : wanted) {
      reads[what]().catch((fault: unknown) => {
        this.#failed(fault);
        this.#want(what);
      });
    }
  }

  /** Until the next question after those that failed. */
  get #patienceMs(): number {
    return Math.min(SETTLED_MS, POLL_MS * 2 ** Math.min(this.#failures, 8));
  }

  get #pollMs(): number {
    if (!this.#isLive) return this.#failures === 0 ? POLL_MS : this.#patienceMs;
    const unsettled = this.#record.verdicts.some(
      ({ state }) => state !== "working" && state !== "over",
    );
    return unsettled ? UNSETTLED_MS : SETTLED_MS;
  }

  #pollSoon(): void {
    clearTimeout(this.#next);
    if (!this.#isOver) this.#next = setTimeout(() => this.#poll(), this.#pollMs);
  }

  /** Nobody looks at a hidden page: the session's object is left asleep. */
  #poll(): void {
    const work = document.visibilityState === "visible" ? this.#ask() : Promise.resolve();
    work.catch((fault: unknown) => this.#failed(fault)).finally(() => this.#pollSoon());
  }

  async #ask(): Promise<void> {
    const isDue = this.#signalling === undefined && Date.now() >= this.#socketAt;
    if (isDue) this.#openSocket().catch(reportError);
    await this.#readTimeline();
    if (this.#isLive) return;
    // Who is there is newer than what entries say of it.
    this.#record.takeSession(await this.#reads.head());
    await this.#readFlows();
  }

  /** A question that failed is asked again, later and later, unless it would fail for ever. */
  #failed(fault: unknown): void {
    this.#failures += 1;
    this.#isFinal(fault);
  }

  /** The session is gone, or the token is of no use any more: that ends it. */
  #isFinal(fault: unknown): boolean {
    if (!(fault instanceof DuplexError)) return false;
    const isGone = fault.code === "session-not-found";
    if (isGone) this.#end(SESSION_ENDED, fault.code);
    else if (fault.status === 401 || fault.status === 403) this.#end(TOKEN_EXPIRED, fault.code);
    else return false;
    return true;
  }

  #tell(state: SignallingState, words = "Reconnecting…"): void {
    if (this.#isOver || state === "closed") return;
    this.#isLive = state === "connected";
    this.#page.state(state, this.#isLive ? "Live" : words);
    this.#pollSoon();
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#next);
    clearTimeout(this.#due);
    this.#signalling?.close("over");
    const isGone = code === SESSION_ENDED;
    this.#record.end(isGone);
    const words = WORDS[code] ?? `The server closed the connection: ${reason}.`;
    this.#page.state(isGone ? "ended" : "refused", words);
  }
}

const WORDS: Readonly<Record<number, string>> = {
  4000: "The session is over. What is shown stays until you close this page.",
  4001: "Another page looks on with the same token; this one is not told any more.",
  4002: "The observer was removed from the session.",
  4003: "The observer's token is not valid any more: it has expired, or the observer was removed. Load the page again with a new one.",
};
