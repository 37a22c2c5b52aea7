import { DurableObject } from "cloudflare:workers";
import { CloudflareRealtime } from "../adapters/cloudflare-realtime.ts";
import { ManagedMediaServer } from "../adapters/managed-media-server.ts";
import type { MediaServerPort } from "../adapters/media-server-port.ts";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import { deploymentConfig } from "./deployment-config.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";
import { neverGivenUp } from "./last-try.ts";
import { type ManagedMemory, ManagedRow } from "./managed-row.ts";
import {
  type ManagedReply,
  type ManagedSfuCommands,
  sessionOfManaged,
} from "./managed-sfu-commands.ts";

/** Tries to say something: a session that is moved or deployed fails once. */
const TRIES = 3;

const GONE: ManagedReply = { type: "problem", code: "session-not-found" };

/** The media server of one session whose media a managed SFU carries. Its name is the session's id. */
export class ManagedSfu extends DurableObject<Bindings> implements ManagedSfuCommands {
  readonly #row: ManagedRow;
  #memory: ManagedMemory | undefined;
  #server: ManagedMediaServer | undefined;
  #alarmAt: number | null = null;
  /** What has changed is written once, however often that was, and before the SFU is asked anything. */
  #keepsSoon: ReturnType<typeof setTimeout> | undefined;
  /** The newest message to the session: the next one waits for its reply. */
  #said: Promise<unknown> = Promise.resolve();

  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env);
    this.#row = new ManagedRow(state.storage);
    void state.blockConcurrencyWhile(async () => {
      this.#alarmAt = await state.storage.getAlarm();
    });
  }

  async take(session: string, messages: readonly ToPeer[]): Promise<boolean> {
    const server = this.#awake() ?? this.#begin(session);
    if (!server) return false;
    for (const message of messages) server.take(message);
    // What the session takes for told may not be lost.
    this.#keep();
    this.#follow(server);
    return true;
  }

  async end(): Promise<void> {
    const server = this.#awake();
    if (server) this.#end(server);
    // Without a configuration there is nobody to close anything.
    else await this.#erase();
  }

  override alarm(info?: AlarmInvocationInfo): Promise<void> {
    return neverGivenUp(this.ctx, info, () => this.#ring());
  }

  async #ring(): Promise<void> {
    this.#alarmAt = null;
    const server = this.#awake();
    if (!server) return;
    server.wake();
    await this.#settle(server);
  }

  /** The media server as it is, or made anew from its row. */
  #awake(): ManagedMediaServer | undefined {
    if (this.#server) return this.#server;
    this.#memory = this.#row.read();
    if (!this.#memory) return undefined;
    const server = this.#make(this.#memory);
    server?.wake();
    if (server) this.#follow(server);
    return server;
  }

  #begin(session: string): ManagedMediaServer | undefined {
    return this.#make({ session, isOver: false });
  }

  #make(memory: ManagedMemory): ManagedMediaServer | undefined {
    const { mediaBackend } = deploymentConfig(this.env);
    if (mediaBackend.provider === "none") return undefined;
    const backend = new CloudflareRealtime(mediaBackend, {
      fetch: (url, init) => {
        this.#keep();
        return fetch(url, init);
      },
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
    this.#memory = memory;
    this.#server = new ManagedMediaServer(this.#port(memory), backend, memory.state);
    return this.#server;
  }

  #port(memory: ManagedMemory): MediaServerPort {
    return {
      now: () => Date.now(),
      send: (message) => this.#send(memory, message),
      keep: () => {
        this.#keepsSoon ??= setTimeout(() => this.#keep(), 0);
      },
    };
  }

  #keep(): void {
    if (this.#keepsSoon !== undefined) clearTimeout(this.#keepsSoon);
    this.#keepsSoon = undefined;
    if (!this.#server || !this.#memory) return;
    this.#row.write({ ...this.#memory, state: this.#server.state });
    const { deadline } = this.#server;
    // Never put off: one that finds nothing due sets the next, and costs less than a row.
    if (deadline === undefined || deadline >= (this.#alarmAt ?? Number.POSITIVE_INFINITY)) return;
    this.#alarmAt = deadline;
    void this.ctx.storage.setAlarm(deadline);
  }

  #send(memory: ManagedMemory, message: FromPeer): Promise<ManagedReply> {
    const turn = this.#said.then(() => this.#say(memory, message));
    this.#said = turn;
    return turn;
  }

  async #say(memory: ManagedMemory, message: FromPeer): Promise<ManagedReply> {
    for (let tries = 1; !memory.isOver; tries++) {
      try {
        const reply = await sessionOfManaged(this.env, memory.session).hear(message);
        const isGone = reply.type === "problem" && reply.code === "session-not-found";
        // It has ended without a word that got here.
        if (isGone && this.#server) this.#end(this.#server);
        return reply;
      } catch (thrown) {
        if (tries === TRIES) return { type: "problem", code: `fault ${report(thrown)}` };
      }
    }
    return GONE;
  }

  #end(server: ManagedMediaServer): void {
    if (this.#memory) this.#memory.isOver = true;
    server.end();
    this.#keep();
    this.#follow(server);
  }

  #follow(server: ManagedMediaServer): void {
    this.ctx.waitUntil(this.#settle(server));
  }

  async #settle(server: ManagedMediaServer): Promise<void> {
    await server.settled();
    const { links, cleanups } = server.state;
    const isDone = Object.keys(links).length === 0 && cleanups.length === 0;
    if (this.#memory?.isOver && isDone && this.#server === server) await this.#erase();
  }

  async #erase(): Promise<void> {
    this.#server = undefined;
    this.#memory = undefined;
    this.#alarmAt = null;
    this.#row.forget();
    await this.ctx.storage.deleteAll();
  }
}
