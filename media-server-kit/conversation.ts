import { FROM_PEER, type FromPeer, type ToPeer } from "../protocol/messages.ts";

/** What went through the proxy, in its order. */

interface FrameHead {
  readonly atMs: number;
  /** Number of the socket, from 1. */
  readonly socket: number;
}

/** What the media server was told. */
export interface Told extends FrameHead {
  readonly message: ToPeer;
}

/** What it said; `fault` where that is no message of the protocol. */
export interface Said extends FrameHead {
  readonly message: FromPeer;
  readonly fault: string | undefined;
}

type ToldMessage<T extends ToPeer["type"]> = Extract<ToPeer, { type: T }>;
type SaidMessage<T extends FromPeer["type"]> = Extract<FromPeer, { type: T }>;

export class Conversation {
  readonly told: Told[] = [];
  readonly said: Said[] = [];
  /** When each of its sockets was opened, and the query of its address. */
  readonly sockets: { readonly atMs: number; readonly query: string }[] = [];

  hear(message: FromPeer, socket: number): void {
    this.said.push({ atMs: performance.now(), socket, message, fault: faultOf(message) });
  }

  tell(message: ToPeer, socket: number): void {
    this.told.push({ atMs: performance.now(), socket, message });
  }

  toldOf<T extends ToPeer["type"]>(
    type: T,
    sinceMs = 0,
  ): { readonly atMs: number; readonly socket: number; readonly message: ToldMessage<T> }[] {
    return this.told.flatMap(({ atMs, socket, message }) =>
      message.type === type && atMs > sinceMs
        ? [{ atMs, socket, message: message as ToldMessage<T> }]
        : [],
    );
  }

  saidOf<T extends FromPeer["type"]>(
    type: T,
    sinceMs = 0,
  ): { readonly atMs: number; readonly socket: number; readonly message: SaidMessage<T> }[] {
    return this.said.flatMap(({ atMs, socket, message }) =>
      message.type === type && atMs > sinceMs
        ? [{ atMs, socket, message: message as SaidMessage<T> }]
        : [],
    );
  }
}

function faultOf(message: FromPeer): string | undefined {
  const schema = Object.hasOwn(FROM_PEER, message.type) ? FROM_PEER[message.type] : undefined;
  if (schema === undefined) {
    // Answered by the runtime, without a message of the protocol.
    return (message.type as string) === "ping" ? undefined : `no message of type ${message.type}`;
  }
  const read = schema.safeParse(message);
  if (read.success) return undefined;
  const [issue] = read.error.issues;
  return `${message.type}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`;
}
