// Loaded before a program (`--import`): notes each host that it would call, and lets it call none but this machine's.
import { appendFileSync } from "node:fs";
import { Socket } from "node:net";

const log = process.env.NETWORK_LOG ?? "";
const { connect } = Socket.prototype;

Socket.prototype.connect = function record(this: Socket, ...args: unknown[]): Socket {
  const [options] = args.flat() as [{ host?: string; path?: string } | undefined];
  const host = typeof options === "object" ? options.host : undefined;
  if (host === undefined || host === "127.0.0.1") return Reflect.apply(connect, this, args);
  appendFileSync(log, `${host}\n`);
  this.destroy(new Error(`no network: ${host}`));
  return this;
} as typeof connect;
