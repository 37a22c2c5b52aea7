import {
  type ApplicationFlowDescription,
  applicationFlowOf,
  type ClientPolicySpecification,
  policySpecificationOf,
} from "./application-flow.ts";
import type { AssistedLink, Mapped, Snssai } from "./assisted.ts";
import { componentsOf } from "./component.ts";
import type { MarkingTable } from "./markings.ts";
import { isRunning, type RateDefaults, ratesOfSections } from "./rates.ts";

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

/** The media delivery session that a request belongs to. */
export const sessionIdOf = ({ session, link }: AssistedLink, sessionId?: string): string =>
  sessionId ?? `${session}/${link}`;

/** What a network is told of where its customer is, where it is told. */
export const placeOf = ({ dnn, snssai }: { readonly dnn?: string; readonly snssai?: Snssai }) => ({
  ...(snssai === undefined ? {} : { sliceInfo: snssai }),
  ...(dnn === undefined ? {} : { dataNetworkName: dnn }),
});

/**
 * A Dynamic Policy for all that a UE has on a link. A binding has no description of its packets while their path is not
 * known: the policy is asked for by components then, and completed once it is. What is held has `0 bps`.
 *
 * Lacks `media` while nothing runs.
 */
export function dynamicPolicyOf(
  link: AssistedLink,
  options: DynamicPolicyOptions,
): Mapped<DynamicPolicy> {
  if (!link.transports.some(isRunning)) return { lacks: "media" };
  const { policyTemplateId, multiplex, rates, markings } = options;
  const bindings = componentsOf(link, multiplex).map((component): ApplicationFlowBinding => {
    const applicationFlowDescription = applicationFlowOf(component, markings);
    return {
      componentReference: component.reference,
      ...(applicationFlowDescription ? { applicationFlowDescription } : {}),
      qosSpecification: policySpecificationOf(ratesOfSections(link, component.sections, rates)),
    };
  });
  return {
    body: {
      sessionId: sessionIdOf(link, options.sessionId),
      policyTemplateId,
      ...placeOf(options),
      applicationFlowBindings: bindings,
    },
  };
}
