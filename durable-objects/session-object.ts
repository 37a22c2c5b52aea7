import type { Told } from "../protocol/assistance/holding.ts";
import type { AssistanceRequest, Boosted } from "../protocol/assistance/records.ts";
import type { ContextRecord } from "../protocol/context-messages.ts";
import { viewContexts } from "../protocol/context-results.ts";
import type { Flow, FlowsView } from "../protocol/flow.ts";
import type { FlowChange, FlowFilter } from "../protocol/flow-query.ts";
import { filterFlows, isFilter } from "../protocol/flows/filter.ts";
import type { Kept } from "../protocol/kept.ts";
import { withManagedServer } from "../protocol/managed-server.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import { isProblem, type Problem, problem } from "../protocol/problem.ts";
import { type MeasuredPeer, measuredPeer } from "../protocol/qoe/measured-peer.ts";
import { newSession, type Session } from "../protocol/session.ts";
import type { SessionConfig } from "../protocol/session-config.ts";
import { overviewOf, type SessionOverview } from "../protocol/session-overview.ts";
import { notSimulated, type SimulatedFault } from "../protocol/simulated-fault.ts";
import { findFlow } from "../protocol/steering.ts";
import {
  type DescriptionView,
  type TimelineView,
  viewDescriptions,
  viewTimeline,
} from "../protocol/timeline/view.ts";
import { verdictsOf } from "../protocol/verdict/verdict.ts";
import { type SessionView, viewFlows, viewPeer, viewSession } from "../protocol/views.ts";
import type { SessionWebhooks } from "../protocol/webhooks/view.ts";
import { deploymentConfig } from "./deployment-config.ts";
import { withHashedCnames } from "./hash-cnames.ts";
import { neverGivenUp } from "./last-try.ts";
import { JUDGED_LINKS, RecentVerdicts } from "./recent-verdicts.ts";
import type { Asker, LinkFinding, SessionCommands } from "./session-commands.ts";
import { SessionLifecycle } from "./session-lifecycle.ts";
import { sessionNotFound } from "./session-not-found.ts";

/** One session: its sockets, endpoints and HTTP clients (see SessionManaged), what operators learn of it, and what the Worker asks of it over RPC. */
export class SessionObject extends SessionLifecycle implements SessionCommands {
  readonly #verdicts = new RecentVerdicts();

  override alarm(info?: AlarmInvocationInfo): Promise<void> {
    return neverGivenUp(this.ctx, info, () => super.alarm(info));
  }

  async create(id: string, config: SessionConfig, kept?: Kept): Promise<SessionView> {
    const session = this.session ?? this.#newSession(id, config, kept);
    if (!this.session) this.begin(session);
    return viewSession(session);
  }

