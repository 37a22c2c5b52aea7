import type { Told } from "../protocol/assistance/holding.ts";
import type { AssistanceRequest, Boosted } from "../protocol/assistance/records.ts";
import type { ContextRecord } from "../protocol/context-messages.ts";
import type { Flow, FlowsView } from "../protocol/flow.ts";
import type { FlowChange, FlowFilter } from "../protocol/flow-query.ts";
import type { Kept } from "../protocol/kept.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import type { Problem } from "../protocol/problem.ts";
import type { MeasuredPeer } from "../protocol/qoe/measured-peer.ts";
import type { RecordedFinding } from "../protocol/session.ts";
import type { Grant, SessionConfig } from "../protocol/session-config.ts";
import type { SessionOverview } from "../protocol/session-overview.ts";
import type { SimulatedFault } from "../protocol/simulated-fault.ts";
import type { DescriptionView, TimelineView } from "../protocol/timeline/view.ts";
import type { SessionView } from "../protocol/views.ts";
import type { SessionWebhooks } from "../protocol/webhooks/view.ts";

/** Who asks: absent for the application's back end, which may everything. */
export type Asker = Pick<Grant, "peer" | "role"> | undefined;

/** A finding and the link whose description it is about. */
export type LinkFinding = RecordedFinding & { readonly link: string };

/**
 * What the Worker asks of a session over RPC. Refusals come back as problems. A peer whose token died
 * by a kick is `unauthorized` everywhere.
 */
export interface SessionCommands {
  /** `kept` names the objects that count and list the session; they are told when it is over. */
  create(id: string, config: SessionConfig, kept?: Kept): Promise<SessionView>;
  exists(): Promise<boolean>;
  view(asker: Asker): Promise<SessionView | Problem>;
  /** The session at a glance, for a list of the application's back end. */
  overview(): Promise<SessionOverview | Problem>;
  peers(asker: Asker): Promise<PeerView[] | Problem>;
  flows(asker: Asker, filter: FlowFilter): Promise<FlowsView | Problem>;
  flow(asker: Asker, id: string): Promise<Flow | Problem>;
  /** What reports of a peer are made of. */
  measured(asker: Asker, peer: string): Promise<MeasuredPeer | Problem>;
  changeFlow(asker: Asker, id: string, change: FlowChange): Promise<Flow | Problem>;
  findings(asker: Asker): Promise<LinkFinding[] | Problem>;
  /** Entries after number `since`. */
  timeline(asker: Asker, since: number): Promise<TimelineView | Problem>;
  descriptions(asker: Asker): Promise<DescriptionView[] | Problem>;
  contexts(asker: Asker): Promise<ContextRecord[] | Problem>;
  /** Answers for a session that is over, too, as long as something of it is still to be told. */
  webhooks(): Promise<SessionWebhooks | Problem>;
  /** What mobile networks are asked; answers for a session that is over, too, as long as they may have something of it. */
  assistance(): Promise<readonly AssistanceRequest[] | Problem>;
  /** Asks the mobile network of a peer for a delivery boost. */
  boost(asker: Asker, peer: string): Promise<Boosted | Problem>;
  /** A mobile network tells what became of a request; false when that is over. */
  networkTold(key: string, told: Told): Promise<boolean>;
  kick(peer: string): Promise<null | Problem>;
  end(): Promise<null>;
  /** Only in local development; everywhere else `not-permitted`. */
  simulate(asker: Asker, peer: string, fault: SimulatedFault): Promise<null | Problem>;
}
