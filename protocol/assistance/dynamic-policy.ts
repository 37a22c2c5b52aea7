import type { ApplicationFlowDescription, ClientPolicySpecification } from "./application-flow.ts";
import type { AssistedLink, Mapped, Snssai } from "./assisted.ts";
import type { MarkingTable } from "./markings.ts";
import type { RateDefaults } from "./rates.ts";

/** TS 26.510 ApplicationFlowBinding. */
export interface ApplicationFlowBinding {
  readonly componentReference: string;
  readonly applicationFlowDescription?: ApplicationFlowDescription;
  readonly qosSpecification: ClientPolicySpecification;
}

/** TS 26.510 DynamicPolicy, as it is created. */
export interface DynamicPolicy {
  readonly sessionId: string;
  readonly policyTemplateId: string;
  readonly sliceInfo?: Snssai;
  readonly dataNetworkName?: string;
  readonly applicationFlowBindings: readonly ApplicationFlowBinding[];
}

export interface DynamicPolicyOptions {
  /** `<session>/<link>` when left out. */
  readonly sessionId?: string;
  readonly policyTemplateId: string;
  /** The network knows multiplexed media (Rel-19): one binding per m-section instead of one per BUNDLE group. */
  readonly multiplex: boolean;
  readonly rates?: RateDefaults;
  readonly markings?: MarkingTable;
  readonly dnn?: string;
  readonly snssai?: Snssai;
}

/** STUB */
export function dynamicPolicyOf(
  _link: AssistedLink,
  _options: DynamicPolicyOptions,
): Mapped<DynamicPolicy> {
  return { lacks: "media" };
}
