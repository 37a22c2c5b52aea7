import type { ProblemCode } from "../protocol/problem.ts";
import type { Peer } from "../protocol/session.ts";
import { type Attachment, allowancesLeft, attachmentOf } from "./attachment.ts";
import { SessionTurns } from "./session-turns.ts";

/** How peers are lost: their sockets close, are silent, or are not read. Each may come back (S5). */
export abstract class SessionLosses extends SessionTurns {
  protected override lose(
    peer: string,
    last: readonly Attachment[] = [],
    code?: ProblemCode,
  ): void {
    const { session } = this;
    if (!session) return;
    const at = Date.now();
    const remembered = [...this.sockets.remembered(peer), ...last];
    if (last.length > 0) this.recall(session, last);
    const allowances = allowancesLeft(remembered, at);
    const why = { ...(allowances && { allowances }), ...(code && { code }) };
    const lost = { type: "lost", peer, ...why, at } as const;
    this.turn(lost, this.apartIn(remembered));
  }

  protected override cutOffDeaf(): void {
    for (const ws of this.sockets.liveness.takeDeaf()) this.cutOff(ws, "not reading");
  }

  protected override cutOff(ws: WebSocket, reason: string): void {
    if (ws.readyState !== WebSocket.OPEN) return;
    this.sockets.cutOff(ws, reason);
    this.loseSocket(ws);
  }

  protected override loseSocket(ws: WebSocket, code?: ProblemCode): void {
    const last = attachmentOf(ws);
    this.sockets.liveness.letGo(ws);
    // The runtime does not list a socket that its client closed: what it remembers may be news.
    const { session } = this;
    if (session && last.connection > 0) this.recall(session, [last]);
    const isNewest = this.session?.peers.get(last.peer)?.connection === last.connection;
    if (isNewest) this.lose(last.peer, [last], code);
    this.sockets.letGo(ws);
  }

  /** A transport to this peer is said not to work. */
  protected doubt(peer: Peer, at: number): void {
    this.sockets.doubt(peer, at);
    this.setAlarmOfDoubts();
  }
}
