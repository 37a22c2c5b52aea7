import type { ApplicationFlowDescription, ClientPolicySpecification } from "./application-flow.ts";
import type { AssistedLink, Mapped, Snssai } from "./assisted.ts";
import type { MarkingTable } from "./markings.ts";
import type { RateDefaults } from "./rates.ts";

/** TS 26.510 NetworkAssistanceSession, as it is created. */
export interface NetworkAssistanceSession {
  readonly sessionId: string;
  readonly sliceInfo?: Snssai;
  readonly dataNetworkName?: string;
  readonly policyTemplateId?: string;
  readonly componentReference: string;
  readonly applicationFlowDescription: ApplicationFlowDescription;
  readonly requestedQoS: ClientPolicySpecification;
}

export interface NetworkAssistanceOptions {
  /** `<session>/<link>` when left out. */
  readonly sessionId?: string;
  readonly policyTemplateId?: string;
  readonly rates?: RateDefaults;
  readonly markings?: MarkingTable;
  readonly dnn?: string;
  readonly snssai?: Snssai;
}

/** STUB */
export function networkAssistanceSessionOf(
  _link: AssistedLink,
  _options: NetworkAssistanceOptions,
): Mapped<NetworkAssistanceSession> {
  return { lacks: "media" };
}
