import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import { dueReports } from "./context-outcome.ts";
import { LinkOperations } from "./link-operations.ts";
import { leaveAll, sweep, take } from "./managed-intake.ts";
import { type Cleanup, emptyState, type ManagedLink, type ManagedState } from "./managed-state.ts";
import { FAULT, type MediaBackend, MediaBackendFault } from "./media-backend.ts";
import type { MediaServerPort } from "./media-server-port.ts";
import { deadlinesOf, nextOperation } from "./next-operation.ts";
import { Setbacks } from "./setbacks.ts";

const CLEANUP_PAUSE_MS = 2000;
const LONGEST_CLEANUP_PAUSE_MS = 60_000;
/** More than an hour: by then nobody sends to the session any more. */
const MOST_CLEANUPS = 64;

/**
 * A media server of a `central` session whose media a managed SFU carries: reads what the session tells a media
 * server, makes calls of the SFU of it, and answers as a media server does.
 *
 * It remembers nothing but its state, which is JSON. Made anew from it, it goes on; a call that was under way then
 * counts as lost. What is to be done is not queued but follows from the state (`nextOperation`).
 */
export class ManagedMediaServer {
  readonly #state: ManagedState;
  readonly #backend: MediaBackend;
  readonly #port: MediaServerPort;
  readonly #operations: LinkOperations;
  /** Loops that are running: by peer, or by session for cleanups. */
  readonly #running = new Map<string, Promise<void>>();
  #lookedAt = 0;

  /** `state`: of the object before this one. */
  constructor(port: MediaServerPort, backend: MediaBackend, state: ManagedState = emptyState()) {
    this.#state = state;
    this.#backend = backend;
    this.#port = port;
    this.#operations = new LinkOperations(state, backend, port);
    const setbacks = new Setbacks(state, port);
    for (const link of Object.values(state.links)) recover(link, setbacks);
  }

  get state(): ManagedState {
    return this.#state;
  }

  /** When `wake` has to be called, in milliseconds since 1970; undefined when nothing is due. */
  get deadline(): number | undefined {
    // What was due before has been looked at: it waits for something else.
    const deadlines = deadlinesOf(this.#state).filter((at) => at > this.#lookedAt);
    return deadlines.length > 0 ? Math.min(...deadlines) : undefined;
  }

  /** A message of the session. What it brings about goes on when this has returned: see `settled`. */
  take(message: ToPeer): void {
    if (message.type === "probe") this.#say({ type: "alive", n: message.n });
    take(this.#state, message, this.#port.now());
    this.#goOn();
  }

  /** Something may be due, or the object was made anew. */
  wake(): void {
    sweep(this.#state, this.#port.now());
    this.#goOn();
  }

  /** The session is over: what it has at the SFU is closed. */
  end(): void {
    leaveAll(this.#state, this.#port.now());
    this.#goOn();
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #goOn(): void {
    this.#lookedAt = this.#port.now();
    for (const report of dueReports(this.#state)) this.#say(report);
    this.#port.keep(this.#state);
    for (const peer of Object.keys(this.#state.links)) this.#start(`link ${peer}`, peer);
    for (const cleanup of this.#state.cleanups) {
      if (cleanup.at <= this.#lookedAt) this.#clean(cleanup);
    }
  }

  /** Nothing depends on the reply. */
  #say(message: FromPeer): void {
    this.#port.send(message).catch(() => undefined);
  }

  #start(name: string, peer: string): void {
    if (this.#running.has(name)) return;
    const link = this.#state.links[peer];
    if (!link || !nextOperation(this.#state, link, this.#lookedAt)) return;
    this.#running.set(name, this.#loop(name, peer));
  }

  async #loop(name: string, peer: string): Promise<void> {
    // What starts the loop has to have noted it first.
    await Promise.resolve();
    for (;;) {
      const link = this.#state.links[peer];
      const operation = link && nextOperation(this.#state, link, this.#lookedAt);
      if (!link || !operation) break;
      link.calling = operation.type;
      this.#port.keep(this.#state);
      await this.#operations.perform(link, operation);
      link.calling = undefined;
      this.#goOn();
    }
    this.#running.delete(name);
  }

  #clean(cleanup: Cleanup): void {
    const name = `session ${cleanup.session}`;
    if (!this.#running.has(name)) this.#running.set(name, this.#sweepUp(name, cleanup));
  }

  async #sweepUp(name: string, cleanup: Cleanup): Promise<void> {
    let isDone = false;
    try {
      await this.#backend.close(cleanup.session, "all");
      isDone = true;
    } catch (thrown) {
      isDone = thrown instanceof MediaBackendFault && thrown.code === FAULT.gone;
    }
    cleanup.attempts += 1;
    const pauseMs = CLEANUP_PAUSE_MS * 2 ** cleanup.attempts;
    cleanup.at = this.#port.now() + Math.min(pauseMs, LONGEST_CLEANUP_PAUSE_MS);
    const { cleanups } = this.#state;
    const isOver = isDone || cleanup.attempts >= MOST_CLEANUPS;
    if (isOver) cleanups.splice(cleanups.indexOf(cleanup), 1);
    this.#running.delete(name);
    this.#goOn();
  }
}

/** Goes on after a call whose end nobody knows. */
function recover(link: ManagedLink, setbacks: Setbacks): void {
  const { calling } = link;
  link.calling = undefined;
  const isFirst = (calling === "publish" || calling === "play") && !link.established;
  // The other calls do no harm when they are made again.
  if (isFirst || calling === "pull") setbacks.renew(link);
}
