import type { Flow, FlowsView } from "../protocol/flow.ts";
import type { FlowChange, FlowFilter } from "../protocol/flow-query.ts";
import { filterFlows } from "../protocol/flows/filter.ts";
import type { PeerView } from "../protocol/messages.ts";
import { isProblem, type Problem, problem } from "../protocol/problem.ts";
import { newSession, type Session } from "../protocol/session.ts";
import type { SessionConfig } from "../protocol/session-config.ts";
import { findFlow } from "../protocol/steering.ts";
import { type SessionView, viewFlows, viewPeer, viewSession } from "../protocol/views.ts";
import type { Asker, LinkFinding, SessionCommands } from "./session-commands.ts";
import { SessionSockets } from "./session-sockets.ts";
import { sessionNotFound } from "./session-turns.ts";

/** One session: its sockets (see SessionSockets) and what the Worker asks of it over RPC. */
export class SessionObject extends SessionSockets implements SessionCommands {
  async create(id: string, config: SessionConfig): Promise<SessionView> {
    if (!this.session) this.begin(newSession(id, config, Date.now()));
    return viewSession(this.session ?? newSession(id, config, Date.now()));
  }

  async view(asker: Asker): Promise<SessionView | Problem> {
    const session = this.#readBy(asker);
    return isProblem(session) ? session : viewSession(session);
  }

  async peers(asker: Asker): Promise<PeerView[] | Problem> {
    const session = this.#readBy(asker);
    return isProblem(session) ? session : [...session.peers.values()].map(viewPeer);
  }

  async flows(asker: Asker, filter: FlowFilter): Promise<FlowsView | Problem> {
    const session = this.#readBy(asker);
    if (isProblem(session)) return session;
    const view = viewFlows(session, asker && { id: asker.peer, role: asker.role });
    const flows = filterFlows(view.flows, filter);
    const named = new Set(flows.map(({ transport }) => transport));
    const transports =
      flows.length === view.flows.length
        ? view.transports
        : view.transports.filter(({ id }) => named.has(id));
    return { revision: view.revision, flows: [...flows], transports };
  }

  async flow(asker: Asker, id: string): Promise<Flow | Problem> {
    const session = this.#readBy(asker);
    if (isProblem(session)) return session;
    const found = findFlow(session, id)?.flow;
    const own =
      !asker || asker.role === "observer" || found?.from === asker.peer || found?.to === asker.peer;
    return found && own ? found : problem("flow-not-found", "no such flow is in this session");
  }

  async changeFlow(asker: Asker, id: string, change: FlowChange): Promise<Flow | Problem> {
    const refused = this.#readBy(asker);
    if (isProblem(refused)) return refused;
    if (asker?.role === "observer") return problem("not-permitted", "an observer changes nothing");
    const by = asker ? { peer: asker.peer } : {};
    const turned = this.turn({ type: "change-flow", flow: id, change, at: Date.now(), ...by });
    if (isProblem(turned)) return turned;
    return findFlow(turned, id)?.flow ?? problem("flow-not-found", "the flow is gone");
  }

  async findings(asker: Asker): Promise<LinkFinding[] | Problem> {
    const session = this.#readBy(asker);
    if (isProblem(session)) return session;
    return [...session.links.values()].flatMap(({ id, findings }) =>
      findings.map((finding) => ({ link: id, ...finding })),
    );
  }

  async kick(peer: string): Promise<null | Problem> {
    const turned = this.turn({ type: "kick", peer, at: Date.now() });
    return isProblem(turned) ? turned : null;
  }

  async end(): Promise<null> {
    if (this.session) this.turn({ type: "end", at: Date.now() });
    return null;
  }

  /** The session, or why the asker may not read it: it does not exist, or its token died by a kick. */
  #readBy(asker: Asker): Session | Problem {
    const { session } = this;
    if (!session) return sessionNotFound();
    if (!asker || !session.kicked.has(asker.peer)) return session;
    return problem("unauthorized", "no valid token");
  }
}