  #newSession(id: string, config: SessionConfig, kept?: Kept): Session {
    const session = newSession(id, config, Date.now(), kept);
    if (config.topology !== "central") return session;
    const { mediaBackend } = deploymentConfig(this.env);
    return mediaBackend.provider === "none" ? session : withManagedServer(session);
  }

  async exists(): Promise<boolean> {
    return this.session !== null;
  }

  async view(asker: Asker): Promise<SessionView | Problem> {
    const session = this.#readBy(asker);
    return isProblem(session) ? session : viewSession(session);
  }

  async overview(): Promise<SessionOverview | Problem> {
    const { session } = this;
    if (!session) return sessionNotFound();
    // A list has many sessions.
    const isSmall = session.links.size <= JUDGED_LINKS;
    return overviewOf(session, isSmall ? verdictsOf(session, Date.now()) : []);
  }

  async peers(asker: Asker): Promise<PeerView[] | Problem> {
    const session = this.#readBy(asker);
    return isProblem(session) ? session : [...session.peers.values()].map(viewPeer);
  }

  async flows(asker: Asker, filter: FlowFilter): Promise<FlowsView | Problem> {
    const session = this.#readBy(asker);
    if (isProblem(session)) return session;
    const view = viewFlows(session, asker && { id: asker.peer, role: asker.role });
    const flows = filterFlows(view.flows, filter, view.transports);
    const named = new Set(flows.map(({ transport }) => transport));
    const transports = isFilter(filter)
      ? view.transports.filter(({ id }) => named.has(id))
      : view.transports;
    return {
      revision: view.revision,
      flows: await this.#shownTo(asker, session, flows),
      transports,
    };
  }

  async measured(asker: Asker, peer: string): Promise<MeasuredPeer | Problem> {
    const session = this.#readBy(asker);
    if (isProblem(session)) return session;
    return measuredPeer(session, peer, asker && { id: asker.peer, role: asker.role });
  }

  async flow(asker: Asker, id: string): Promise<Flow | Problem> {
    const session = this.#readBy(asker);
    if (isProblem(session)) return session;
    const found = findFlow(session, id)?.flow;
    const own =
      !asker || asker.role === "observer" || found?.from === asker.peer || found?.to === asker.peer;
    if (!found || !own) return problem("flow-not-found", "no such flow is in this session");
    return this.#oneShownTo(asker, session, found);
  }

  async changeFlow(asker: Asker, id: string, change: FlowChange): Promise<Flow | Problem> {
    const refused = this.#readBy(asker);
    if (isProblem(refused)) return refused;
    if (asker?.role === "observer") return problem("not-permitted", "an observer changes nothing");
    const by = asker ? { peer: asker.peer } : {};
    const turned = this.turn({ type: "change-flow", flow: id, change, at: Date.now(), ...by });
    if (isProblem(turned)) return turned;
    const changed = findFlow(turned, id)?.flow;
    return changed
      ? this.#oneShownTo(asker, turned, changed)
      : problem("flow-not-found", "the flow is gone");
  }

  /** Flows as the asker may see them: outside the session, CNAMEs are hashed. */
  async #shownTo(asker: Asker, { id }: Session, flows: readonly Flow[]): Promise<Flow[]> {
    return asker ? [...flows] : withHashedCnames(this.env, id, flows);
  }

  async #oneShownTo(asker: Asker, session: Session, flow: Flow): Promise<Flow> {
    const [shown = flow] = await this.#shownTo(asker, session, [flow]);
    return shown;
  }

  async findings(asker: Asker): Promise<LinkFinding[] | Problem> {
    const session = this.#watchedBy(asker);
    if (isProblem(session)) return session;
    return [...session.links.values()].flatMap(({ id, findings }) =>
      findings.map((finding) => ({ link: id, ...finding })),
    );
  }

  async timeline(asker: Asker, since: number): Promise<TimelineView | Problem> {
    const session = this.#watchedBy(asker);
    if (isProblem(session)) return session;
    const at = Date.now();
    return viewTimeline(session, since, at, this.#verdicts.of(session, at));
  }

  async descriptions(asker: Asker): Promise<DescriptionView[] | Problem> {
    const session = this.#watchedBy(asker);
    return isProblem(session) ? session : viewDescriptions(session);
  }

  async contexts(asker: Asker): Promise<ContextRecord[] | Problem> {
    const session = this.#readBy(asker);
    if (isProblem(session)) return session;
    if (asker?.role === "peer") {
      return problem("not-permitted", "contexts are for the back end, observers and media servers");
    }
    const mine = asker?.role === "media-server" ? asker.peer : undefined;
    return viewContexts(session).filter(({ server }) => mine === undefined || server === mine);
  }

  async webhooks(): Promise<SessionWebhooks | Problem> {
    const { session } = this;
    const view = this.owed.outbox.view();
    if (view) return view;
    return session ? { session: session.id, newest: 0, receivers: [] } : sessionNotFound();
  }

  async assistance(): Promise<readonly AssistanceRequest[] | Problem> {
    const { session } = this;
    const { assistance } = this.owed;
    return session || assistance.isWaiting ? assistance.view() : sessionNotFound();
  }

  async boost(asker: Asker, peer: string): Promise<Boosted | Problem> {
    const session = this.#readBy(asker);
    if (isProblem(session)) return session;
    if (asker && asker.peer !== peer) {
      return problem("not-permitted", "the token of a peer is for its own network");
    }
    if (!session.peers.has(peer)) return problem("unknown-peer", "no such peer is in the session");
    const answer = await this.owed.assistance.boost(peer);
    if (answer?.type === "done") return { boosted: true };
    const reason = answer && "reason" in answer ? answer.reason : (answer?.type ?? "not-assisted");
    return { boosted: false, reason };
  }

  async networkTold(key: string, told: Told): Promise<boolean> {
    // What is told of may have to be read first.
    void this.session;
    return this.owed.assistance.notified(key, told);
  }

  async kick(peer: string): Promise<null | Problem> {
    const turned = this.turn({ type: "kick", peer, at: Date.now() });
    return isProblem(turned) ? turned : null;
  }

  async end(): Promise<null> {
    if (this.session) this.turn({ type: "end", at: Date.now() });
    return null;
  }

  async simulate(asker: Asker, peer: string, fault: SimulatedFault): Promise<null | Problem> {
    const session = this.#readBy(asker);
    if (isProblem(session)) return session;
    if (!this.network) return notSimulated();
    if (asker && asker.peer !== peer) {
      return problem("not-permitted", "the token of a peer is for faults of its own socket");
    }
    const known = session.peers.get(peer);
    if (!known) return problem("unknown-peer", "no such peer is in the session");
    const socket = this.sockets.of(known);
    if (!socket) return problem("peer-away", "the peer has no socket now");
    this.simulateFault(socket, peer, fault);
    return null;
  }

  /** The same for what is of no peer. */
  #watchedBy(asker: Asker): Session | Problem {
    if (!asker || asker.role === "observer") return this.#readBy(asker);
    const refused = this.#readBy(asker);
    return isProblem(refused)
      ? refused
      : problem("not-permitted", "this is for the back end and observers");
  }

  /** The session, or why the asker may not read it: it does not exist, or its token died by a kick. */
  #readBy(asker: Asker): Session | Problem {
    const { session } = this;
    if (!session) return sessionNotFound();
    if (!asker || !session.kicked.has(asker.peer)) return session;
    return problem("unauthorized", "no valid token");
  }
}
