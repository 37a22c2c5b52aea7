import { decode } from "../protocol/decode.ts";
import { managedServerOf } from "../protocol/managed-server.ts";
import type { FromPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import type { ManagedReply, ManagedServerCommands } from "./managed-sfu-commands.ts";
import { SessionHttp } from "./session-http.ts";

/** The managed media server of a session, if it has one: an object of its own speaks for it (see ManagedSfu). */
export abstract class SessionManaged extends SessionHttp implements ManagedServerCommands {
  async hear(message: FromPeer): Promise<ManagedReply> {
    const server = this.session && managedServerOf(this.session);
    if (!server) return { type: "problem", code: "session-not-found" };
    // What a managed SFU says of media is checked as what anybody says.
    const decoded = decode(JSON.stringify(message));
    if ("problem" in decoded) return { type: "problem", code: decoded.problem.code };
    const event = { type: "message", peer: server.id, ...decoded, at: Date.now() } as const;
    const result = this.stepBy(event);
    const refused = isProblem(result) ? result : result.problem;
    if (refused) return { type: "problem", code: refused.code };
    return { type: "ack", exchange: isProblem(result) ? undefined : result.ack?.exchange };
  }
}
